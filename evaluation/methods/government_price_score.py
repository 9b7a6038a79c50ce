"""政府采购价格分 government price score (87号令 55): lowest price over bid, times weight.

98, 100 and 120 at weight 30 give 30.00, 29.40 and 24.50.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from evaluation.method import Method, Offer, Placed, in_order
from trading.kernel.errors import DraftIncomplete

__all__ = ["METHOD"]

_CENT = Decimal("0.01")
_DEFAULT = "30"  # percent; the least for goods [sec]


def _rank(offers: Sequence[Offer], parameters: Mapping[str, str]) -> list[Placed]:
    weight = _weight(parameters)
    ordered = in_order(offers)
    placed = []
    for rank, offer in enumerate(ordered, 1):
        lowest = ordered[0].price
        exact = Decimal(lowest.fen) * weight / Decimal(offer.price.fen)
        score = exact.quantize(_CENT, ROUND_HALF_UP)
        formula = f"{lowest} ÷ {offer.price} × {weight} = {score}"
        placed.append(Placed(offer.eid, rank, str(score), formula))
    return placed


def _weight(parameters: Mapping[str, str]) -> Decimal:
    text = parameters.get("weight", _DEFAULT)
    if not re.fullmatch("[0-9]{1,3}", text) or not 0 < int(text) <= 100:
        raise DraftIncomplete(problem=f"权重 {text[:20]} / weight {text[:20]}")
    return Decimal(text)


METHOD = Method(
    code="government-price-score",
    zh="政府采购综合评分法·价格分",
    en="Government price score",
    rank=_rank,
)
