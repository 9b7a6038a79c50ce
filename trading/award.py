"""评定分离·定标 the rules after evaluation: publicity, decision, award notice. Pure."""

from datetime import datetime

from trading.awarding import Awarding
from trading.facts.award import AwardDecided, AwardNoticed, CandidatesPublished
from trading.kernel.calendar import Calendar, check_moment
from trading.kernel.errors import (
    AwardRefusal,
    NotACandidate,
    NotFirstRank,
    RuleBroken,
    TooEarly,
    TooLate,
)
from trading.kernel.instant import Reading
from trading.tender import Tender

__all__ = ["check_separated", "decide_award", "decide_notice_of_award", "decide_publicity"]


def decide_publicity(
    tender: Tender, now: Reading, calendar: Calendar, until: datetime | None = None
) -> CandidatesPublished:
    """公示: starts in time, lasts at least as long as the law says, to a working day (条例 54)."""
    if tender.procedure.publicity is None or tender.recommended_at is None:
        raise AwardRefusal(
            problem="本采购方式不公示候选人 / this procedure has no publicity of candidates"
        )
    pace = tender.drafted.pace
    if tender.procedure.publicity_start:
        rule = tender.procedure.publicity_start.at(now.at)
        latest = rule.period.after(tender.recommended_at, calendar, pace)
        if not pace.is_rehearsal and now.at > latest:
            raise RuleBroken(act="公示", article=rule.article, problem=f"> {latest.isoformat()}")
    rule = tender.procedure.publicity.at(now.at)
    earliest = calendar.roll(rule.period.after(now.at, calendar, pace), pace)
    if until:
        check_moment(until, "公示")
    if until and until < earliest:
        problem = f"公示不得早于 {earliest.isoformat()} 结束 / may not end earlier"
        raise RuleBroken(act="公示", article=rule.article, problem=problem)
    return CandidatesPublished(until=until or earliest)


def decide_award(
    tender: Tender, wanted: AwardDecided, now: Reading, calendar: Calendar
) -> AwardDecided:
    """定标: after publicity, among the candidates, rank 1 unless a ground of law says otherwise."""
    if tender.procedure.publicity:
        rule = tender.procedure.publicity.at(now.at)
        if tender.publicity is None or not now.is_surely_after(tender.publicity.until):
            moment = tender.publicity.until if tender.publicity else "—"
            raise TooEarly(act="定标", moment=moment, article=rule.article)
    choice = tender.procedure.supplier_choice
    if choice and tender.recommended_at:
        rule = choice.at(now.at)
        latest = rule.period.after(tender.recommended_at, calendar, tender.drafted.pace)
        if now.is_surely_after(latest):
            raise TooLate(act="确定供应商", deadline=latest, article=rule.article)
    if sorted(award.lot for award in wanted.awards) != sorted(tender.live_lots):
        raise AwardRefusal(
            problem="每个未流标的标段都须定标 / every lot that has not failed needs an award"
        )
    if not tender.drafted.award:  # otherwise the award committee has chosen: check_separated
        for award in wanted.awards:
            _check_candidate(tender, award.lot, award.eid, wanted.ground, now)
    return wanted


def check_separated(tender: Tender, wanted: AwardDecided, awarding: Awarding | None) -> None:
    """评定分离: the owner decides what its award committee concluded and signed, nothing else."""
    if not tender.drafted.award:
        return
    is_done = awarding and awarding.is_signed and awarding.is_of(tender)
    if awarding is None or awarding.concluded is None or not is_done:
        raise AwardRefusal(problem="定标委员会尚未定标并签字 / the committee has not concluded")
    if set(wanted.awards) != set(awarding.concluded.awards):
        raise AwardRefusal(problem="与定标委员会的结果不同 / not what the committee concluded")


def _check_candidate(tender: Tender, lot: int, eid: str, ground: str, now: Reading) -> None:
    ranking = tender.recommended.ranking if tender.recommended else ()
    ranks = {item.eid: item.rank for item in ranking if item.lot == lot}
    limit = (
        tender.procedure.candidates.at(now.at).number if tender.procedure.candidates else len(ranks)
    )
    if eid not in ranks or ranks[eid] > limit:
        raise NotACandidate(bidder=eid[:12], lot=lot)
    if (
        tender.procedure.first_rank
        and tender.drafted.state_funded
        and ranks[eid] != 1
        and not ground.strip()
    ):
        raise NotFirstRank(article=tender.procedure.first_rank.at(now.at).article)


def decide_notice_of_award(tender: Tender) -> AwardNoticed:
    if tender.decided is None:
        raise AwardRefusal(problem=f"{tender.drafted.number}: 尚无定标决定 / nothing decided")
    return AwardNoticed()
