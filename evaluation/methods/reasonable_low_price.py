"""合理低价法 reasonable low price: the price alone, against a benchmark.

A hundred points less what the deviation costs; the other conditions are passed or not.
"""

from collections.abc import Sequence
from fractions import Fraction

from evaluation.benchmark import Against, benchmark_of
from evaluation.method import Line, Method, Offer, Placed, Scored, by_score, two_places

__all__ = ["METHOD"]

_FULL = Fraction(100)


def _place(offers: Sequence[Offer], parameters: Against) -> list[Placed]:
    benchmark = benchmark_of(offers, parameters)
    scored = []
    for offer in offers:
        lost, deviation = benchmark.lost(offer, parameters)
        score = max(Fraction(0), _FULL - lost)
        text = f"100 − {two_places(lost)} = {two_places(score)}"
        explanation = (
            f"基准价 benchmark {benchmark.lines[-1].value}，"
            f"偏差 deviation {deviation[0].value}%，{text}"
        )
        lines = (*benchmark.lines, *deviation, Line("total", two_places(score), text))
        scored.append(Scored(offer, score, explanation, lines))
    return by_score(scored)


METHOD = Method(
    code="reasonable-low-price",
    zh="合理低价法",
    en="Reasonable low price",
    place=_place,
    parameters=Against,
    is_monotone=False,
)
