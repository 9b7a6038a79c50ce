"""招标项目 a tender's life: its state as a fold of facts (the table of its motion is in phase.py).

Rules that decide which fact comes next are in bidding, notice, opening, award and contract.
"""

from collections.abc import Callable, Iterable
from copy import copy
from datetime import datetime
from typing import Any

import msgspec

from trading.committee import Seat, form_seat, reshare_seat
from trading.envelope.layout import Address, Prefix, Stage
from trading.envelope.token import TOKEN_MESSAGE
from trading.facts.award import (
    AwardDecided,
    AwardNoticed,
    CandidatesPublished,
    CandidatesRecommended,
    EvaluationReopened,
)
from trading.facts.bidding import (
    BiddingClosed,
    BracketWide,
    EnvelopeReceived,
    EnvelopeWithdrawn,
)
from trading.facts.committee import CommitteeFormed, CommitteeReshared
from trading.facts.contract import ContractSigned
from trading.facts.cover import CoversMissing, CoversPromised, CoversRevealed
from trading.facts.notice import NoticeCorrected, QuestionAnswered, QuestionAsked
from trading.facts.opening import (
    CokeyMissing,
    CokeyRevealed,
    EnvelopeOpened,
    EnvelopeUnopened,
    OpeningRecorded,
    ShareGiven,
    TechnicalOpened,
)
from trading.facts.suspension import (
    DeadlineExtended,
    ResumptionAsked,
    SuspensionAsked,
    TenderResumed,
    TenderSuspended,
)
from trading.facts.tender import (
    LotsFailed,
    TenderCancelled,
    TenderDrafted,
    TenderFailed,
    TenderPublished,
)
from trading.kernel.canonical import sha256
from trading.kernel.errors import RoleMissing, StreamUnknown, SuspensionRefusal
from trading.kernel.instant import whole_seconds
from trading.kernel.party import Role
from trading.ledger.entry import Stamp, folded
from trading.ledger.fact import Fact
from trading.phase import MACHINE, WHILE_SUSPENDED, Phase
from trading.procedure import Procedure
from trading.procedures import PROCEDURES
from trading.received import Received, place_of

__all__ = ["MACHINE", "Phase", "Received", "Tender", "fold", "place_of", "stream_of"]

_OWNERS = frozenset({Role.PURCHASER, Role.AGENCY})


