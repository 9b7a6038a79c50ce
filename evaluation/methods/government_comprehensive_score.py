"""综合评分法 government comprehensive scoring (采购条例 34, 87号令 55): lowest over bid, and more.

Price points: lowest evaluated price ÷ evaluated price × weight; goods weigh at least 30 percent,
services at least 10. Small firms' prices are lowered by policy before.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from evaluation.method import (
    Bounds,
    Line,
    Method,
    Offer,
    Parameters,
    Placed,
    Scored,
    by_score,
    summed,
    two_places,
)
from evaluation.policy import DEDUCTION, evaluated

__all__ = ["METHOD"]


class Government(Parameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    bounds: ClassVar[Bounds] = {"weight": (10, 100), "small_deduction": DEDUCTION}

    weight: Decimal = Decimal(30)
    small_deduction: Decimal = Decimal(10)


def _place(offers: Sequence[Offer], parameters: Government) -> list[Placed]:
    prices = {offer.eid: evaluated(offer, parameters.small_deduction) for offer in offers}
    lowest = min((fen for fen, _ in prices.values()), default=Fraction(1))
    scored = []
    for offer in offers:
        fen, line = prices[offer.eid]
        price = lowest / fen * Fraction(parameters.weight)
        whole, low = summed(offer, price, 100 - parameters.weight), two_places(lowest / 100)
        formula = f"{low} ÷ {line.value} × {parameters.weight} = {two_places(price)}"
        lines = (
            line,
            Line("lowest", low, f"最低评审价 lowest evaluated price = {low}"),
            Line("price", two_places(price), formula),
            *whole.lines,
        )
        explanation = f"{formula}；+ {whole.others} = {two_places(whole.total)}"
        scored.append(Scored(offer, whole.total, explanation, lines))
    return by_score(scored)


METHOD = Method(
    code="government-comprehensive-score",
    zh="综合评分法",
    en="Government comprehensive scoring",
    place=_place,
    parameters=Government,
)
