"""本地背景 what an opening is scored beside: the openings of this ledger before it, and those of
them that people had cleared, as far as the ledger had been read.

Whether there is a signal, and where red begins, cannot be told from one opening. Both are told from
the ledger up to a size that the warning names, so that anyone makes the score again from an export.
"""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from operator import itemgetter

import msgspec

from analytics.opening import Opening
from trading.facts.warning import Verdict, WarningRecorded

__all__ = ["UNSCORED", "Beside", "Key", "Place", "Scored", "Scorer"]

_RECENT = 200  # openings: what a place looks like now
_FRESH = timedelta(minutes=10)

Key = tuple[str, int]  # tender and lot


class Beside(msgspec.Struct, frozen=True):
    """`recent` in the order of the ledger; `read`: the size of what had been read of it."""

    recent: tuple[Opening, ...] = ()
    cleared: tuple[Opening, ...] = ()
    read: int = 0


class Scored(msgspec.Struct, frozen=True):
    """What a warning says of the prices, as its fact does (WarningRecorded)."""

    band: str
    features: tuple[str, ...] = ()
    score: str = ""
    reasons: tuple[str, ...] = ()
    abstains: bool = True
    cleared: int = 0
    read: int = 0

    @classmethod
    def of(cls, fact: WarningRecorded) -> "Scored":
        return cls(**{name: getattr(fact, name) for name in cls.__struct_fields__})


Scorer = Callable[[Opening, Beside], Scored]
UNSCORED = Scored("unscored")  # without a model documents alone are compared


class Place:
    """Openings of a ledger and what people decided about them, each with the index of its fact."""

    def __init__(self) -> None:
        self._openings: dict[Key, tuple[int, Opening]] = {}
        self._verdicts: list[tuple[int, Key, Verdict]] = []
        self._moments: list[tuple[int, datetime]] = []  # of both, ascending

    def open(self, index: int, openings: Sequence[Opening]) -> None:
        for opening in openings:
            if (opening.tender, opening.lot) not in self._openings:
                self._openings[opening.tender, opening.lot] = index, opening
                self._moments.append((index, opening.at))

    def judge(self, index: int, key: Key, verdict: Verdict, at: datetime) -> None:
        self._verdicts.append((index, key, verdict))
        self._moments.append((index, at))

    def is_fair(self, opening: Opening, read: int, at: datetime) -> bool:
        """Whether who scored at that moment had read up to the opening, and all that had been known
        of the place for ten minutes: nobody chooses what to have read.
        """
        index, _ = self._openings[opening.tender, opening.lot]
        unread = bisect_left(self._moments, read, key=itemgetter(0))
        is_all = unread == len(self._moments)
        return read > index and (is_all or at - self._moments[unread][1] <= _FRESH)

    def unseen(self, recorded: Collection[Key]) -> list[str]:
        """Openings that nobody looked at, by name."""
        return [one.name for key, (_, one) in self._openings.items() if key not in recorded]

    def beside(self, opening: Opening, read: int) -> Beside:
        """What stood beside it in the first `read` entries of the ledger."""
        own = (opening.tender, opening.lot)
        verdicts = {key: verdict for index, key, verdict in self._verdicts if index < read}
        known = [
            (key, other)
            for key, (index, other) in self._openings.items()
            if index < read and key != own
        ]
        cleared = tuple(other for key, other in known if verdicts.get(key) is Verdict.CLEARED)
        return Beside(tuple(other for _, other in known[-_RECENT:]), cleared, read)
