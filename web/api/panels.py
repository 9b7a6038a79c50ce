"""评委窗口: a panel formed, its members at work wherever they sit, and what follows from it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromPath, JSONBody, RawBody

from evaluation.panel import Panel
from trading.facts.panel import (
    ChairVoted,
    ClarificationAnswered,
    ClarificationAsked,
    DissentWritten,
    Member,
    MemberReplaced,
    MemberSignedIn,
    PanelFormed,
    ReportSigned,
    ScoreExplained,
    SheetOpened,
    SheetSealed,
    StageReopened,
    TimeAsked,
    UndertakingGiven,
)
from trading.facts.rubric import ReviewStage
from trading.kernel.errors import NotAMember, SheetRefusal
from web.access import allow
from web.api.bodies import Body, Calls, Digest, Here, Hex, Name, SignedBody, Text
from web.auth import actor, authenticate
from web.panel_view import PanelView, panel_view
from web.ports import Desks

__all__ = ["ClarificationController", "DraftController", "PanelController"]

_BYTES = "application/octet-stream"
_MEMBERS_ACTS = (
    MemberSignedIn
    | UndertakingGiven
    | ChairVoted
    | SheetSealed
    | SheetOpened
    | ScoreExplained
    | StageReopened
    | TimeAsked
    | ClarificationAsked
    | DissentWritten
    | ReportSigned
)


class Form(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    draw: Name
    members: Annotated[tuple[Member, ...], msgspec.Meta(min_length=1, max_length=99)]
    blind: bool = False
    minutes: Annotated[int, msgspec.Meta(ge=0, le=10_080)] = 0


class MembersAct(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole fact, as it will stand in the ledger of `panel:` and the tender's id."""

    fact: _MEMBERS_ACTS


class Seat(Body, frozen=True, forbid_unknown_fields=True, tag="seat"):
    """组长已推选, all are here: the review begins."""

    def take(self, desks: Desks, tender: str) -> Panel:
        return desks.panels.seat(tender)


class Replace(Body, frozen=True, forbid_unknown_fields=True, tag="replace"):
    gone: Name
    member: Member
    ground: Text

    def take(self, desks: Desks, tender: str) -> Panel:
        replaced = MemberReplaced(gone=self.gone, member=self.member, ground=self.ground)
        return desks.panels.replace(tender, replaced)


class Extend(Body, frozen=True, forbid_unknown_fields=True, tag="extend"):
    minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)]

    def take(self, desks: Desks, tender: str) -> Panel:
        return desks.panels.extend(tender, self.minutes)


class Blind(Body, frozen=True, forbid_unknown_fields=True, tag="blind"):
    """暗标编号, anew for each review."""

    def take(self, desks: Desks, tender: str) -> Panel:
        return desks.panels.blind(tender, desks.blinds.make())


class Unblind(Body, frozen=True, forbid_unknown_fields=True, tag="unblind"):
    """揭盲, once every sheet is open."""

    def take(self, desks: Desks, tender: str) -> Panel:
        blinded = desks.panels.load(tender).panel.blinded
        return desks.panels.unblind(tender, desks.blinds.of(blinded.digest if blinded else ""))


class ConcludeStage(Body, frozen=True, forbid_unknown_fields=True, tag="conclude-stage"):
    stage: ReviewStage

    def take(self, desks: Desks, tender: str) -> Panel:
        return desks.panels.conclude_stage(tender, self.stage)


class Report(Body, frozen=True, forbid_unknown_fields=True, tag="report"):
    """`draws`: of the coefficients that the method uses."""

    draws: Annotated[tuple[Name, ...], msgspec.Meta(max_length=50)] = ()

    def take(self, desks: Desks, tender: str) -> Panel:
        return desks.panels.report(tender, self.draws)


class Presume(Body, frozen=True, forbid_unknown_fields=True, tag="presume-consent"):
    member: Name

    def take(self, desks: Desks, tender: str) -> Panel:
        return desks.panels.presume_consent(tender, self.member)


class Conclude(Body, frozen=True, forbid_unknown_fields=True, tag="conclude"):
    """Everybody has signed, dissented, or is presumed to consent."""

    def take(self, desks: Desks, tender: str) -> Panel:
        return desks.panels.conclude(tender)


