"""定标委员会窗口 the desk of award committees: takes ballots, concludes by the method."""

from trading.awarding import (
    Awarding,
    Committee,
    check_awarding,
    concluded_award,
    seated_by,
    stream_of_award,
)
from trading.desks.docket import Docket
from trading.desks.office import Office
from trading.draw import Draw, stream_of_draw
from trading.facts.awarding import AwardCommitteeFormed, AwardConcluded
from trading.kernel.party import Actor
from trading.ledger.entry import folded
from trading.ledger.fact import Fact
from trading.tender import stream_of

__all__ = ["AwardingDesk"]


class AwardingDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def load(self, tender: str, draw: str = "") -> Committee:
        return self._committee(tender, self._docket(tender).load(), draw)

    def form(self, owner: Actor, tender: str, members: tuple[str, ...]) -> Awarding:
        return self._docket(tender).act(
            lambda _, __: [AwardCommitteeFormed(members=members)], owner
        )

    def act(self, member: Actor, tender: str, fact: Fact) -> Awarding:
        """A ballot, sealed or opened, or a signature."""
        return self._docket(tender).act(lambda _, __: [fact], member)

    def conclude(self, tender: str, draw: str = "") -> Awarding:
        return self._docket(tender, draw).act(
            lambda state, _: [concluded_award(self._committee(tender, state, draw), draw)]
        )

    def _docket(self, tender: str, draw: str = "") -> Docket[Awarding]:
        def check(state: Awarding, fact: Fact, party: str, _: object) -> None:
            used = fact.draw if isinstance(fact, AwardConcluded) else ""
            check_awarding(self._committee(tender, state, used), fact, party)

        streams = (stream_of(tender), f"panel:{tender}", *([stream_of_draw(draw)] if draw else []))
        return Docket(
            self._office,
            stream_of_award(tender),
            lambda: Awarding(tender),
            check,
            lambda _: streams,
        )

    def _committee(self, tender: str, state: Awarding, draw: str) -> Committee:
        return Committee(state, self._office.load(tender), self._panel(tender), self._draw(draw))

    def _panel(self, tender: str) -> frozenset[str]:
        """Everybody who ever sat on the panel."""
        facts = (fact for fact, _ in self._office.ledger.stream(f"panel:{tender}"))
        return frozenset[str]().union(*map(seated_by, facts))

    def _draw(self, name: str) -> Draw | None:
        return (
            folded(self._office.ledger.stream(stream_of_draw(name)), Draw(name)) if name else None
        )
