"""评委席 all subjective scores that concluded panels gave, kept by reading along; experts under the
names that were unsealed after the award, before that under the ones of their panel.
"""

import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from analytics.experts import (
    Clique,
    Closeness,
    Outlier,
    Partiality,
    Score,
    cliques,
    closeness,
    outliers,
    partialities,
    residuals,
)
from evaluation.desks.sittings import sitting_of
from evaluation.sitting import Sitting
from trading.desks.office import Office
from trading.facts.award import AwardDecided
from trading.facts.draw import NamesUnsealed
from trading.facts.panel import PanelConcluded
from trading.facts.rubric import Item, Kind
from trading.kernel.errors import Refusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact

__all__ = ["Behaviour", "Benches", "scores_of"]

_MOST = 200  # of each kind


class Behaviour(msgspec.Struct, frozen=True):
    """`scores`: how many it comes from."""

    scores: int
    partialities: list[Partiality]
    outliers: list[Outlier]
    cliques: list[Clique]
    closeness: list[Closeness]


class Benches:
    """A follower. One thread hands pages in, others may read."""

    def __init__(self, office: Office) -> None:
        self.name = "benches"
        self._office, self._lock = office, threading.Lock()
        self._scores: dict[str, list[Score]] = {}

    def handle(self, page: Sequence[tuple[Fact, Stamp]]) -> None:
        moved: dict[str, None] = {}
        for fact, stamp in page:
            kind, _, name = stamp.stream.partition(":")
            if isinstance(fact, PanelConcluded | AwardDecided):
                moved[name] = None
            elif isinstance(fact, NamesUnsealed) and kind == "draw":
                moved[name.partition(":")[0]] = None
        for tender in moved:
            self._take(tender)

    def _take(self, tender: str) -> None:
        try:
            scores = list(scores_of(sitting_of(self._office, tender)))
        except Refusal:
            return
        with self._lock:
            self._scores[tender] = scores

    def behaviour(self) -> Behaviour:
        with self._lock:
            scores = [score for given in self._scores.values() for score in given]
        found = residuals(scores)
        return Behaviour(
            len(scores),
            partialities(found)[:_MOST],
            outliers(found)[:_MOST],
            cliques(scores)[:_MOST],
            closeness(scores)[:_MOST],
        )


def scores_of(sitting: Sitting) -> Iterator[Score]:
    """Of the concluded stages; objective items have one right answer and say nothing of experts."""
    panel, tender = sitting.panel, sitting.tender
    if panel.formed is None:
        return
    known = {one.code: one.who for draw in sitting.draws.values() for one in draw.names}
    awarded = {one.eid for one in tender.decided.awards} if tender.decided else set()
    for stage in panel.concluded:
        names = sitting.names(stage)
        items = {
            item.code: item
            for item in sitting.items_in(stage)
            if item.kind is Kind.SCORE and not item.objective
        }
        for party, marks in panel.sheets.get(stage, {}).items():
            member = panel.members.get(party)
            expert = known.get(member.code, party) if member else party
            for mark in marks:
                entrant, item = names.get(mark.bid), items.get(mark.item)
                if entrant and item:
                    has_won = entrant.price is not None and entrant.price.eid in awarded
                    yield Score(
                        expert,
                        tender.id,
                        entrant.bidder_id,
                        f"{stage.value}/{item.code}",
                        _share(item, mark.value),
                        has_won,
                    )


def _share(item: Item, value: str) -> float:
    low, high = Decimal(item.low), Decimal(item.high)
    return float((Decimal(value) - low) / (high - low)) if high > low else 0.0
