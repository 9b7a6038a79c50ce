"""直接定标 direct award: the candidate that the panel ranks first (条例 55)."""

from trading.award_method import AwardMethod, Standing, Verdict

__all__ = ["AWARD"]


def _decide(lot: Standing) -> Verdict:
    first = min(lot.candidates, key=lambda candidate: candidate.rank)
    text = f"排名第一的候选人 {first.bidder_name} 中标 / rank 1 wins"
    return Verdict(first.eid, text)


AWARD = AwardMethod(
    code="first-rank", zh="直接定标法", en="Direct award", decide=_decide, ranked=True
)
