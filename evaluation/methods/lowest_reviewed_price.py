"""经评审的最低投标价法 lowest reviewed price (法 41): the lowest acceptable bid ranks first.

What the tender adjusts for (terms of payment, completion, corrected arithmetic) is added to the
price in yuan; a negative adjustment lowers it.
"""

from collections.abc import Sequence

from evaluation.method import Line, Method, Offer, Parameters, Placed
from trading.kernel.errors import ScoreInvalid
from trading.kernel.money import Money

__all__ = ["METHOD"]


def _place(offers: Sequence[Offer], _: Parameters) -> list[Placed]:
    reviewed = [(_reviewed(offer), offer) for offer in offers]
    ordered = sorted(reviewed, key=lambda pair: (pair[0], pair[1].price, pair[1].arrival))
    return [
        Placed(
            offer.eid,
            rank,
            str(price),
            f"评审价 {price} 元，由低到高第 {rank} / reviewed price, ascending",
            _lines(offer, price),
        )
        for rank, (price, offer) in enumerate(ordered, 1)
    ]


def _reviewed(offer: Offer) -> Money:
    total = offer.price
    for name, amount in offer.adjustments.items():
        total += amount
        if total.fen <= 0:
            raise ScoreInvalid(eid=offer.eid, item=name, problem=f"{amount}：评审价 {total}")
    return total


def _lines(offer: Offer, price: Money) -> tuple[Line, ...]:
    if not offer.adjustments:
        return ()
    parts = [f"{name} {amount}" for name, amount in sorted(offer.adjustments.items())]
    text = f"{offer.price} + ({' + '.join(parts)}) = {price}"
    return (Line("reviewed", str(price), text),)


METHOD = Method(
    code="lowest-reviewed-price",
    zh="经评审的最低投标价法",
    en="Lowest reviewed price",
    place=_place,
    adjusts=True,
)
