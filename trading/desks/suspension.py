"""应急窗口 the desk of interruptions: two persons suspend and resume, an outage extends by rule."""

from trading.desks.office import Office
from trading.facts.suspension import PLATFORM_STREAM, OutageRecorded
from trading.kernel.ids import TenderId
from trading.kernel.party import Actor
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
    def __init__(self, office: Office) -> None:
        self._office = office

    def ask_suspension(self, actor: Actor, tender: TenderId, ground: str) -> Tender:
        return self._office.act(
            tender, lambda state, now: [decide_ask_suspension(state, ground, now)], actor
        )

    def suspend(self, actor: Actor, tender: TenderId) -> Tender:
        return self._office.act(tender, lambda state, now: [decide_suspend(state, now)], actor)

    def ask_resumption(self, actor: Actor, tender: TenderId, ground: str) -> Tender:
        return self._office.act(
            tender, lambda state, _: [decide_ask_resumption(state, ground)], actor
        )

    def resume(self, actor: Actor, tender: TenderId) -> Tender:
        return self._office.act(tender, lambda state, _: [decide_resume(state)], actor)

    def record_outage(self, outage: OutageRecorded, tenders: list[TenderId]) -> list[Tender]:
        """The signed outage entry, then each tender that the rule extends. LostRace if another
        node has recorded one meanwhile.
        """
        office = self._office
        height = len(office.ledger.stream(PLATFORM_STREAM))
        draft = office.draft(PLATFORM_STREAM, outage, None)
        entry = office.ledger.append(PLATFORM_STREAM, height, [draft])[0].index
        touched = [name for name in tenders if decide_extend(office.load(name), outage, entry)]
        return [self._extend(name, outage, entry) for name in touched]

    def _extend(self, tender: TenderId, outage: OutageRecorded, entry: int) -> Tender:
        return self._office.act(
            tender, lambda state, _: [f for f in [decide_extend(state, outage, entry)] if f]
        )
