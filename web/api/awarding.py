"""定标委员会窗口: ballots and signatures of an award committee, apart from the panel (评定分离)."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.params import FromPath, JSONBody

from trading.awarding import Awarding
from trading.facts.awarding import (
    AwarderReplaced,
    AwardPresumed,
    AwardSigned,
    BallotOpened,
    BallotSealed,
)
from web.access import allow
from web.api.bodies import Body, Calls, Here, Name, SignedBody
from web.auth import actor, authenticate

__all__ = ["AwardingController"]


class FormAwarders(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    members: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=99)]


class AwardersAct(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole fact, as it will stand in the ledger of `award:` and the tender's id."""

    fact: BallotSealed | BallotOpened | AwardSigned | AwarderReplaced | AwardPresumed


class ConcludeAward(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`draw`: the draw of lots that decides, where one does."""

    draw: Annotated[str, msgspec.Meta(max_length=120)] = ""


class AwardingController(Controller):
    path = "/v1/tenders/{tender:uuid}/award-committee"
    tags = ("评定分离 award committee",)
    guards = (authenticate, allow)

    @post("/", name="form_awarders", sync_to_thread=True)
    def form(
        self, tender: FromPath[UUID], data: JSONBody[FormAwarders], ports: Here, request: Calls
    ) -> dict[str, object]:
        """组建, of nobody who evaluated."""
        owner = actor(request, data)
        return _done(ports.desks.awarding.form(owner, str(tender), data.members))

    @post("/acts", name="awarders_act", sync_to_thread=True)
    def act(
        self, tender: FromPath[UUID], data: JSONBody[AwardersAct], ports: Here, request: Calls
    ) -> dict[str, object]:
        """投票 sealed and opened, 签字; the owner replaces, the supervising body sees silence."""
        party = actor(request, data)
        return _done(ports.desks.awarding.act(party, str(tender), data.fact))

    @post("/conclusion", name="conclude_award", status_code=200, sync_to_thread=True)
    def conclude(
        self, tender: FromPath[UUID], data: JSONBody[ConcludeAward], ports: Here
    ) -> dict[str, object]:
        """定标结果, as the tender's method gives it."""
        return _done(ports.desks.awarding.conclude(str(tender), data.draw))


def _done(state: Awarding) -> dict[str, object]:
    return {"tender": state.tender, "phase": state.phase.value, "round": state.round}
