"""异议·投诉窗口: objections and complaints, and what the supervising body decides."""

from uuid import UUID

from litestar import Controller, post
from litestar.params import FromPath, JSONBody

from trading.facts.objection import (
    ComplaintAccepted,
    ComplaintDecided,
    ComplaintDeclined,
    ComplaintFiled,
    ObjectionAnswered,
    ObjectionRaised,
)
from web.access import allow
from web.api.bodies import Calls, Here, SignedBody, answered
from web.auth import actor, authenticate

__all__ = ["ObjectionController"]


class ObjectionAct(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole fact, as it will stand in the ledger of `objections:` and the tender's id."""

    fact: (
        ObjectionRaised
        | ObjectionAnswered
        | ComplaintFiled
        | ComplaintAccepted
        | (ComplaintDeclined)
    )


class Decide(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    fact: ComplaintDecided


class ObjectionController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("异议·投诉 objections",)
    guards = (authenticate, allow)

    @post("/objections", name="objections", sync_to_thread=True)
    def act(
        self, tender: FromPath[UUID], data: JSONBody[ObjectionAct], ports: Here, request: Calls
    ) -> dict[str, object]:
        """异议、答复、投诉、受理, each within its window."""
        ports.desks.objections.act(actor(request, data), str(tender), data.fact)
        return answered(ports.office.load(str(tender)))

    @post("/decisions", name="decide_complaint", sync_to_thread=True)
    def decide(
        self, tender: FromPath[UUID], data: JSONBody[Decide], ports: Here, request: Calls
    ) -> dict[str, object]:
        """处理决定, with its effect on the tender."""
        inspector = actor(request, data)
        return answered(ports.desks.objections.decide(inspector, str(tender), data.fact))