class Tender(msgspec.Struct):
    """State of one tender. Only `fold` and the desk that loaded it apply facts to it."""

    id: str
    phase: Phase = MACHINE.start
    height: int = 0
    owner: str = ""
    draft: TenderDrafted | None = None
    published_at: datetime | None = None
    deadline: datetime | None = None
    documents_until: datetime | None = None
    seats: dict[int, Seat] = {}
    ceremonies: list[CommitteeFormed | CommitteeReshared] = []
    questions: dict[str, QuestionAsked] = {}
    answers: dict[str, tuple[QuestionAnswered, datetime]] = {}
    corrections: list[tuple[NoticeCorrected, datetime]] = []
    received: dict[str, Received] = {}
    current: dict[tuple[bytes, int, int], str] = {}
    latest: dict[tuple[bytes, int, int], str] = {}  # the withdrawn ones included
    encapsulated: set[bytes] = set()
    spent: set[bytes] = set()  # tokens
    withdrawn: set[str] = set()
    bidding_size: int = 0  # of the ledger, right after the last envelope came or was withdrawn
    pause_asked_by: str = ""
    suspended_at: datetime | None = None
    pauses: list[tuple[datetime, datetime]] = []  # that are over
    extensions: int = 0
    promises: dict[str, tuple[str, int]] = {}  # by maker: digest, index of the entry
    covered: dict[str, frozenset[str]] = {}  # by maker: the pseudonyms that were covers
    closed: BiddingClosed | None = None
    incident: BracketWide | None = None
    failed_lots: dict[int, LotsFailed] = {}
    cokeys: dict[str, str] = {}
    missing: set[str] = set()
    shares: dict[tuple[int, int], ShareGiven] = {}
    opened: dict[str, EnvelopeOpened] = {}
    unopened: dict[str, EnvelopeUnopened] = {}
    opened_at: datetime | None = None  # the envelopes of the last stage that was
    recommended: CandidatesRecommended | None = None
    recommended_at: datetime | None = None
    publicity: CandidatesPublished | None = None
    reopened: set[str] = set()  # by complaint
    reopened_at: datetime | None = None
    decided: AwardDecided | None = None
    noticed_at: datetime | None = None
    contracts: dict[int, ContractSigned] = {}
    ending: TenderFailed | TenderCancelled | None = None

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        """One step; IllegalTransition (KF-101) if the table has no such row."""
        if self.draft is None:
            self.owner = stamp.actor
        self.phase = self.next_phase(self.phase, fact, stamp.actor)
        step = _STEPS.get(type(fact))
        if step:
            step(self, fact, stamp)
        self.height = stamp.height + 1

    def next_phase(self, phase: Phase, fact: Fact, actor: str) -> Phase:
        """Where the fact would lead, or a refusal: by the table, and by who may decide here.

        The party that drafted the tender decides in it, and the panel it named evaluates.
        """
        expected = self.owner if fact.by <= _OWNERS and self.draft else None
        if isinstance(fact, CandidatesRecommended) and self.drafted.panel:
            expected = self.drafted.panel
        if expected is not None and actor != expected:
            raise RoleMissing(party=actor, fact=type(fact).__name__, roles=expected)
        if self.suspended_at and type(fact) not in WHILE_SUSPENDED:
            raise SuspensionRefusal(problem="项目已暂停 / the tender is suspended")
        if isinstance(fact, TenderSuspended | TenderResumed):
            self._check_second_person(actor)
        return MACHINE.after(phase, type(fact))

    def _check_second_person(self, actor: str) -> None:
        if not actor or actor == self.pause_asked_by:
            raise SuspensionRefusal(problem="须由另一人确认 / a second person must confirm")

    def snapshot(self) -> "Tender":
        """A copy that stays as it is while this state moves on."""
        kept: dict[str, Any] = {}
        for name in self.__struct_fields__:
            value = getattr(self, name)
            kept[name] = copy(value) if isinstance(value, dict | list | set) else value
        return Tender(**kept)

    @property
    def drafted(self) -> TenderDrafted:
        if self.draft is None:
            raise StreamUnknown(stream=stream_of(self.id))
        return self.draft

    @property
    def procedure(self) -> Procedure:
        return PROCEDURES[self.drafted.procedure]

    @property
    def live_lots(self) -> tuple[int, ...]:
        return tuple(lot.number for lot in self.drafted.lots if lot.number not in self.failed_lots)

    def address(self, lot: int, stage: int) -> Address:
        """Where an envelope for that lot and stage is sealed to."""
        seat = self.seats[stage]
        return Address(self.id, lot, stage, seat.kid, seat.committee.key)

    def final(self, stage: int) -> list[Received]:
        """The envelopes of a stage that count, in the order of the ledger; covers do not."""
        eids = self.closed.envelopes if self.closed else ()
        covers = frozenset[str]().union(*self.covered.values())
        bids = [self.received[eid] for eid in eids]
        bids = [bid for bid in bids if bid.prefix.header.vk.hex() not in covers]
        live = set(self.live_lots)
        chosen = [
            bid
            for bid in bids
            if bid.prefix.header.stage == stage and bid.prefix.header.lot in live
        ]
        return sorted(chosen, key=lambda bid: bid.index)

    def bidders(self, lot: int) -> int:
        """How many pseudonyms have a final envelope of the first stage for the lot."""
        stage = self.drafted.stages[0]
        return len([bid for bid in self.final(stage) if bid.prefix.header.lot == lot])

    def opening_bind(self, stage: int) -> bytes:
        """Ties shares and their proofs to this event and exactly these envelopes."""
        names = [bytes.fromhex(bid.eid) for bid in self.final(stage)]
        return sha256(b"kaifeng opening v1", self.id.encode(), self.seats[stage].kid, *names)

    def is_opened(self, eid: str) -> bool:
        """Whether the committee has had its say on it, valid or not."""
        return eid in self.opened or eid in self.unopened

    def priced(self) -> list[EnvelopeOpened]:
        """The opened price envelopes, in the order of the ledger."""
        order = [bid.eid for bid in self.final(Stage.PRICE)]
        return [self.opened[eid] for eid in order if eid in self.opened]


