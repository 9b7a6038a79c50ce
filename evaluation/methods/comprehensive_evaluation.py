"""综合评估法 comprehensive evaluation: price against a benchmark, and points for the rest.

100 points: `price_weight` for the price, the others as the panel gave them (法 41 (1)).
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from evaluation.benchmark import Against, benchmark_of
from evaluation.method import (
    Bounds,
    Line,
    Method,
    Offer,
    Placed,
    Scored,
    by_score,
    summed,
    two_places,
)

__all__ = ["METHOD"]


class Comprehensive(Against, frozen=True, forbid_unknown_fields=True, kw_only=True):
    bounds: ClassVar[Bounds] = {**Against.bounds, "price_weight": (0, 100)}

    price_weight: Decimal = Decimal(60)


def _place(offers: Sequence[Offer], parameters: Comprehensive) -> list[Placed]:
    benchmark = benchmark_of(offers, parameters)
    full = Fraction(parameters.price_weight)
    scored = []
    for offer in offers:
        lost, deviation = benchmark.lost(offer, parameters)
        price = max(Fraction(0), full - lost)
        whole = summed(offer, price, 100 - parameters.price_weight)
        points = f"{parameters.price_weight} − {two_places(lost)} = {two_places(price)}"
        lines = (
            *benchmark.lines,
            *deviation,
            Line(
                "price", two_places(price), f"价格分 price points {points}，不低于 0 / at least 0"
            ),
            *whole.lines,
        )
        explanation = (
            f"基准价 benchmark {benchmark.lines[-1].value}，偏差 deviation {deviation[0].value}%，"
            f"价格分 {two_places(price)} + 其他 others {whole.others} = {two_places(whole.total)}"
        )
        scored.append(Scored(offer, whole.total, explanation, lines))
    return by_score(scored)


METHOD = Method(
    code="comprehensive-evaluation",
    zh="综合评估法",
    en="Comprehensive evaluation",
    place=_place,
    parameters=Comprehensive,
    is_monotone=False,
)
