"""票决定标 vote: rounds until one candidate has more than half of all members' votes.

Whoever has the fewest votes stands no more; where all have equally many, everybody votes again.
"""

from collections import Counter

from trading.award_method import AwardMethod, Standing, Verdict

__all__ = ["AWARD"]


def _decide(lot: Standing) -> Verdict:
    standing = tuple(candidate.eid for candidate in lot.candidates)
    names = {candidate.eid: candidate.bidder_name for candidate in lot.candidates}
    told = []
    for number, ballots in enumerate(lot.ballots, 1):
        votes = Counter(eid for eid in ballots.values() if eid in standing)
        tally = "、".join(f"{names[eid]} {votes[eid]} 票" for eid in standing)
        told.append(f"第 {number} 轮 round {number}：{tally}")
        leader = max(standing, key=lambda eid: votes[eid])
        if votes[leader] * 2 > len(lot.members):
            told.append(f"{names[leader]} 过半数中标 / has a majority")
            return Verdict(leader, "；".join(told))
        fewest = min(votes[eid] for eid in standing)
        left = tuple(eid for eid in standing if votes[eid] > fewest)
        standing = left or standing
    return Verdict("", "；".join(told), standing)


AWARD = AwardMethod(code="vote", zh="票决定标法", en="Award by vote", decide=_decide, votes=True)