class Step(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The host says when; what it comes to follows from what the members did."""

    step: Seat | Replace | Extend | Blind | Unblind | ConcludeStage | Report | Presume | Conclude


class Answer(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    question: Annotated[str, msgspec.Meta(max_length=64)]
    text: Text
    signature: Hex


class Questions(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`key`: the pseudonym that sealed the bid; `signature`: its own, hex, over the two lines
    `kaifeng questions v1` and the tender's id, each with its line feed.
    """

    key: Digest
    signature: Hex


class Question(msgspec.Struct, frozen=True):
    question: str
    text: str
    until: datetime
    is_answered: bool


class PanelController(Controller):
    path = "/v1/tenders/{tender:uuid}/panel"
    tags = ("评标 panel",)
    guards = (authenticate, allow)

    @get("/", name="panel", sync_to_thread=True)
    def view(self, tender: FromPath[UUID], ports: Here, request: Calls) -> PanelView:
        """Members see their own panel alone; host and supervisors any."""
        sitting = ports.desks.panels.load(str(tender))
        caller = request.scope["user"]
        if not caller.roles & {"platform", "inspector"}:
            _check_member(sitting.panel, caller.party)
        return panel_view(sitting, caller.party)

    @post("/", name="form_panel", sync_to_thread=True)
    def form(self, tender: FromPath[UUID], data: JSONBody[Form], ports: Here) -> dict[str, object]:
        """组建: all experts that were drawn, under names that tell nothing."""
        formed = PanelFormed(
            tender=str(tender),
            draw=data.draw,
            members=data.members,
            blind=data.blind,
            minutes=data.minutes,
            pace=ports.office.load(str(tender)).drafted.pace,
        )
        return _done(ports.desks.panels.form(formed))

    @post("/acts", name="panel_act", sync_to_thread=True)
    def act(
        self, tender: FromPath[UUID], data: JSONBody[MembersAct], ports: Here, request: Calls
    ) -> dict[str, object]:
        """A member's own act, signed: from signing in to signing the report."""
        member = actor(request, data)
        return _done(ports.desks.panels.act(member, str(tender), data.fact))

    @post("/steps", name="panel_step", status_code=200, sync_to_thread=True)
    def step(self, tender: FromPath[UUID], data: JSONBody[Step], ports: Here) -> dict[str, object]:
        """主持: each step only once the members' acts allow it."""
        return _done(data.step.take(ports.desks, str(tender)))


class DraftController(Controller):
    path = "/v1/tenders/{tender:uuid}/panel/drafts/{stage:str}"
    tags = ("评标 panel",)
    guards = (authenticate, allow)

    @put("/", name="save_draft", status_code=204, sync_to_thread=True)
    def save(
        self,
        tender: FromPath[UUID],
        stage: FromPath[str],
        body: RawBody,
        ports: Here,
        request: Calls,
    ) -> None:
        """暂存: bytes that the member's own program has encrypted."""
        party = request.scope["user"].party
        _check_member(ports.desks.panels.load(str(tender)).panel, party)
        ports.desks.drafts.save(str(tender), _stage(stage), party, body)

    @get("/", name="load_draft", media_type=_BYTES, sync_to_thread=True)
    def load(
        self, tender: FromPath[UUID], stage: FromPath[str], ports: Here, request: Calls
    ) -> Response[bytes]:
        """Empty if there is none."""
        draft = ports.desks.drafts.load(str(tender), _stage(stage), request.scope["user"].party)
        return Response(draft, media_type=_BYTES)


class ClarificationController(Controller):
    """Nobody signs a request here: the bid's own key says whose bid it is, and no more."""

    path = "/v1/tenders/{tender:uuid}/panel"
    tags = ("澄清 clarification",)

    @post("/questions", name="questions", status_code=200, sync_to_thread=True)
    def questions(
        self, tender: FromPath[UUID], data: JSONBody[Questions], ports: Here
    ) -> list[Question]:
        """What the panel asks this bid."""
        key, signature = bytes.fromhex(data.key), bytes.fromhex(data.signature)
        asked = ports.desks.panels.questions(str(tender), key, signature)
        return [
            Question(item.fact.question, item.fact.text, until, item.answer is not None)
            for item, until in asked
        ]

    @post("/answers", name="answer_panel", sync_to_thread=True)
    def answer(
        self, tender: FromPath[UUID], data: JSONBody[Answer], ports: Here
    ) -> dict[str, object]:
        """In writing, signed by the bid's own key, in time; prices and periods may not move."""
        fact = ClarificationAnswered(
            question=data.question, text=data.text, signature=data.signature
        )
        return _done(ports.desks.panels.answer(str(tender), fact))


def _check_member(panel: Panel, party: str) -> None:
    if party not in panel.members:
        raise NotAMember(party=party)


def _stage(name: str) -> ReviewStage:
    try:
        return ReviewStage(name)
    except ValueError as error:
        raise SheetRefusal(stage=name, problem="没有这个阶段 / no such stage") from error


def _done(panel: Panel) -> dict[str, object]:
    return {"tender": panel.tender, "phase": panel.phase.value}
