"""线索指标 the contract of the catalogue of 46: what a lot's case holds, what is said of it.

Four groups, as evaluation centres count them: 触发 30 points, 核心 10, 基础 5, 扩展 5. Clues are
for people to look into; points order a queue and decide nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from statistics import mean

import msgspec

from analytics.experts import Score

__all__ = [
    "Alike",
    "Case",
    "Clue",
    "Entry",
    "Group",
    "Hit",
    "Look",
    "Mark",
    "Seat",
    "across_lots",
    "by_bidder",
    "by_expert",
    "scores_of",
    "totals_of",
    "within_lot",
]


class Group(StrEnum):
    TRIGGER = "触发"
    CORE = "核心"
    BASIC = "基础"
    EXTENDED = "扩展"

    @property
    def points(self) -> int:
        return {Group.TRIGGER: 30, Group.CORE: 10}.get(self, 5)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One bid. `price` in fen; moments in seconds; `is_valid`: not rejected; `errors`: slips of its
    priced bill; `leaks`: names found in a dark bid. Empty is unknown, and never equal.
    """

    bidder: str
    price: int | None = None
    machine: str = ""
    file: str = ""
    dongle: str = ""
    upload_ip: str = ""
    decrypt_ip: str = ""
    download_ip: str = ""
    contact: str = ""
    phone: str = ""
    email: str = ""
    uploaded_at: float | None = None
    errors: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
    is_valid: bool = True


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A score as a share of what its item allows; `part`: technical, commercial or price; `due`:
    what an objective item should have given.
    """

    expert: str
    bidder: str
    item: str
    share: float
    part: str = "technical"
    due: float | None = None

    @property
    def is_objective(self) -> bool:
        return self.due is not None


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """An expert; `ties`: firms and bodies it works or worked for, or owns a part of."""

    expert: str
    ties: tuple[str, ...] = ()
    has_bad_record: bool = False


class Alike(msgspec.Struct, frozen=True):
    """How alike the technical texts of two bids are, from 0 to 1, templates taken off."""

    first: str
    second: str
    share: float


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One lot. `takers`: who took the documents; `absent`: did not come to the opening;
    `extensions`, `failures`: of this tender before; `challenges`: who asked or objected.
    """

    lot: str
    buyer: str = ""
    agent: str = ""
    agent_contacts: tuple[str, ...] = ()
    ceiling: int | None = None
    winner: str = ""
    bids: tuple[Entry, ...] = ()
    takers: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    gave_up: tuple[str, ...] = ()
    challenges: tuple[str, ...] = ()
    extensions: int = 0
    failures: int = 0
    panel: tuple[Seat, ...] = ()
    marks: tuple[Mark, ...] = ()
    alike: tuple[Alike, ...] = ()


class Hit(msgspec.Struct, frozen=True):
    """`who`: bidders or experts it is about, sorted; `value`: the figure or thing that is odd."""

    lot: str
    who: tuple[str, ...]
    value: str


Look = Callable[[Sequence[Case]], Iterable[Hit]]


class Clue(msgspec.Struct, frozen=True, kw_only=True):
    """One indicator; `look` sees all cases at once, so that it may compare with the others."""

    code: str
    zh: str
    en: str
    group: Group
    article: str
    look: Look


def within_lot(*fields: str) -> Look:
    """Bidders of one lot with the same value in a field."""

    def look(cases: Sequence[Case]) -> Iterator[Hit]:
        for case in cases:
            for field in fields:
                holders: dict[str, set[str]] = defaultdict(set)
                for bid in case.bids:
                    holders[getattr(bid, field)].add(bid.bidder)
                for value, who in holders.items():
                    if value and len(who) > 1:
                        yield Hit(case.lot, tuple(sorted(who)), value)

    return look


def across_lots(*fields: str) -> Look:
    """Different bidders of different lots with the same value; told for the later lot."""

    def look(cases: Sequence[Case]) -> Iterator[Hit]:
        for field in fields:
            seen: dict[str, dict[str, str]] = defaultdict(dict)
            for case in cases:
                for bid in case.bids:
                    value = getattr(bid, field)
                    others = {
                        bidder
                        for bidder, lot in seen[value].items()
                        if bidder != bid.bidder and lot != case.lot
                    }
                    if value and others:
                        yield Hit(case.lot, tuple(sorted({*others, bid.bidder})), value)
                for bid in case.bids:
                    seen[getattr(bid, field)].setdefault(bid.bidder, case.lot)

    return look


def by_bidder(case: Case) -> dict[str, dict[str, float]]:
    """Mean share that each expert gave each bidder under subjective items."""
    return _means(case.marks, lambda mark: (mark.bidder, mark.expert))


def by_expert(case: Case) -> dict[str, dict[str, float]]:
    """The same, expert first."""
    return _means(case.marks, lambda mark: (mark.expert, mark.bidder))


def _means(
    marks: Iterable[Mark], names: Callable[[Mark], tuple[str, str]]
) -> dict[str, dict[str, float]]:
    given: dict[tuple[str, str], list[float]] = defaultdict(list)
    for mark in marks:
        if not mark.is_objective:
            given[names(mark)].append(mark.share)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (first, second), shares in given.items():
        found[first][second] = mean(shares)
    return dict(found)


def totals_of(case: Case, part: str) -> dict[str, float]:
    """Mean share of each bidder in one part."""
    given: dict[str, list[float]] = defaultdict(list)
    for mark in case.marks:
        if mark.part == part:
            given[mark.bidder].append(mark.share)
    return {bidder: mean(shares) for bidder, shares in given.items()}


def scores_of(cases: Iterable[Case]) -> list[Score]:
    """Subjective marks of all lots, as `analytics.experts` reads them."""
    return [
        Score(mark.expert, case.lot, mark.bidder, mark.item, mark.share, mark.bidder == case.winner)
        for case in cases
        for mark in case.marks
        if not mark.is_objective
    ]
