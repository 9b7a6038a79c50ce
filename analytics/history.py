"""开标历史 what has been opened here, who won it, and what was said of it: kept by reading along.

Everything in it comes from the ledger; it is made anew when the node starts.
"""

import threading
from collections.abc import Sequence

import msgspec

from analytics.ledger_market import market_of
from analytics.market import Market
from analytics.opening import Opening, openings_of
from analytics.place import Beside, Key, Place
from trading.desks.office import Office
from trading.facts.award import AwardDecided
from trading.facts.opening import OpeningRecorded
from trading.facts.warning import Verdict, WarningJudged, WarningRecorded
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.tender import fold, stream_of

__all__ = ["History", "Kept"]

_LABELS = {Verdict.CONFIRMED: "1", Verdict.CLEARED: "0"}


class Kept(msgspec.Struct, frozen=True):
    """One lot's opening, and what came of it; `index` of its warning in the ledger."""

    opening: Opening
    warning: WarningRecorded | None = None
    index: int = -1
    verdict: Verdict | None = None


class History:
    """A follower. One thread hands pages in, others may read."""

    def __init__(self, office: Office) -> None:
        self.name = "warnings"
        self._office, self._lock = office, threading.Lock()
        self._kept: dict[Key, Kept] = {}
        self._place, self._read = Place(), 0
        self._winners: set[str] = set()

    def handle(self, page: Sequence[tuple[Fact, Stamp]]) -> None:
        for fact, stamp in page:
            _, _, tender = stamp.stream.partition(":")
            match fact:
                case OpeningRecorded():
                    self._open(tender, stamp)
                case AwardDecided():
                    with self._lock:
                        self._winners |= {awarded.eid for awarded in fact.awards}
                case WarningRecorded():
                    self._replace((tender, fact.lot), warning=fact, index=stamp.index)
                case WarningJudged():
                    self._judge((tender, fact.lot), fact.verdict, stamp)
                case _:
                    pass
            self._read = stamp.index + 1

    def _open(self, tender: str, stamp: Stamp) -> None:
        """As it was then: the tender may have gone on since."""
        facts = self._office.ledger.stream(stream_of(tender))
        past = [(fact, own) for fact, own in facts if own.height <= stamp.height]
        found = openings_of(fold(tender, past))
        with self._lock:
            self._place.open(stamp.index, found)
            for opening in found:
                self._kept.setdefault((tender, opening.lot), Kept(opening))

    def _judge(self, key: Key, verdict: Verdict, stamp: Stamp) -> None:
        with self._lock:
            self._place.judge(stamp.index, key, verdict, stamp.at)
        self._replace(key, verdict=verdict)

    def _replace(self, key: Key, **changes: object) -> None:
        with self._lock:
            if key in self._kept:
                self._kept[key] = msgspec.structs.replace(self._kept[key], **changes)

    def due(self) -> list[str]:
        """Tenders with a lot that nobody has looked at."""
        return list(dict.fromkeys(one.opening.tender for one in self.all() if not one.warning))

    def all(self) -> list[Kept]:
        """In the order of the ledger."""
        with self._lock:
            return list(self._kept.values())

    def beside(self, opening: Opening) -> Beside:
        """What is known of the place so far."""
        with self._lock:
            return self._place.beside(opening, self._read)

    @property
    def version(self) -> tuple[int, int]:
        """Another one whenever `market` would give another."""
        with self._lock:
            return len(self._kept), len(self._winners)

    def market(self) -> Market | None:
        """All openings as one market of this place; None before the first."""
        kept = self.all()
        with self._lock:
            winners = sorted(self._winners)
        return market_of([one.opening for one in kept], winners) if kept else None

    def labels(self) -> list[dict[str, str]]:
        """What people decided, as rows that `analytics train` reads."""
        with self._lock:
            winners = set(self._winners)
        return [
            {
                "auction_id": one.opening.name,
                "bidder_id": bid.bidder,
                "bid": _yuan(bid.price),
                "winner": str(int(bid.eid in winners)),
                "control_price": _yuan(one.opening.ceiling),
                "label_auction": _LABELS[one.verdict],
            }
            for one in self.all()
            if one.verdict in _LABELS
            for bid in one.opening.bids
        ]


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02d}"
