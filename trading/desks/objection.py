"""异议·投诉窗口 the desk of objections and complaints, and of what decisions bring about."""

from trading.desks.docket import Docket
from trading.desks.office import Office
from trading.facts.award import EvaluationReopened
from trading.facts.objection import ComplaintDecided, Effect
from trading.kernel.errors import ObjectionRefusal
from trading.kernel.party import Actor
from trading.ledger.entry import folded
from trading.ledger.fact import Fact
from trading.objection import (
    Objections,
    check_objection,
    ordered,
    ordered_failure,
    stream_of_objections,
)
from trading.tender import Tender, stream_of

__all__ = ["ObjectionDesk", "objections_of"]


def objections_of(office: Office, tender: str) -> Objections:
    return folded(office.ledger.stream(stream_of_objections(tender)), Objections())


class ObjectionDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def load(self, tender: str) -> Objections:
        return objections_of(self._office, tender)

    def act(self, party: Actor, tender: str, fact: Fact) -> Objections:
        """An objection, an answer, a complaint, or what the supervising body does with one."""
        office = self._office
        docket = Docket(
            office,
            stream_of_objections(tender),
            Objections,
            lambda kept, wanted, actor, now: check_objection(
                kept, office.load(tender), wanted, actor, now, office.calendar
            ),
            lambda _: (stream_of(tender),),
        )
        return docket.act(lambda _, __: [fact], party)

    def decide(self, inspector: Actor, tender: str, decided: ComplaintDecided) -> Tender:
        """The decision and its effect on the tender."""
        self.act(inspector, tender, decided)
        return self.enforce(tender, decided.complaint)

    def enforce(self, tender: str, complaint: str) -> Tender:
        """Once; what was interrupted between decision and effect goes on here."""
        objections = self.load(tender)
        effect = ordered(objections, complaint)
        state = self._office.load(tender)
        if effect is Effect.DISMISSED or complaint in state.reopened or state.ending:
            return state
        if effect is Effect.RE_EVALUATE:
            fact: Fact = EvaluationReopened(complaint=complaint)
        else:
            failure = ordered_failure(objections)
            if failure is None:
                raise ObjectionRefusal(problem=f"{complaint} 没有处理决定 / is not decided")
            fact = failure
        return self._office.act(
            tender, lambda _, __: [fact], beside=(stream_of_objections(tender),)
        )
