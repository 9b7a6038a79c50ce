"""应急窗口 the desk of interruptions: two persons suspend and resume, an outage extends by rule."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from trading.desks.office import Office
from trading.facts.suspension import PLATFORM_STREAM, OutageRecorded
from trading.kernel.errors import LostRace
from trading.kernel.ids import TenderId
from trading.kernel.instant import Reading
from trading.kernel.party import Actor
from trading.ledger.fact import Fact
from trading.suspension import (
    decide_ask_resumption,
    decide_ask_suspension,
    decide_extend,
    decide_resume,
    decide_suspend,
)
from trading.tender import Tender

__all__ = ["SuspensionDesk"]


class SuspensionDesk:
    """`least` is the silence that counts as an outage."""

    def __init__(self, office: Office, least: timedelta = timedelta(seconds=30)) -> None:
        self._office, self._least = office, least

    def ask_suspension(self, actor: Actor, tender: TenderId, ground: str) -> Tender:
        return self._office.act(
            tender,
            lambda state, now: [decide_ask_suspension(state, ground, now)],
            actor,
            in_time=True,
        )

    def suspend(self, actor: Actor, tender: TenderId) -> Tender:
        return self._office.act(
            tender, lambda state, now: [decide_suspend(state, now)], actor, in_time=True
        )

    def ask_resumption(self, actor: Actor, tender: TenderId, ground: str) -> Tender:
        return self._office.act(
            tender, lambda state, _: [decide_ask_resumption(state, ground)], actor
        )

    def resume(self, actor: Actor, tender: TenderId) -> Tender:
        return self._office.act(tender, lambda state, _: [decide_resume(state)], actor)

    def record_silence(self) -> OutageRecorded | None:
        """停机: the signed outage entry, if no node was at work for a while; once, by the node that
        is back first, before anything is decided by the time that has passed.
        """
        ledger = self._office.ledger
        while True:
            facts = [fact for fact, _ in ledger.stream(PLATFORM_STREAM)]
            ends = [fact.end for fact in facts if isinstance(fact, OutageRecorded)]
            silence = ledger.silence(self._least, max(ends, default=None))
            if silence is None:
                return None
            outage = OutageRecorded(start=silence.start, end=silence.end)
            with suppress(LostRace):
                self.record_outage(outage, len(facts))
                return outage

    def record_outage(self, outage: OutageRecorded, height: int) -> None:
        """LostRace if another node has recorded one since the platform's stream was so high."""
        office = self._office
        office.ledger.append(PLATFORM_STREAM, height, [office.draft(PLATFORM_STREAM, outage, None)])

    def extend(self, tender: TenderId) -> Tender:
        """顺延 by every outage on record that the tender's rule counts, however late it is seen."""
        outages = self.outages()

        def decide(state: Tender, _: Reading) -> Sequence[Fact]:
            due = (decide_extend(state, outage, entry) for outage, entry in outages)
            return [fact for fact in due if fact][:1]

        return self._office.act(tender, decide)

    def outages(self) -> list[tuple[OutageRecorded, int]]:
        """Each with the index of its entry."""
        facts = self._office.ledger.stream(PLATFORM_STREAM)
        return [(fact, stamp.index) for fact, stamp in facts if isinstance(fact, OutageRecorded)]
