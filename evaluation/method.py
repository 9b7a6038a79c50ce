"""What an evaluation method 评标办法 must declare: a pure ranking and how it explains itself."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from trading.kernel.money import Money

__all__ = ["Method", "Offer", "Placed", "in_order"]


class Offer(msgspec.Struct, frozen=True):
    """A bid that may be ranked; `arrival` is its place in the ledger and breaks ties."""

    eid: str
    arrival: int
    price: Money


class Placed(msgspec.Struct, frozen=True):
    """`score` is text with the method's scale; `explanation` shows the arithmetic in one line."""

    eid: str
    rank: int
    score: str
    explanation: str


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """`rank(offers, parameters)` must not depend on the order of the offers."""

    code: str
    zh: str
    en: str
    rank: Callable[[Sequence[Offer], Mapping[str, str]], list[Placed]]


def in_order(offers: Sequence[Offer]) -> list[Offer]:
    """Cheapest first; of equal prices, the earlier bid."""
    return sorted(offers, key=lambda offer: (offer.price, offer.arrival))
