"""主持人窗口·定标窗口·应急窗口: closing, opening, ranking, award, contract, suspension."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.params import FromPath, JSONBody

from trading.facts.award import Awarded
from trading.facts.opening import OpeningRecorded
from trading.kernel.errors import CommitteeRefusal, IllegalTransition, TrusteeRefuses
from trading.kernel.ids import TenderId
from trading.tender import Phase
from web.access import allow
from web.api.bodies import Calls, Digest, Here, Number, SignedBody, Text, answered
from web.auth import actor, authenticate
from web.ports import Ports

__all__ = ["AwardController", "OpeningController", "SuspensionController", "open_stage"]

Answer = dict[str, object]
StageBody = Annotated[int, msgspec.Meta(ge=1, le=2)]


class PublishCandidates(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    until: datetime


class AwardLot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lot: Number
    eid: Digest


class Award(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    awards: Annotated[tuple[AwardLot, ...], msgspec.Meta(min_length=1, max_length=1000)]
    ground: Annotated[str, msgspec.Meta(max_length=20_000)] = ""


class SignContract(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`document`: the contract itself, base64; only its digest goes into the ledger."""

    lot: Number
    document: bytes = b""


class Grounds(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    ground: Text


def open_stage(ports: Ports, tender: TenderId, stage: FromPath[int]) -> None:
    """开标: ask trustee after trustee until enough have answered, then open every envelope."""
    desks, state = ports.desks, ports.office.load(tender)
    if state.phase not in (Phase.SEALED, Phase.TECHNICAL):
        raise IllegalTransition(phase=state.phase.value, fact=OpeningRecorded.__name__)
    needed = state.seats[stage].committee.threshold
    given = sum(at == stage for at, _ in state.shares)
    refusals: list[CommitteeRefusal] = []
    for trustee in ports.trustees:
        if given >= needed:
            break
        try:
            shared = desks.ceremony.ask_share(tender, stage, trustee)
            if (stage, shared.share.index) not in state.shares:
                desks.opening.accept_share(tender, stage, shared)
                given += 1
        except CommitteeRefusal as refusal:  # absent, not yet willing, lying: any t others suffice
            refusals.append(refusal)
    if given < needed and refusals:
        raise _all_of(refusals)
    desks.opening.open(tender, stage)


def _all_of(refusals: list[CommitteeRefusal]) -> CommitteeRefusal:
    """What the trustees said, unless one refusal is of our own: it is the reason, then."""
    ours = [refusal for refusal in refusals if not isinstance(refusal, TrusteeRefuses)]
    if ours:
        return ours[0]
    return TrusteeRefuses(problem="；".join(str(refusal.facts["problem"]) for refusal in refusals))


class OpeningController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("主持人 host",)
    guards = (authenticate, allow)

    @post("/closing", name="close", status_code=200, sync_to_thread=True)
    def close(self, tender: FromPath[UUID], ports: Here) -> Answer:
        """截标, between two checkpoints that the witnesses date."""
        return answered(ports.desks.opening.close(TenderId(str(tender))))

    @post(
        "/stages/{stage:int}/cokey-window-end",
        name="end_cokey_window",
        status_code=200,
        sync_to_thread=True,
    )
    def end_cokey_window(self, tender: FromPath[UUID], stage: FromPath[int], ports: Here) -> Answer:
        """Whoever has not revealed its key by now has revoked its bid."""
        desk = ports.desks.opening
        return answered(desk.end_cokey_window(TenderId(str(tender)), stage))

    @post("/stages/{stage:int}/opening", name="open", status_code=200, sync_to_thread=True)
    def open(self, tender: FromPath[UUID], stage: FromPath[int], ports: Here) -> Answer:
        """开标: shares from the trustees, then every envelope, then the record."""
        name = TenderId(str(tender))
        if stage not in ports.office.load(name).seats:
            raise CommitteeRefusal(problem=f"没有阶段 {stage} / no stage {stage}")
        open_stage(ports, name, stage)
        return answered(ports.office.load(name))


class AwardController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("定标 award",)
    guards = (authenticate, allow)

    @post("/recommendation", name="recommend", sync_to_thread=True)
    def recommend(
        self, tender: FromPath[UUID], data: JSONBody[SignedBody], ports: Here, request: Calls
    ) -> Answer:
        """推荐候选人, signed by the panel."""
        panel = actor(request, data)
        return answered(ports.desks.evaluation.recommend(panel, TenderId(str(tender))))

    @post("/publicity", name="publish_candidates", sync_to_thread=True)
    def publish_candidates(
        self, tender: FromPath[UUID], data: JSONBody[PublishCandidates], ports: Here, request: Calls
    ) -> Answer:
        """公示, at least as long as the law says."""
        owner = actor(request, data)
        desk = ports.desks.award
        return answered(desk.publish_candidates(owner, TenderId(str(tender)), data.until))

    @post("/awards", name="award", sync_to_thread=True)
    def award(
        self, tender: FromPath[UUID], data: JSONBody[Award], ports: Here, request: Calls
    ) -> Answer:
        """定标."""
        owner = actor(request, data)
        awards = tuple(Awarded(item.lot, item.eid) for item in data.awards)
        return answered(ports.desks.award.decide(owner, TenderId(str(tender)), awards, data.ground))

    @post("/award-notice", name="send_notice", sync_to_thread=True)
    def send_notice(
        self, tender: FromPath[UUID], data: JSONBody[SignedBody], ports: Here, request: Calls
    ) -> Answer:
        """中标通知书."""
        owner = actor(request, data)
        return answered(ports.desks.award.send_notice(owner, TenderId(str(tender))))

    @post("/contracts", name="sign_contract", sync_to_thread=True)
    def sign_contract(
        self, tender: FromPath[UUID], data: JSONBody[SignContract], ports: Here, request: Calls
    ) -> Answer:
        """签约 with the winner at its price."""
        owner = actor(request, data)
        desk = ports.desks.award
        return answered(desk.sign(owner, TenderId(str(tender)), data.lot, data.document))


class SuspensionController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("应急 interruptions",)
    guards = (authenticate, allow)

    @post("/suspension-request", name="ask_suspension", sync_to_thread=True)
    def ask_suspension(
        self, tender: FromPath[UUID], data: JSONBody[Grounds], ports: Here, request: Calls
    ) -> Answer:
        """申请暂停, the first person."""
        first = actor(request, data)
        desk = ports.desks.suspension
        return answered(desk.ask_suspension(first, TenderId(str(tender)), data.ground))

    @post("/suspension", name="suspend", sync_to_thread=True)
    def suspend(
        self, tender: FromPath[UUID], data: JSONBody[SignedBody], ports: Here, request: Calls
    ) -> Answer:
        """确认暂停, the second person: every clock of the tender stands still."""
        second = actor(request, data)
        return answered(ports.desks.suspension.suspend(second, TenderId(str(tender))))

    @post("/resumption-request", name="ask_resumption", sync_to_thread=True)
    def ask_resumption(
        self, tender: FromPath[UUID], data: JSONBody[Grounds], ports: Here, request: Calls
    ) -> Answer:
        """申请恢复, the first person."""
        first = actor(request, data)
        desk = ports.desks.suspension
        return answered(desk.ask_resumption(first, TenderId(str(tender)), data.ground))

    @post("/resumption", name="resume", sync_to_thread=True)
    def resume(
        self, tender: FromPath[UUID], data: JSONBody[SignedBody], ports: Here, request: Calls
    ) -> Answer:
        """确认恢复, the second person: the clocks go on, later by the pause."""
        second = actor(request, data)
        return answered(ports.desks.suspension.resume(second, TenderId(str(tender))))
