"""异议·投诉 objections and complaints: who may say what until when, what decisions bring. Pure.

An objection to the candidates, and a complaint that was accepted, hold the award up (条例 54, 62).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from trading import statutes
from trading.facts.award import EvaluationReopened
from trading.facts.objection import (
    ComplaintAccepted,
    ComplaintDecided,
    ComplaintDeclined,
    ComplaintFiled,
    Effect,
    ObjectionAnswered,
    ObjectionRaised,
    Subject,
)
from trading.facts.tender import TenderFailed
from trading.kernel.calendar import Calendar
from trading.kernel.errors import AwardPaused, ObjectionRefusal, TooLate
from trading.kernel.instant import Reading
from trading.kernel.rule import Rule, Statute
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.phase import MACHINE
from trading.suspension import delayed
from trading.tender import Phase, Tender

__all__ = [
    "Complaint",
    "Objection",
    "Objections",
    "check_nothing_open",
    "check_objection",
    "check_reopening",
    "ordered",
    "ordered_failure",
    "stream_of_objections",
]

_PUBLISHED = (Phase.RECOMMENDED, Phase.PUBLICITY, Phase.AWARDED)
_MOST_OPEN = 3  # objections of one party that wait for an answer
_LONGEST_ID = 64
_OVER = (Phase.COMPLETE, Phase.FAILED, Phase.CANCELLED, Phase.DRAFT)


class Objection(msgspec.Struct):
    raised: ObjectionRaised
    by: str
    at: datetime
    answered_at: datetime | None = None


class Complaint(msgspec.Struct):
    filed: ComplaintFiled
    by: str
    at: datetime
    accepted_at: datetime | None = None
    is_closed: bool = False
    decided: ComplaintDecided | None = None


class Objections(msgspec.Struct):
    """A fold of the stream."""

    height: int = 0
    objections: dict[str, Objection] = {}
    complaints: dict[str, Complaint] = {}

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        match fact:
            case ObjectionRaised():
                self.objections[fact.objection] = Objection(fact, stamp.actor, stamp.at)
            case ObjectionAnswered():
                self.objections[fact.objection].answered_at = stamp.at
            case ComplaintFiled():
                self.complaints[fact.complaint] = Complaint(fact, stamp.actor, stamp.at)
            case ComplaintAccepted():
                self.complaints[fact.complaint].accepted_at = stamp.at
            case ComplaintDeclined():
                self.complaints[fact.complaint].is_closed = True
            case ComplaintDecided():
                complaint = self.complaints[fact.complaint]
                complaint.decided, complaint.is_closed = fact, True
            case _:
                pass
        self.height = stamp.height + 1


def stream_of_objections(tender: str) -> str:
    return f"objections:{tender}"


def check_objection(
    state: Objections, tender: Tender, fact: Fact, actor: str, now: Reading, calendar: Calendar
) -> None:
    """A coded refusal unless this fact may come now, from this party."""
    _RULES[type(fact)](_Asked(state, tender, actor, now, calendar), fact)


def check_nothing_open(state: Objections, tender: Tender) -> None:
    """AwardPaused while somebody waits for an answer that the award depends on, or a decision for
    its effect.
    """
    waiting = [
        name
        for name, one in state.objections.items()
        if one.raised.about is Subject.CANDIDATES and one.answered_at is None
    ]
    waiting += [n for n, one in state.complaints.items() if one.accepted_at and not one.is_closed]
    waiting += [
        name
        for name, one in state.complaints.items()
        if one.decided and one.decided.effect is not Effect.DISMISSED
        if name not in tender.reopened and not tender.ending
    ]
    if waiting:
        raise AwardPaused(waiting="、".join(waiting))


def ordered(state: Objections, complaint: str) -> Effect:
    """What a decision orders; ObjectionRefusal if there is none."""
    decided = state.complaints[complaint].decided if complaint in state.complaints else None
    if decided is None:
        raise ObjectionRefusal(problem=f"{complaint} 没有处理决定 / is not decided")
    return decided.effect


def check_reopening(state: Objections, tender: Tender, fact: EvaluationReopened) -> None:
    """Once for each decision that orders it."""
    effect = ordered(state, fact.complaint)
    if effect is not Effect.RE_EVALUATE or fact.complaint in tender.reopened:
        raise ObjectionRefusal(problem=f"{fact.complaint} 未责令重新评标 / does not order it")


def ordered_failure(state: Objections) -> TenderFailed | None:
    """The end of the tender, if a decision orders it anew or ends it."""
    for complaint in state.complaints.values():
        decided = complaint.decided
        if decided and decided.effect in (Effect.RE_TENDER, Effect.CANCEL):
            said = "责令重新招标" if decided.effect is Effect.RE_TENDER else "责令终止"
            return TenderFailed(
                ground=f"投诉处理决定：{said}。{decided.ground}",
                article="招标投标法实施条例 第八十一条 [mem]",
            )
    return None


class _Asked(msgspec.Struct, frozen=True):
    state: Objections
    tender: Tender
    actor: str
    now: Reading
    calendar: Calendar

    def rule(self, tendering: Statute, procurement: Statute) -> Rule:
        statute = procurement if self.tender.procedure.is_government else tendering
        return statute.at(self.tender.published_at or self.now.at)

    def check_in_time(self, act: str, since: datetime, rule: Rule) -> None:
        latest = rule.period.after(since, self.calendar, self.tender.drafted.pace)
        if self.is_over(latest, since):
            raise TooLate(act=act, deadline=latest, article=rule.article)

    def is_over(self, latest: datetime, since: datetime) -> bool:
        """Periods stand still while the tender is suspended."""
        end, paused = delayed(self.tender, since, latest), self.tender.suspended_at
        is_resting = paused is not None and paused < end
        return not is_resting and self.now.is_surely_after(end)


def _check_raised(asked: _Asked, fact: ObjectionRaised) -> None:
    if fact.objection in asked.state.objections or not fact.text.strip():
        raise ObjectionRefusal(problem="编号已用或没有内容 / id taken, or nothing said")
    waiting = [o for o in asked.state.objections.values() if o.by == asked.actor]
    if sum(one.answered_at is None for one in waiting) >= _MOST_OPEN:
        problem = f"尚有 {_MOST_OPEN} 项异议待答复 / wait for the answers to those"
        raise ObjectionRefusal(problem=problem)
    _check_id(fact.objection)
    {
        Subject.DOCUMENTS: _check_about_documents,
        Subject.OPENING: _check_about_opening,
        Subject.CANDIDATES: _check_about_candidates,
    }[fact.about](asked)


def _check_id(name: str) -> None:
    if not 1 <= len(name) <= _LONGEST_ID:
        raise ObjectionRefusal(problem=f"编号须为 1–{_LONGEST_ID} 字 / length of the id")


def _check_about_documents(asked: _Asked) -> None:
    tender = asked.tender
    if tender.phase is not Phase.BIDDING or tender.deadline is None:
        raise ObjectionRefusal(problem="不在招标期间 / not while bids come in")
    rule = statutes.OBJECTION_DOCUMENTS.at(tender.published_at or asked.now.at)
    latest = rule.period.before(tender.deadline, asked.calendar, tender.drafted.pace)
    if asked.now.is_surely_after(latest):
        raise TooLate(act="对招标文件提出异议", deadline=latest, article=rule.article)


def _check_about_opening(asked: _Asked) -> None:
    """On the spot (条例 44): until evaluation has said its word."""
    if asked.tender.phase not in (Phase.SEALED, Phase.TECHNICAL, Phase.OPENED):
        raise ObjectionRefusal(problem="须在开标现场提出（条例 44） / on the spot")


def _check_about_candidates(asked: _Asked) -> None:
    tender = asked.tender
    if tender.procedure.publicity is None:
        since = tender.recommended_at
        if tender.phase not in _PUBLISHED or since is None:
            raise ObjectionRefusal(problem="尚无结果 / there is no result yet")
        asked.check_in_time("质疑", since, statutes.QUESTION_RAISED.at(since))
        return
    if tender.phase is not Phase.PUBLICITY or tender.publicity is None:
        raise ObjectionRefusal(problem="不在公示期间 / not during the publicity")
    if not tender.suspended_at and asked.now.is_surely_after(tender.publicity.until):
        article = tender.procedure.publicity.at(asked.now.at).article
        raise TooLate(act="异议", deadline=tender.publicity.until, article=article)


def _check_answered(asked: _Asked, fact: ObjectionAnswered) -> None:
    """A late answer is taken, too: the lateness stands in the record."""
    objection = asked.state.objections.get(fact.objection)
    if objection is None or objection.answered_at or not fact.text.strip():
        raise ObjectionRefusal(problem="没有待答复的异议 / no such open objection")
    if asked.actor != asked.tender.owner:
        raise ObjectionRefusal(problem="由招标人答复 / the owner answers")


def _check_filed(asked: _Asked, fact: ComplaintFiled) -> None:
    """Within the time after the answer, or after the answer was due (条例 60)."""
    if fact.complaint in asked.state.complaints or not fact.text.strip():
        raise ObjectionRefusal(problem="编号已用或没有内容 / id taken, or nothing said")
    _check_id(fact.complaint)
    if asked.tender.phase in _OVER:
        raise ObjectionRefusal(problem="项目已结束 / the tender is over")
    objection = asked.state.objections.get(fact.objection)
    if objection is None or objection.by != asked.actor:
        raise ObjectionRefusal(problem="须先提出异议（条例 60） / object first")
    answer = asked.rule(statutes.OBJECTION_ANSWER, statutes.QUESTION_ANSWER)
    pace = asked.tender.drafted.pace
    due = answer.period.after(objection.at, asked.calendar, pace)
    if objection.answered_at is None and not asked.is_over(due, objection.at):
        raise ObjectionRefusal(problem=f"等待答复至 {due.isoformat()} / wait for the answer")
    rule = asked.rule(statutes.COMPLAINT, statutes.PROCUREMENT_COMPLAINT)
    asked.check_in_time("投诉", objection.answered_at or due, rule)


def _check_taken(asked: _Asked, fact: ComplaintAccepted | ComplaintDeclined) -> None:
    complaint = asked.state.complaints.get(fact.complaint)
    if complaint is None or complaint.accepted_at or complaint.is_closed:
        raise ObjectionRefusal(problem="没有待受理的投诉 / no such open complaint")
    if isinstance(fact, ComplaintDeclined) and not fact.ground.strip():
        raise ObjectionRefusal(problem="不予受理须说明理由 / say why it is declined")


def _check_decided(asked: _Asked, fact: ComplaintDecided) -> None:
    complaint = asked.state.complaints.get(fact.complaint)
    if complaint is None or complaint.accepted_at is None or complaint.is_closed:
        raise ObjectionRefusal(problem="没有已受理的投诉 / no such accepted complaint")
    if not fact.ground.strip():
        raise ObjectionRefusal(problem="处理决定须说明理由 / say why")
    again = (Phase.RECOMMENDED, Phase.PUBLICITY)
    if fact.effect is Effect.RE_EVALUATE and asked.tender.phase not in again:
        raise ObjectionRefusal(problem="没有可以重新评审的结果 / nothing to evaluate again")
    _check_effect(asked.tender, fact.effect)


def _check_effect(tender: Tender, effect: Effect) -> None:
    """A decision that could not take effect at once is not taken."""
    if effect is Effect.DISMISSED:
        return
    if tender.suspended_at:
        raise ObjectionRefusal(
            problem="项目已暂停，先恢复 / the tender is suspended: resume it first"
        )
    ends = effect in (Effect.RE_TENDER, Effect.CANCEL)
    if ends and TenderFailed not in MACHINE.may(tender.phase):
        problem = f"{tender.phase.value} 阶段不能终止；招标期间由招标人终止 / cannot be ended now"
        raise ObjectionRefusal(problem=problem)


_RULES: dict[type[Fact], Callable[[_Asked, Any], None]] = {
    ObjectionRaised: _check_raised,
    ObjectionAnswered: _check_answered,
    ComplaintFiled: _check_filed,
    ComplaintAccepted: _check_taken,
    ComplaintDeclined: _check_taken,
    ComplaintDecided: _check_decided,
}