def stream_of(tender: str) -> str:
    return f"tender:{tender}"


def fold(tender: str, facts: Iterable[tuple[Fact, Stamp]]) -> Tender:
    return folded(facts, Tender(tender))


def _drafted(tender: Tender, fact: TenderDrafted, _: Stamp) -> None:
    tender.draft = fact


def _formed(tender: Tender, fact: CommitteeFormed, _: Stamp) -> None:
    tender.seats[fact.stage] = form_seat(tender.id, fact)
    tender.ceremonies.append(fact)


def _reshared(tender: Tender, fact: CommitteeReshared, _: Stamp) -> None:
    tender.seats[fact.stage] = reshare_seat(tender.seats[fact.stage], fact)
    tender.ceremonies.append(fact)


def _published(tender: Tender, fact: TenderPublished, stamp: Stamp) -> None:
    tender.published_at = stamp.at
    tender.deadline, tender.documents_until = fact.deadline, fact.documents_until


def _corrected(tender: Tender, fact: NoticeCorrected, stamp: Stamp) -> None:
    tender.corrections.append((fact, stamp.at))
    tender.deadline = fact.deadline or tender.deadline


def _asked(tender: Tender, fact: QuestionAsked, _: Stamp) -> None:
    tender.questions[fact.question] = fact


def _answered(tender: Tender, fact: QuestionAnswered, stamp: Stamp) -> None:
    tender.answers[fact.question] = (fact, stamp.at)


def _received(tender: Tender, fact: EnvelopeReceived, stamp: Stamp) -> None:
    prefix = Prefix.parse(bytes.fromhex(fact.prefix))
    bid = Received(prefix.eid, prefix, stamp.index, stamp.at)
    tender.received[bid.eid] = bid
    tender.current[bid.place] = tender.latest[bid.place] = bid.eid
    tender.encapsulated.add(bid.prefix.enc)
    tender.spent.add(bytes.fromhex(fact.token)[:TOKEN_MESSAGE])
    tender.bidding_size = stamp.index + 1


def _withdrawn(tender: Tender, fact: EnvelopeWithdrawn, stamp: Stamp) -> None:
    tender.bidding_size = stamp.index + 1
    tender.withdrawn.add(fact.eid)
    tender.current.pop(tender.received[fact.eid].place, None)


def _pause_asked(tender: Tender, _: Fact, stamp: Stamp) -> None:
    tender.pause_asked_by = stamp.actor or "platform"


def _suspended(tender: Tender, _: TenderSuspended, stamp: Stamp) -> None:
    tender.suspended_at, tender.pause_asked_by = stamp.at, ""


def _resumed(tender: Tender, _: TenderResumed, stamp: Stamp) -> None:
    """Clocks that were running go on, later by the pause."""
    since = tender.suspended_at or stamp.at
    pause = whole_seconds(stamp.at - since)
    tender.suspended_at, tender.pause_asked_by = None, ""
    tender.pauses.append((since, stamp.at))
    for name in ("deadline", "documents_until", "noticed_at", "recommended_at"):
        moment = getattr(tender, name)
        runs = name.endswith("_at") or (moment and moment > since)
        setattr(tender, name, moment + pause if moment and runs else moment)
    if tender.publicity and tender.publicity.until > since:
        tender.publicity = CandidatesPublished(until=tender.publicity.until + pause)


def _extended(tender: Tender, fact: DeadlineExtended, _: Stamp) -> None:
    tender.deadline = fact.deadline
    tender.extensions += 1


def _promised(tender: Tender, fact: CoversPromised, stamp: Stamp) -> None:
    tender.promises[stamp.actor] = fact.digest, stamp.index


