"""评标委员会 the panel's life: formed, seated, stage after stage, report, signatures. A pure fold.

What may come next, and by whom, is in sitting.py; this file only says what has happened.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from trading.facts.awarding import AwardConcluded
from trading.facts.panel import (
    ChairVoted,
    ClarificationAnswered,
    ClarificationAsked,
    ConsentPresumed,
    DissentWritten,
    Member,
    MemberReplaced,
    MemberSignedIn,
    PanelConcluded,
    PanelFormed,
    PanelSeated,
    ReportSealed,
    ReportSigned,
    ScoreExplained,
    SheetOpened,
    SheetSealed,
    StageConcluded,
    StageReopened,
    TechnicalBlinded,
    TechnicalUnblinded,
    TimeAsked,
    TimeExtended,
    UndertakingGiven,
)
from trading.facts.rubric import Mark, ReviewStage
from trading.kernel.errors import PanelIncomplete
from trading.kernel.machine import Machine
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact

_MINUTES = 1440  # of a day

__all__ = ["PANEL_MACHINE", "Asked", "Panel", "PanelPhase", "draws_of", "stream_of_panel"]


class PanelPhase(StrEnum):
    NEW = "panel-new"  # 未组建
    GATHERING = "panel-gathering"  # 签到中
    SITTING = "panel-sitting"  # 评审中
    SIGNING = "panel-signing"  # 签署中
    CONCLUDED = "panel-concluded"  # 评标结束


_GATHERING = (MemberSignedIn, UndertakingGiven, ChairVoted)
_SITTING = (
    SheetSealed,
    SheetOpened,
    ScoreExplained,
    StageConcluded,
    StageReopened,
    TimeAsked,
    TimeExtended,
    TechnicalBlinded,
    TechnicalUnblinded,
    ClarificationAsked,
    ClarificationAnswered,
)
_SIGNING = (DissentWritten, ReportSigned, ConsentPresumed)

PANEL_MACHINE: Machine[PanelPhase] = Machine(
    PanelPhase.NEW,
    [
        (PanelPhase.NEW, PanelFormed, PanelPhase.GATHERING),
        *((PanelPhase.GATHERING, fact, PanelPhase.GATHERING) for fact in _GATHERING),
        (PanelPhase.GATHERING, PanelSeated, PanelPhase.SITTING),
        *((PanelPhase.SITTING, fact, PanelPhase.SITTING) for fact in _SITTING),
        (PanelPhase.SITTING, ReportSealed, PanelPhase.SIGNING),
        *((PanelPhase.SIGNING, fact, PanelPhase.SIGNING) for fact in _SIGNING),
        (PanelPhase.SIGNING, StageReopened, PanelPhase.SITTING),
        (PanelPhase.SIGNING, PanelConcluded, PanelPhase.CONCLUDED),
        (PanelPhase.CONCLUDED, PanelFormed, PanelPhase.GATHERING),
        *(
            (phase, MemberReplaced, PanelPhase.GATHERING)
            for phase in (PanelPhase.GATHERING, PanelPhase.SITTING, PanelPhase.SIGNING)
        ),
    ],
)


class Asked(msgspec.Struct, frozen=True):
    """A clarification; until when its answer may come, `Sitting.answer_until` says."""

    fact: ClarificationAsked
    at: datetime
    answer: str | None = None


class Panel(msgspec.Struct):
    """State of one panel. Sheets by stage, then by member."""

    tender: str
    phase: PanelPhase = PANEL_MACHINE.start
    height: int = 0
    formed: PanelFormed | None = None
    members: dict[str, Member] = {}
    former: dict[str, tuple[str, str]] = {}  # seat, and why they left
    heard: list[tuple[str, str]] = []  # seat and dissent of former members and former reports
    sites: dict[str, str] = {}
    undertakings: dict[str, str] = {}
    votes: dict[str, str] = {}
    chair: str = ""
    sealed: dict[ReviewStage, dict[str, str]] = {}
    sheets: dict[ReviewStage, dict[str, tuple[Mark, ...]]] = {}
    explained: dict[tuple[str, str, str], str] = {}  # member, bid, item
    unexplained: list[tuple[str, str, str]] = []
    concluded: list[ReviewStage] = []
    reopened: list[StageReopened] = []
    begun_at: datetime | None = None  # the stage that is open
    minutes: int = 0  # for it
    formed_at: datetime | None = None
    draws: set[str] = set()  # of this panel and of earlier ones
    short_of_time: set[str] = set()
    blinded: TechnicalBlinded | None = None
    salt: str = ""
    asked: dict[str, Asked] = {}
    dissents: dict[str, str] = {}
    report: ReportSealed | None = None
    reported_at: datetime | None = None
    signed: dict[str, datetime] = {}
    presumed: set[str] = set()

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        self.phase = PANEL_MACHINE.after(self.phase, type(fact))
        _STEPS[type(fact)](self, fact, stamp)
        self.height = stamp.height + 1

    @property
    def terms(self) -> PanelFormed:
        if self.formed is None:
            raise PanelIncomplete(problem="尚未组建 / not formed yet")
        return self.formed

    def is_due_to(self, ordered: datetime | None) -> bool:
        """Whether it was formed after the last order to evaluate again, if there was one."""
        return self.formed_at is not None and (ordered is None or self.formed_at > ordered)

    def span(self, minutes: int) -> timedelta:
        """Shorter in a rehearsal."""
        return minutes * (self.terms.pace.day / _MINUTES)

    def begin(self, at: datetime) -> None:
        self.begun_at, self.minutes, self.short_of_time = at, self.terms.minutes, set()


def draws_of(fact: Fact) -> set[str]:
    """The draws that a fact of a panel, or of an award committee, relies on."""
    match fact:
        case PanelFormed() | AwardConcluded():
            return {fact.draw} - {""}
        case ReportSealed():
            return set(fact.draws)
        case _:
            return set()


def stream_of_panel(tender: str) -> str:
    return f"panel:{tender}"


def _formed(panel: Panel, fact: PanelFormed, stamp: Stamp) -> None:
    used = panel.draws
    fresh = Panel(panel.tender, panel.phase, panel.height, fact)
    for name in panel.__struct_fields__:
        setattr(panel, name, getattr(fresh, name))
    panel.members = {member.party: member for member in fact.members}
    panel.formed_at, panel.draws = stamp.at, used | {fact.draw}


def _signed_in(panel: Panel, fact: MemberSignedIn, stamp: Stamp) -> None:
    panel.sites[stamp.actor] = fact.site


def _undertaken(panel: Panel, fact: UndertakingGiven, stamp: Stamp) -> None:
    panel.undertakings[stamp.actor] = fact.text


def _voted(panel: Panel, fact: ChairVoted, stamp: Stamp) -> None:
    panel.votes[stamp.actor] = fact.candidate


def _seated(panel: Panel, fact: PanelSeated, stamp: Stamp) -> None:
    panel.chair = fact.chair
    panel.begin(stamp.at)


def _replaced(panel: Panel, fact: MemberReplaced, _: Stamp) -> None:
    """Of the first stage that is done again the other sheets stand and wait for one of the new
    member's; later stages may look at other bids then, so they are done again as a whole.
    """
    gone = fact.gone
    old = panel.members.pop(gone)
    panel.former[gone] = old.seat, fact.ground
    panel.members[fact.member.party] = fact.member
    again = [stage for stage in ReviewStage if stage not in fact.keeps and stage in panel.sealed]
    for stage in again[:1]:
        panel.sealed[stage].pop(gone, None)
        panel.sheets.get(stage, {}).pop(gone, None)
    blind = [stage for stage in again if stage is ReviewStage.TECHNICAL]
    _forget(panel, [*again[1:], *blind])
    for found in (panel.sites, panel.undertakings):
        found.pop(gone, None)
    panel.explained = {key: text for key, text in panel.explained.items() if key[0] != gone}
    panel.votes = {who: chosen for who, chosen in panel.votes.items() if gone not in (who, chosen)}
    panel.concluded = [stage for stage in panel.concluded if stage in fact.keeps]
    panel.unexplained.clear()
    _forget_report(panel, {gone: old.seat})


def _forget(panel: Panel, stages: Sequence[ReviewStage]) -> None:
    for stage in stages:
        panel.sealed.pop(stage, None)
        panel.sheets.pop(stage, None)
    if ReviewStage.TECHNICAL in stages:
        panel.blinded, panel.salt = None, ""


def _sheet_sealed(panel: Panel, fact: SheetSealed, stamp: Stamp) -> None:
    panel.sealed.setdefault(fact.stage, {})[stamp.actor] = fact.digest


def _sheet_opened(panel: Panel, fact: SheetOpened, stamp: Stamp) -> None:
    panel.sheets.setdefault(fact.stage, {})[stamp.actor] = fact.marks


def _explained(panel: Panel, fact: ScoreExplained, stamp: Stamp) -> None:
    panel.explained[stamp.actor, fact.bid, fact.item] = fact.text


def _stage_concluded(panel: Panel, fact: StageConcluded, stamp: Stamp) -> None:
    panel.concluded.append(fact.stage)
    panel.unexplained += fact.unexplained
    panel.begin(stamp.at)


def _reopened(panel: Panel, fact: StageReopened, stamp: Stamp) -> None:
    """The stage and all after it."""
    panel.reopened.append(fact)
    order = list(ReviewStage)
    again = order[order.index(fact.stage) :]
    _forget(panel, again)
    panel.concluded = [stage for stage in panel.concluded if stage not in again]
    panel.unexplained.clear()
    _forget_report(panel, {})
    panel.begin(stamp.at)


def _forget_report(panel: Panel, former: dict[str, str]) -> None:
    """Dissents were about a report that no longer counts; they stay in the record."""
    seats = {party: member.seat for party, member in panel.members.items()} | former
    panel.heard += [(seats[party], text) for party, text in panel.dissents.items()]
    panel.report = panel.reported_at = None
    panel.dissents.clear()
    panel.signed.clear()
    panel.presumed.clear()


def _time_asked(panel: Panel, _: TimeAsked, stamp: Stamp) -> None:
    panel.short_of_time.add(stamp.actor)


def _time_extended(panel: Panel, fact: TimeExtended, _: Stamp) -> None:
    panel.minutes += fact.minutes
    panel.short_of_time.clear()


def _blinded(panel: Panel, fact: TechnicalBlinded, _: Stamp) -> None:
    panel.blinded = fact


def _unblinded(panel: Panel, fact: TechnicalUnblinded, _: Stamp) -> None:
    panel.salt = fact.salt


def _asked(panel: Panel, fact: ClarificationAsked, stamp: Stamp) -> None:
    panel.asked[fact.question] = Asked(fact, stamp.at)


def _answered(panel: Panel, fact: ClarificationAnswered, _: Stamp) -> None:
    asked = panel.asked[fact.question]
    panel.asked[fact.question] = msgspec.structs.replace(asked, answer=fact.text)


def _dissented(panel: Panel, fact: DissentWritten, stamp: Stamp) -> None:
    panel.dissents[stamp.actor] = fact.text
    panel.presumed.discard(stamp.actor)


def _reported(panel: Panel, fact: ReportSealed, stamp: Stamp) -> None:
    panel.report, panel.reported_at = fact, stamp.at


def _report_signed(panel: Panel, _: ReportSigned, stamp: Stamp) -> None:
    panel.signed[stamp.actor] = stamp.at
    panel.presumed.discard(stamp.actor)


def _presumed(panel: Panel, fact: ConsentPresumed, _: Stamp) -> None:
    panel.presumed.add(fact.member)


def _concluded(_: Panel, __: PanelConcluded, ___: Stamp) -> None:
    """The phase says it."""


_STEPS: dict[type[Fact], Callable[[Panel, Any, Stamp], None]] = {
    PanelFormed: _formed,
    MemberSignedIn: _signed_in,
    UndertakingGiven: _undertaken,
    ChairVoted: _voted,
    PanelSeated: _seated,
    MemberReplaced: _replaced,
    SheetSealed: _sheet_sealed,
    SheetOpened: _sheet_opened,
    ScoreExplained: _explained,
    StageConcluded: _stage_concluded,
    StageReopened: _reopened,
    TimeAsked: _time_asked,
    TimeExtended: _time_extended,
    TechnicalBlinded: _blinded,
    TechnicalUnblinded: _unblinded,
    ClarificationAsked: _asked,
    ClarificationAnswered: _answered,
    DissentWritten: _dissented,
    ReportSealed: _reported,
    ReportSigned: _report_signed,
    ConsentPresumed: _presumed,
    PanelConcluded: _concluded,
}
