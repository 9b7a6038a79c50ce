"""What an evaluation method 评标办法 must declare: its parameters, a pure ranking, its arithmetic.

Numbers are exact until they are shown; what is shown is rounded once, half up, to two places.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, TypeVar

import msgspec

from trading.kernel.errors import DraftIncomplete, ScoreInvalid
from trading.kernel.money import Money, is_plain

__all__ = [
    "Bounds",
    "Line",
    "Method",
    "Offer",
    "Parameters",
    "Placed",
    "Scored",
    "Sum",
    "by_score",
    "in_order",
    "points_of",
    "summed",
    "two_places",
    "within",
]

_FULL = 100

Bounds = Mapping[str, tuple[int, int]]  # of each parameter, both ends included


class Offer(msgspec.Struct, frozen=True):
    """A bid that may be ranked; `arrival` is its place in the ledger and breaks ties.

    `scores`: what was given or found elsewhere, by item, in the unit that the method names;
    `is_small`: 小微企业, for policy deductions; `adjustments`: what review adds to the price.
    """

    eid: str
    arrival: int
    price: Money
    ceiling: Money | None = None
    scores: Mapping[str, Decimal] = {}
    is_small: bool = False
    adjustments: Mapping[str, Money] = {}


class Line(msgspec.Struct, frozen=True):
    """One number on the way, as text, and the sentence that explains it."""

    name: str
    value: str
    text: str


class Placed(msgspec.Struct, frozen=True):
    """`score` is text with the method's scale; `explanation` shows the arithmetic in one line,
    `lines` every number on the way. Rank 0: in the record, and not ranked.
    """

    eid: str
    rank: int
    score: str
    explanation: str
    lines: tuple[Line, ...] = ()


class Scored(msgspec.Struct, frozen=True):
    """An offer with its exact score, before it has a rank."""

    offer: Offer
    score: Fraction
    explanation: str
    lines: tuple[Line, ...] = ()


class Sum(msgspec.Struct, frozen=True):
    """Price and other points together; `lines` for each of the others and for the total."""

    others: str
    total: Fraction
    lines: tuple[Line, ...]


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a tender sets. Rates and points are decimals, written as text, within their `bounds`."""

    bounds: ClassVar[Bounds] = {}


P = TypeVar("P", bound=Parameters)


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """`place(offers, parameters)` is pure and must not depend on the order of the offers.

    `is_monotone`: a lower price never ranks behind an equal bid with a higher one. `is_ranked`: it
    puts bids in an order; without one, an award committee must choose. `drawn`: parameters that
    must come out of a verifiable draw. `adjusts`: it takes adjustments of the price.
    """

    code: str
    zh: str
    en: str
    place: Callable[[Sequence[Offer], Any], list[Placed]]
    parameters: type[Parameters] = Parameters
    is_monotone: bool = True
    is_ranked: bool = True
    drawn: tuple[str, ...] = ()
    adjusts: bool = False

    def rank(self, offers: Sequence[Offer], given: Mapping[str, Any]) -> list[Placed]:
        """DraftIncomplete for parameters that the method does not take, ScoreInvalid for scores."""
        for offer in offers:
            self._check(offer)
        placed = self.place(offers, self.read(given))
        if sorted(place.eid for place in placed) != sorted(offer.eid for offer in offers):
            raise TypeError(f"{self.code} must place every bid once")
        return placed

    def read(self, given: Mapping[str, Any]) -> Parameters:
        try:
            found = msgspec.convert(dict(given), self.parameters, strict=False)
        except (msgspec.ValidationError, ValueError) as error:
            raise DraftIncomplete(problem=f"{self.code}: {error}") from error
        return within(self.code, found)

    def schema(self) -> dict[str, Any]:
        """The parameters as a JSON schema; decimals are text, their bounds stand beside them."""
        schema: dict[str, Any] = msgspec.json.schema(self.parameters)
        found: dict[str, Any] = schema["$defs"][self.parameters.__name__]
        for name, (low, high) in self.parameters.bounds.items():
            found["properties"][name] |= {"minimum": low, "maximum": high}
        return found

    def _check(self, offer: Offer) -> None:
        for item, points in offer.scores.items():
            if not is_plain(points) or points < 0:
                raise ScoreInvalid(eid=offer.eid, item=item, problem=f"{points}")
        if offer.adjustments and not self.adjusts:
            problem = f"{self.zh}不调整价格 / no adjustments"
            raise ScoreInvalid(eid=offer.eid, item="adjustments", problem=problem)


def within(code: str, parameters: P) -> P:
    """DraftIncomplete unless every parameter lies in its bounds."""
    for name, (low, high) in parameters.bounds.items():
        value = getattr(parameters, name)
        if not is_plain(value) or not low <= value <= high:
            problem = f"{code}: {name} {value}，应在 / must lie in {low}–{high}"
            raise DraftIncomplete(problem=problem)
    return parameters


def in_order(offers: Sequence[Offer]) -> list[Offer]:
    """Cheapest first; of equal prices, the earlier bid."""
    return sorted(offers, key=lambda offer: (offer.price, offer.arrival))


def points_of(offer: Offer, most: Decimal) -> Fraction:
    """The sum of an offer's other points; ScoreInvalid above what the price leaves of a hundred."""
    total = sum(offer.scores.values(), Decimal(0))
    if total > most:
        problem = f"{total}，至多 / at most {most}"
        raise ScoreInvalid(eid=offer.eid, item="、".join(offer.scores), problem=problem)
    return Fraction(total)


def summed(offer: Offer, price: Fraction, most: Decimal) -> Sum:
    """The points of its price and its other points, of which there are `most`."""
    others = points_of(offer, most)
    total = price + others
    text = f"合计 total {two_places(price)} + {two_places(others)} = {two_places(total)}"
    given = sorted(offer.scores.items())
    items = [Line(item, f"{points}", f"{item} {points}") for item, points in given]
    return Sum(two_places(others), total, (*items, Line("total", two_places(total), text)))


def by_score(scored: Sequence[Scored]) -> list[Placed]:
    """Highest first, as shown; of equal scores the lower price, then the earlier bid."""
    ordered = sorted(
        scored,
        key=lambda one: (-_cents(one.score), one.offer.price, one.offer.arrival),
    )
    return [
        Placed(one.offer.eid, rank, two_places(one.score), one.explanation, one.lines)
        for rank, one in enumerate(ordered, 1)
    ]


def two_places(number: Fraction) -> str:
    """Half up, away from zero."""
    cents = _cents(abs(number))
    sign = "-" if number < 0 and cents else ""
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def _cents(number: Fraction) -> int:
    doubled = number * _FULL * 2
    return (doubled.numerator // doubled.denominator + 1) // 2
