"""中标候选人放弃中标 a candidate gives up.

名称 Name: candidate-gave-up.
定义 Definition: a candidate renounces the award.
理由 Why: it may make way for who was meant to win.
数据 Data: gave_up.
方法 Method: each is told.
阈值 Threshold: 1.
例外 Exclusions: force majeure is for people to tell apart.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第四十八条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        for who in case.gave_up:
            yield Hit(case.lot, (who,), case.winner or "—")


CLUE = Clue(
    code="candidate-gave-up",
    zh="中标候选人放弃中标",
    en="a candidate gives up",
    group=Group.CORE,
    article="评标委员会和评标方法暂行规定 第四十八条",
    look=_look,
)