def _uncovered(tender: Tender, fact: CoversRevealed, stamp: Stamp) -> None:
    tender.covered[stamp.actor] = frozenset(fact.keys)


def _covers_missing(tender: Tender, fact: CoversMissing, _: Stamp) -> None:
    tender.covered[fact.maker] = frozenset()


def _lots_failed(tender: Tender, fact: LotsFailed, _: Stamp) -> None:
    tender.failed_lots |= dict.fromkeys(fact.lots, fact)


def _cokey(tender: Tender, fact: CokeyRevealed, _: Stamp) -> None:
    tender.cokeys[fact.eid] = fact.cokey


def _cokey_missing(tender: Tender, fact: CokeyMissing, _: Stamp) -> None:
    tender.missing.add(fact.eid)


def _share(tender: Tender, fact: ShareGiven, _: Stamp) -> None:
    tender.shares[fact.stage, fact.trustee] = fact


def _opened(tender: Tender, fact: EnvelopeOpened, _: Stamp) -> None:
    tender.opened[fact.eid] = fact


def _unopened(tender: Tender, fact: EnvelopeUnopened, _: Stamp) -> None:
    tender.unopened[fact.eid] = fact


def _stage_opened(tender: Tender, _: Fact, stamp: Stamp) -> None:
    tender.opened_at = stamp.at


def _recommended(tender: Tender, fact: CandidatesRecommended, stamp: Stamp) -> None:
    tender.recommended, tender.recommended_at = fact, stamp.at
    for lot in fact.failed:
        tender.failed_lots[lot] = LotsFailed(lots=(lot,), ground="所有投标被否决", article="")


def _noticed(tender: Tender, _: AwardNoticed, stamp: Stamp) -> None:
    tender.noticed_at = stamp.at


def _contracted(tender: Tender, fact: ContractSigned, _: Stamp) -> None:
    tender.contracts[fact.lot] = fact


def _evaluated_again(tender: Tender, fact: EvaluationReopened, stamp: Stamp) -> None:
    tender.reopened.add(fact.complaint)
    tender.reopened_at = stamp.at
    for lot in tender.recommended.failed if tender.recommended else ():
        tender.failed_lots.pop(lot, None)
    tender.recommended = tender.recommended_at = tender.publicity = None


def _keep(name: str) -> Callable[[Tender, Any, Stamp], None]:
    """The fact itself is what the state keeps."""
    return lambda tender, fact, _: setattr(tender, name, fact)


_STEPS: dict[type[Fact], Callable[[Tender, Any, Stamp], None]] = {
    TenderDrafted: _drafted,
    CommitteeFormed: _formed,
    CommitteeReshared: _reshared,
    TenderPublished: _published,
    NoticeCorrected: _corrected,
    QuestionAsked: _asked,
    QuestionAnswered: _answered,
    EnvelopeReceived: _received,
    EnvelopeWithdrawn: _withdrawn,
    SuspensionAsked: _pause_asked,
    TenderSuspended: _suspended,
    ResumptionAsked: _pause_asked,
    TenderResumed: _resumed,
    DeadlineExtended: _extended,
    CoversPromised: _promised,
    CoversRevealed: _uncovered,
    CoversMissing: _covers_missing,
    BiddingClosed: _keep("closed"),
    BracketWide: _keep("incident"),
    LotsFailed: _lots_failed,
    CokeyRevealed: _cokey,
    CokeyMissing: _cokey_missing,
    ShareGiven: _share,
    EnvelopeOpened: _opened,
    EnvelopeUnopened: _unopened,
    TechnicalOpened: _stage_opened,
    OpeningRecorded: _stage_opened,
    CandidatesRecommended: _recommended,
    CandidatesPublished: _keep("publicity"),
    EvaluationReopened: _evaluated_again,
    AwardDecided: _keep("decided"),
    AwardNoticed: _noticed,
    ContractSigned: _contracted,
    TenderFailed: _keep("ending"),
    TenderCancelled: _keep("ending"),
}
