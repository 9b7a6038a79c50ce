"""集体议事定标 collective deliberation: each member states its choice and why; two thirds agree.

Without agreement the committee deliberates again, with all candidates.
"""

from collections import Counter

from trading.award_method import AwardMethod, Standing, Verdict

__all__ = ["AWARD"]

_AGREED, _OF = 2, 3


def _decide(lot: Standing) -> Verdict:
    names = {candidate.eid: candidate.bidder_name for candidate in lot.candidates}
    told = []
    for number, ballots in enumerate(lot.ballots, 1):
        votes = Counter(eid for eid in ballots.values() if eid in names)
        chosen = max(names, key=lambda eid: votes[eid])
        times = votes[chosen]
        told.append(
            f"第 {number} 次议事：{names[chosen]} 得 {times}/{len(lot.members)} 赞成 / in favour"
        )
        if times * _OF >= len(lot.members) * _AGREED:
            told.append(f"三分之二以上同意 {names[chosen]} 中标 / two thirds agree")
            return Verdict(chosen, "；".join(told))
    return Verdict("", "；".join(told), tuple(names))


AWARD = AwardMethod(
    code="collective-deliberation",
    zh="集体议事法",
    en="Award by collective deliberation",
    decide=_decide,
    votes=True,
)
