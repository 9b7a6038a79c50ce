"""最低评标价法 lowest evaluated price (采购条例 34): all requirements met, the lowest ranks first.

Small firms' prices are lowered by policy for the ranking; what is paid stays the bid.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from evaluation.method import Bounds, Method, Offer, Parameters, Placed
from evaluation.policy import DEDUCTION, evaluated

__all__ = ["METHOD"]


class LowestPrice(Parameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    bounds: ClassVar[Bounds] = {"small_deduction": DEDUCTION}

    small_deduction: Decimal = Decimal(10)


def _place(offers: Sequence[Offer], parameters: LowestPrice) -> list[Placed]:
    prices = {offer.eid: evaluated(offer, parameters.small_deduction) for offer in offers}
    ordered = sorted(offers, key=lambda o: (prices[o.eid][0], o.price, o.arrival))
    return [
        Placed(offer.eid, rank, line.value, f"{line.text}，由低到高第 {rank} / ascending", (line,))
        for rank, offer in enumerate(ordered, 1)
        for line in (prices[offer.eid][1],)
    ]


METHOD = Method(
    code="government-lowest-price",
    zh="最低评标价法",
    en="Government lowest evaluated price",
    place=_place,
    parameters=LowestPrice,
)
