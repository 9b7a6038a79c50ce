"""暂停·恢复·顺延 the rules of interruptions. Pure.

Who may act, and that the second person is not the first, stands with the tender (`next_phase`).
"""

from datetime import datetime, timedelta

from trading.facts.suspension import (
    DeadlineExtended,
    OutageRecorded,
    ResumptionAsked,
    SuspensionAsked,
    TenderResumed,
    TenderSuspended,
)
from trading.kernel.errors import DraftIncomplete, SuspensionRefusal, TooLate
from trading.kernel.instant import Reading
from trading.tender import Phase, Tender

__all__ = [
    "decide_ask_resumption",
    "decide_ask_suspension",
    "decide_extend",
    "decide_resume",
    "decide_suspend",
    "delayed",
]

_MINUTES = 1440


def decide_ask_suspension(tender: Tender, ground: str, now: Reading) -> SuspensionAsked:
    if not ground.strip():
        raise DraftIncomplete(problem="暂停理由 / ground of the suspension")
    if tender.suspended_at:
        raise SuspensionRefusal(problem="项目已暂停 / the tender is suspended already")
    _before_deadline(tender, now)
    return SuspensionAsked(ground=ground)


def decide_suspend(tender: Tender, now: Reading) -> TenderSuspended:
    if tender.suspended_at or not tender.pause_asked_by:
        raise SuspensionRefusal(problem="没有待确认的暂停申请 / nobody has asked for it")
    _before_deadline(tender, now)
    return TenderSuspended()


def decide_ask_resumption(tender: Tender, ground: str) -> ResumptionAsked:
    if not ground.strip():
        raise DraftIncomplete(problem="恢复理由 / ground of the resumption")
    if not tender.suspended_at:
        raise SuspensionRefusal(problem="项目未暂停 / the tender is not suspended")
    return ResumptionAsked(ground=ground)


def decide_resume(tender: Tender) -> TenderResumed:
    if not tender.suspended_at or not tender.pause_asked_by:
        raise SuspensionRefusal(problem="没有待确认的恢复申请 / nobody has asked for it")
    return TenderResumed()


def _before_deadline(tender: Tender, now: Reading) -> None:
    """A deadline that has passed is closed, not suspended."""
    deadline = tender.deadline if tender.phase is Phase.BIDDING else None
    if deadline and not now.is_surely_before(deadline):
        raise TooLate(act="暂停", deadline=deadline, article="")


def decide_extend(tender: Tender, outage: OutageRecorded, entry: int) -> DeadlineExtended | None:
    """顺延: nothing to do unless the tender was out, and the outage covered its deadline or the
    last stretch before it.

    Short outages give the rule's short extension, longer ones the long one, both from the moment
    the platform was back (as KONEPS does: 2 h, or 24 h after more than 2 h).
    """
    deadline, rule = tender.deadline, tender.drafted.outage_rule
    if tender.phase is not Phase.BIDDING or deadline is None or tender.suspended_at:
        return None
    minute = tender.drafted.pace.day / _MINUTES
    if tender.published_at is None or tender.published_at > outage.end:
        return None
    too_short = outage.end - outage.start < rule.least_seconds * minute / 60
    if too_short or tender.extensions >= rule.most:
        return None
    last_stretch = timedelta(minutes=rule.short_minutes) * (minute / timedelta(minutes=1))
    if not outage.start <= deadline < outage.end + last_stretch:
        return None
    is_short = outage.end - outage.start <= rule.limit_minutes * minute
    more = rule.short_minutes if is_short else rule.long_minutes
    extended = _whole_second(outage.end + more * minute)
    if extended <= deadline:
        return None
    return DeadlineExtended(deadline=extended, outage=entry, start=outage.start, end=outage.end)


def _whole_second(moment: datetime) -> datetime:
    """Upwards: witnesses date in seconds."""
    return (
        moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)
    )


def delayed(tender: Tender, since: datetime, until: datetime) -> datetime:
    """The end of a period that stood still whenever the tender did."""
    for start, end in tender.pauses:
        if since <= start < until:
            until += end - start
    return until
