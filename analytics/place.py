"""本地背景 what an opening is scored beside: the openings of this ledger before it, and those of
them that people had cleared, as far as the ledger had been read.

Whether there is a signal, and where red begins, cannot be told from one opening. Both are told from
the ledger up to a size that the warning names, so that anyone makes the score again from an export.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from analytics.features import matrix
from analytics.ledger_market import market_of
from analytics.model import Model
from analytics.opening import Opening
from analytics.warning import Warned, warn
from trading.facts.warning import Verdict

__all__ = ["ALONE", "Beside", "Key", "Place", "Scored", "score"]

RECENT = 200  # openings: what a place looks like now
_FRESH = timedelta(minutes=10)

Key = tuple[str, int]  # tender and lot


class Beside(msgspec.Struct, frozen=True):
    """`recent` in the order of the ledger; `read`: the size of what had been read of it."""

    recent: tuple[Opening, ...] = ()
    cleared: tuple[Opening, ...] = ()
    read: int = 0


ALONE = Beside()


class Scored(msgspec.Struct, frozen=True):
    """`features` as decimal text, in the order of the model's card."""

    said: Warned
    features: tuple[str, ...]


def score(model: Model, opening: Opening, beside: Beside) -> Scored:
    """The same model, opening and place, the same score."""
    market = market_of([*beside.recent, opening])
    cleared = market_of(beside.cleared) if beside.cleared else None
    features = tuple(f"{value:.9g}" for value in matrix(market)[-1].tolist())
    return Scored(warn(model, market, cleared)[-1], features)


class Place:
    """Openings of a ledger and what people decided about them, each with the index of its fact."""

    def __init__(self) -> None:
        self._openings: dict[Key, tuple[int, Opening]] = {}
        self._verdicts: list[tuple[int, Key, Verdict]] = []
        self._moments: list[tuple[int, datetime]] = []

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
        unread = [moment for place, moment in self._moments if place >= read]
        return read > index and all(at - moment <= _FRESH for moment in unread)

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
        return Beside(tuple(other for _, other in known[-RECENT:]), cleared, read)
