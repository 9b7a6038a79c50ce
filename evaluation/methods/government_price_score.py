"""政府采购价格分 government price score (87号令 55): lowest price over bid, times weight.

98, 100 and 120 at weight 30 give 30.00, 29.40 and 24.50.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

import msgspec

from evaluation.method import Line, Method, Offer, Parameters, Placed, in_order

__all__ = ["METHOD"]

_CENT = Decimal("0.01")


class PriceScore(Parameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`weight` in whole percent; the default is the least for goods [sec]."""

    weight: Annotated[int, msgspec.Meta(ge=1, le=100)] = 30


def _place(offers: Sequence[Offer], parameters: PriceScore) -> list[Placed]:
    weight = Decimal(parameters.weight)
    ordered = in_order(offers)
    placed = []
    for rank, offer in enumerate(ordered, 1):
        lowest = ordered[0].price
        exact = Decimal(lowest.fen) * weight / Decimal(offer.price.fen)
        score = exact.quantize(_CENT, ROUND_HALF_UP)
        formula = f"{lowest} ÷ {offer.price} × {weight} = {score}"
        lines = (
            Line("lowest", f"{lowest}", f"最低报价 lowest price = {lowest}"),
            Line("price", str(score), formula),
        )
        placed.append(Placed(offer.eid, rank, str(score), formula, lines))
    return placed


METHOD = Method(
    code="government-price-score",
    zh="政府采购综合评分法·价格分",
    en="Government price score",
    place=_place,
    parameters=PriceScore,
)
