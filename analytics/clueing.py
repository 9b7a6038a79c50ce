"""清标线索 the whole catalogue over cases, one JSON object a line, and what it adds up to."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from analytics.clue import Case, Clue, Hit
from analytics.clues import CLUES
from trading.kernel.errors import InputUnusable

__all__ = ["Said", "clues_of", "points_of", "read_cases"]


class Said(msgspec.Struct, frozen=True):
    """One hit, with the indicator's name and article."""

    code: str
    zh: str
    en: str
    group: str
    points: int
    article: str
    lot: str
    who: tuple[str, ...]
    value: str


def clues_of(cases: Sequence[Case]) -> list[Said]:
    """Of all lots, the heaviest first."""
    found = [_said(clue, hit) for clue in CLUES for hit in clue.look(cases)]
    return sorted(found, key=lambda one: (one.lot, -one.points, one.code, one.who))


def _said(clue: Clue, hit: Hit) -> Said:
    return Said(
        clue.code,
        clue.zh,
        clue.en,
        clue.group.value,
        clue.group.points,
        clue.article,
        hit.lot,
        hit.who,
        hit.value,
    )


def points_of(said: Iterable[Said]) -> dict[str, int]:
    """By lot, each indicator once: the highest first."""
    counted = {(one.lot, one.code): one.points for one in said}
    totals: dict[str, int] = {}
    for (lot, _), points in counted.items():
        totals[lot] = totals.get(lot, 0) + points
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def read_cases(path: Path) -> list[Case]:
    """InputUnusable with the line for what is no case, and where there is none."""
    found = []
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    found.append(_read(path, number, raw))
    except OSError as error:
        raise InputUnusable(path=path, problem=error) from error
    if not found:
        raise InputUnusable(path=path, problem="没有标段 / no case")
    return found


def _read(path: Path, number: int, raw: bytes) -> Case:
    try:
        return msgspec.json.decode(raw, type=Case)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        problem = f"第 {number} 行 / line {number}: {error}"
        raise InputUnusable(path=path, problem=problem) from error
