"""经评审的最低投标价法 lowest reviewed price (法 41): the lowest acceptable bid ranks first.

Reviewed equals bid price here; adjustments per tender come with the full evaluation.
"""

from collections.abc import Mapping, Sequence

from evaluation.method import Method, Offer, Placed, in_order

__all__ = ["METHOD"]


def _rank(offers: Sequence[Offer], _: Mapping[str, str]) -> list[Placed]:
    return [
        Placed(
            offer.eid,
            rank,
            str(offer.price),
            f"评审价 {offer.price} 元，由低到高第 {rank} / reviewed price, ascending",
        )
        for rank, offer in enumerate(in_order(offers), 1)
    ]


METHOD = Method(
    code="lowest-reviewed-price",
    zh="经评审的最低投标价法",
    en="Lowest reviewed price",
    rank=_rank,
)
