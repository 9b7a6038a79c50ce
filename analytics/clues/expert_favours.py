"""特定评委打分异常 an expert favours a bidder.

名称 Name: expert-favours.
定义 Definition: an expert scores one bidder above, or below, the other experts, time and again.
理由 Why: an understanding between the two.
数据 Data: marks of all lots, the subjective ones.
方法 Method: residuals against the other members, leaving the expert out; Student's t.
阈值 Threshold: 4 scores, chance below 0.01.
例外 Exclusions: objective items.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第十三条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit, scores_of
from analytics.experts import partialities, residuals

__all__ = ["CLUE"]


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    found = residuals(scores_of(cases))
    last = {(score.expert, score.bidder): score.tender for score in found}
    for one in partialities(found):
        lot = last[one.expert, one.bidder]
        yield Hit(lot, (one.expert, one.bidder), f"{one.mean:+.2f}")


CLUE = Clue(
    code="expert-favours",
    zh="特定评委打分异常",
    en="an expert favours a bidder",
    group=Group.CORE,
    article="评标委员会和评标方法暂行规定 第十三条",
    look=_look,
)
