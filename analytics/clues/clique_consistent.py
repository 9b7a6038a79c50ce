"""抱团评委打分一致性 experts score as one.

名称 Name: clique-consistent.
定义 Definition: three or more experts leave the panel's median together, lot after lot.
理由 Why: they do not score independently.
数据 Data: marks of all lots, the subjective ones.
方法 Method: correlation of deviations from the median, of every two of the group.
阈值 Threshold: 0.6 on 8 common scores.
例外 Exclusions: panels of fewer than 5.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第十七条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit, scores_of
from analytics.experts import cliques

__all__ = ["CLUE"]


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    scores = scores_of(cases)
    last = {score.expert: score.tender for score in scores}
    for one in cliques(scores):
        yield Hit(last[one.experts[0]], one.experts, f"{one.alike:.2f}")


CLUE = Clue(
    code="clique-consistent",
    zh="抱团评委打分一致性",
    en="experts score as one",
    group=Group.CORE,
    article="评标委员会和评标方法暂行规定 第十七条",
    look=_look,
)
