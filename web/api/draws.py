"""抽取窗口: a draw announced, contributed to, decided; its transcript for anyone."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, PathParameter

from evaluation.composition import Composition
from evaluation.expert import Wanted
from trading.draw import Draw, stream_of_draw
from trading.facts.draw import (
    EXPERTS,
    DrawAnnounced,
    DrawCommitted,
    DrawRevealed,
    StandInCalled,
)
from trading.kernel.errors import DrawRefusal, StreamUnknown
from trading.transcript import write_transcript
from web.access import allow
from web.api.bodies import Body, Calls, Digest, Here, Name, SignedBody, Text
from web.auth import actor, authenticate

__all__ = ["DrawController", "TranscriptController"]

Purpose = Annotated[str, PathParameter(pattern="^[a-z0-9_-]{1,60}$")]
Number = Annotated[int, PathParameter(ge=1, le=99)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=200)]
Seats = Annotated[int, msgspec.Meta(ge=0, le=99)]


class Group(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    speciality: Name
    count: Annotated[int, msgspec.Meta(ge=1, le=99)]


class AnnouncePanel(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options come from the bank: asked for a signature, the centre shows codes and counts. It
    knows itself who has a part in the tender; another request has other codes.
    """

    draw: Annotated[str, msgspec.Meta(max_length=120)]
    region: Name
    groups: Annotated[tuple[Group, ...], msgspec.Meta(min_length=1, max_length=50)]
    contributors: Names
    owners: Seats = 0
    away: Seats = 0
    away_only: bool = False


class Announce(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of coefficients, or of lots 抽签; the whole fact, as it will stand in the ledger."""

    fact: DrawAnnounced


class Contribute(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    fact: DrawCommitted | DrawRevealed


class Void(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    ground: Text


class CallStandIn(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`gone`: the code of the expert who does not come."""

    gone: Digest
    reason: Annotated[str, msgspec.Meta(max_length=60)]


class DrawView(msgspec.Struct, frozen=True):
    """`absent`: who has not done yet what the phase asks for; `present`: codes by group."""

    draw: str
    phase: str
    at: datetime | None
    absent: list[str]
    present: dict[str, list[str]]
    stand_ins: list[StandInCalled]


class DrawController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("抽取 draws",)
    guards = (authenticate, allow)

    @post("/draws", name="announce_draw", sync_to_thread=True)
    def announce(
        self, tender: FromPath[UUID], data: JSONBody[Announce], ports: Here, request: Calls
    ) -> DrawView:
        """公告 a draw of anything but experts."""
        if data.fact.purpose == EXPERTS or data.fact.tender != str(tender):
            raise DrawRefusal(problem="专家由专家库抽取；项目须相符 / experts, or another tender")
        return _view(ports.desks.draws.announce(actor(request, data), data.fact))

    @post("/panel-draws", name="announce_panel_draw", sync_to_thread=True)
    def announce_panel(
        self, tender: FromPath[UUID], data: JSONBody[AnnouncePanel], ports: Here, request: Calls
    ) -> DrawView:
        """公告 a draw of the experts of a panel, out of the bank."""
        experts = tuple((group.speciality, group.count) for group in data.groups)
        wanted = Wanted(
            draw=data.draw,
            region=data.region,
            parties=frozenset(),
            specialities=tuple(speciality for speciality, _ in experts),
            at=ports.office.clock.read().at,
            away_only=data.away_only,
        )
        composition = Composition(experts, data.owners, data.away)
        if not data.draw.startswith(f"{tender}:"):
            raise DrawRefusal(problem=f"{data.draw}：另一项目 / another tender")
        owner = actor(request, data)
        return _view(ports.desks.bank.announce(owner, wanted, composition, data.contributors))

    @post("/draws/{purpose:str}/{number:int}/contributions", name="contribute", sync_to_thread=True)
    def contribute(
        self,
        tender: FromPath[UUID],
        purpose: Purpose,
        number: Number,
        data: JSONBody[Contribute],
        ports: Here,
        request: Calls,
    ) -> DrawView:
        """承诺, and later 揭示: a party's part of the chance."""
        party, draw = actor(request, data), _id(tender, purpose, number)
        if isinstance(data.fact, DrawCommitted):
            return _view(ports.desks.draws.commit(party, draw, data.fact.commitment))
        return _view(ports.desks.draws.reveal(party, draw, data.fact.secret))

    @post(
        "/draws/{purpose:str}/{number:int}/progress",
        name="progress_draw",
        status_code=200,
        sync_to_thread=True,
    )
    def progress(
        self, tender: FromPath[UUID], purpose: Purpose, number: Number, ports: Here
    ) -> DrawView:
        """推进: trustees are asked, the head is taken, the seed decides; as far as it goes."""
        draw = _id(tender, purpose, number)
        return _view(ports.desks.draws.go_on(draw, ports.trustees))

    @post("/draws/{purpose:str}/{number:int}/voiding", name="void_draw", sync_to_thread=True)
    def void(
        self,
        tender: FromPath[UUID],
        purpose: Purpose,
        number: Number,
        data: JSONBody[Void],
        ports: Here,
        request: Calls,
    ) -> DrawView:
        """作废, with the names of those who did not reveal."""
        draw = _id(tender, purpose, number)
        return _view(ports.desks.draws.void(actor(request, data), draw, data.ground))

    @post("/draws/{purpose:str}/{number:int}/stand-ins", name="call_stand_in", sync_to_thread=True)
    def call_stand_in(
        self,
        tender: FromPath[UUID],
        purpose: Purpose,
        number: Number,
        data: JSONBody[CallStandIn],
        ports: Here,
        request: Calls,
    ) -> DrawView:
        """补抽: the next in the order that the seed gave."""
        inspector, draw = actor(request, data), _id(tender, purpose, number)
        return _view(ports.desks.draws.call_stand_in(inspector, draw, data.gone, data.reason))

    @post(
        "/draws/{purpose:str}/{number:int}/names",
        name="unseal_names",
        status_code=200,
        sync_to_thread=True,
    )
    def unseal(
        self, tender: FromPath[UUID], purpose: Purpose, number: Number, ports: Here
    ) -> DrawView:
        """名单公开, once the result of the tender is determined."""
        return _view(ports.desks.bank.unseal(_id(tender, purpose, number)))


class TranscriptController(Controller):
    path = "/v1/tenders/{tender:uuid}/draws/{purpose:str}/{number:int}"
    tags = ("抽取 draws",)

    @get("/", name="draw", sync_to_thread=True)
    def draw(
        self, tender: FromPath[UUID], purpose: Purpose, number: Number, ports: Here
    ) -> DrawView:
        return _view(ports.desks.draws.load(_id(tender, purpose, number)))

    @get("/transcript", name="transcript", sync_to_thread=True)
    def transcript(
        self, tender: FromPath[UUID], purpose: Purpose, number: Number, ports: Here
    ) -> Response[bytes]:
        """抽取记录, for `kaifeng draw verify` and anybody's own program."""
        written = write_transcript(ports.desks.draws.load(_id(tender, purpose, number)))
        return Response(written, media_type="application/json")


def _id(tender: UUID, purpose: str, number: int) -> str:
    return f"{tender}:{purpose}:{number}"


def _view(state: Draw) -> DrawView:
    """StreamUnknown if there is no such draw."""
    if state.announced is None:
        raise StreamUnknown(stream=stream_of_draw(state.id))
    absent = [] if state.decided else state.absent
    return DrawView(
        state.id, state.phase.value, state.announced_at, absent, state.present, state.stand_ins
    )
