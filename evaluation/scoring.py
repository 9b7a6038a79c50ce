"""评分汇总 what many sheets say together: majorities, means, and who scored far from the others.

Pure, exact; means are rounded once, half up, to two places, as they are shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

from evaluation.method import two_places
from trading.facts.rubric import Deviation, Item, Kind, Mark
from trading.kernel.errors import SheetRefusal
from trading.kernel.money import Money

__all__ = ["Far", "Review", "far_scores", "reviews"]

Sheets = Mapping[str, Sequence[Mark]]  # by member
_Given = Mapping[str, Mapping[tuple[str, str], Fraction]]  # by member: by bid and item
_Places = dict[tuple[str, str], list[Mark]]  # by bid and item

_FAR = Fraction(30, 100)  # of an item's range
_PARTIAL = Fraction(20, 100)  # of all ranges together, beyond a member's own severity
_TOTAL = "total"
_FINE = ("yes", Deviation.NONE)
_FEWEST = 3  # bids, for partiality to mean something


class Review(msgspec.Struct, frozen=True):
    """What a stage found of one bid; `failed`: items with the reasons of the majority; `minor`: the
    same of minor deviations 细微偏差, which the bidder is asked to put right.
    """

    failed: tuple[tuple[str, str], ...] = ()
    flags: frozenset[str] = frozenset()
    scores: dict[str, Decimal] = {}
    adjustments: dict[str, Money] = {}
    minor: tuple[tuple[str, str], ...] = ()


class Far(msgspec.Struct, frozen=True):
    """`item` or `total`; `off` the residual against the others, two places."""

    member: str
    bid: str
    item: str
    off: str


def reviews(
    sheets: Sheets, items: Sequence[Item], bids: Sequence[str], most_minor: int = 0
) -> dict[str, Review]:
    """SheetRefusal where members disagree on what has one right answer. `most_minor`: deviations
    that a bid may have, without limit if 0.
    """
    by_place = _by_place(sheets)
    found = {bid: _review(by_place, items, bid) for bid in bids}
    if most_minor:
        found = {bid: _limited(review, most_minor) for bid, review in found.items()}
    return found


def _limited(review: Review, most_minor: int) -> Review:
    """Too many minor deviations are a major one, if the tender documents say so."""
    if len(review.minor) <= most_minor:
        return review
    said = f"细微偏差 {len(review.minor)} 项，超过 {most_minor} 项 / too many minor deviations"
    failed = (*review.failed, (review.minor[0][0], said))
    return msgspec.structs.replace(review, failed=failed)


def _by_place(sheets: Sheets) -> _Places:
    found: _Places = {}
    for marks in sheets.values():
        for mark in marks:
            found.setdefault((mark.bid, mark.item), []).append(mark)
    return found


class _Found(msgspec.Struct):
    """A review in the making."""

    failed: list[tuple[str, str]] = []
    flags: set[str] = set()
    scores: dict[str, Decimal] = {}
    adjustments: dict[str, Money] = {}
    minor: list[tuple[str, str]] = []


def _review(by_place: _Places, items: Sequence[Item], bid: str) -> Review:
    found = _Found()
    for item in items:
        marks = by_place.get((bid, item.code), [])
        if item.objective and len({_meant(item, mark) for mark in marks}) > 1:
            problem = f"客观项 {item.title}：评委结果不一致，须复核 / members differ on a fact"
            raise SheetRefusal(stage=item.stage, problem=problem)
        _WEIGHED[item.kind](found, item, marks)
    return Review(
        tuple(found.failed),
        frozenset(found.flags),
        found.scores,
        found.adjustments,
        tuple(found.minor),
    )


def _passed(found: _Found, item: Item, marks: Sequence[Mark]) -> None:
    if _majority(marks, "yes"):
        found.flags.add(item.code)
    elif item.kind is Kind.PASS:
        found.failed.append((item.code, _reasons(marks)))


def _deviates(found: _Found, item: Item, marks: Sequence[Mark]) -> None:
    if _majority(marks, Deviation.MAJOR):
        found.failed.append((item.code, _reasons(marks)))
    elif not _majority(marks, Deviation.NONE):
        found.minor.append((item.code, _reasons(marks)))


def _scored(found: _Found, item: Item, marks: Sequence[Mark]) -> None:
    mean = _sum(mark.value for mark in marks) / len(marks)
    found.scores[item.code] = Decimal(two_places(mean))


def _adjusted(found: _Found, item: Item, marks: Sequence[Mark]) -> None:
    amount = _agreed(item, marks)
    if amount.fen:
        found.adjustments[item.code] = amount


_WEIGHED: dict[Kind, Callable[[_Found, Item, Sequence[Mark]], None]] = {
    Kind.PASS: _passed,
    Kind.FLAG: _passed,
    Kind.DEVIATION: _deviates,
    Kind.SCORE: _scored,
    Kind.AMOUNT: _adjusted,
}


def _meant(item: Item, mark: Mark) -> object:
    """10 and 10.0 are one answer."""
    return Decimal(mark.value) if item.kind in (Kind.SCORE, Kind.AMOUNT) else mark.value


def _majority(marks: Sequence[Mark], value: str) -> bool:
    """少数服从多数."""
    return sum(mark.value == value for mark in marks) * 2 > len(marks)


def _agreed(item: Item, marks: Sequence[Mark]) -> Money:
    amount, times = Counter(Money.yuan(mark.value) for mark in marks).most_common(1)[0]
    if times * 2 <= len(marks):
        problem = f"{item.title}：没有过半一致的金额 / no amount has a majority"
        raise SheetRefusal(stage=item.stage, problem=problem)
    return amount


def _reasons(marks: Sequence[Mark]) -> str:
    said = dict.fromkeys(mark.reason.strip() for mark in marks if mark.value not in _FINE)
    return "；".join(said)


def far_scores(sheets: Sheets, items: Sequence[Item], bids: Sequence[str]) -> list[Far]:
    """Leave-one-out residuals: each score against the mean of the other members' scores; and each
    member's total for a bid against the others' totals, less what it gives to everybody alike.
    """
    scored = [item for item in items if item.kind is Kind.SCORE and not item.objective]
    if len(sheets) < 2 or not scored:
        return []
    codes = {item.code for item in scored}
    given = {
        member: {(m.bid, m.item): Fraction(Decimal(m.value)) for m in marks if m.item in codes}
        for member, marks in sheets.items()
    }
    found = []
    for item in scored:
        for bid in bids:
            points = {
                member: own.get((bid, item.code), Fraction(0)) for member, own in given.items()
            }
            found += [
                Far(member, bid, item.code, two_places(value))
                for member, value in _residuals(points).items()
                if abs(value) > _FAR * _span(item)
            ]
    return found + _partial(given, scored, bids)


def _sum(values: Iterable[str]) -> Fraction:
    return sum((Fraction(Decimal(value)) for value in values), Fraction(0))


def _span(item: Item) -> Fraction:
    return Fraction(Decimal(item.high)) - Fraction(Decimal(item.low))


def _partial(given: _Given, scored: Sequence[Item], bids: Sequence[str]) -> list[Far]:
    if len(bids) < _FEWEST:
        return []
    span = sum((_span(item) for item in scored), Fraction(0))
    totals = {bid: _residuals(_totals(given, scored, bid)) for bid in bids}
    found = []
    for member in given:
        severity = sum((totals[bid][member] for bid in bids), Fraction(0)) / len(bids)
        for bid in bids:
            off = totals[bid][member] - severity
            if abs(off) > _PARTIAL * span:
                found.append(Far(member, bid, _TOTAL, two_places(off)))
    return found


def _totals(given: _Given, scored: Sequence[Item], bid: str) -> dict[str, Fraction]:
    return {
        member: sum((own.get((bid, item.code), Fraction(0)) for item in scored), Fraction(0))
        for member, own in given.items()
    }


def _residuals(points: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Each member's points less the mean of the others'."""
    total, others = sum(points.values(), Fraction(0)), len(points) - 1
    return {member: value - (total - value) / others for member, value in points.items()}
