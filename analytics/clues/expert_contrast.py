"""同一专家评分偏离度异常 one expert sets bidders far apart.

名称 Name: expert-contrast.
定义 Definition: one expert's scores of the bidders lie far further apart than the others'.
理由 Why: it lifts one and sinks the rest.
数据 Data: marks, the subjective ones.
方法 Method: standard deviation of an expert's mean shares over the bidders.
阈值 Threshold: 3 times the median of the panel, and 0.15.
例外 Exclusions: fewer than 3 experts.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from collections.abc import Iterator, Sequence
from statistics import median, pstdev

from analytics.clue import Case, Clue, Group, Hit, by_expert

__all__ = ["CLUE"]

_TIMES, _LEAST, _EXPERTS = 3, 0.15, 3


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        spreads = {
            expert: pstdev(given.values())
            for expert, given in by_expert(case).items()
            if len(given) > 1
        }
        usual = median(spreads.values()) if len(spreads) >= _EXPERTS else None
        for expert, spread in sorted(spreads.items()):
            if usual is not None and spread >= max(_LEAST, _TIMES * usual):
                yield Hit(case.lot, (expert,), f"{spread:.2f}")


CLUE = Clue(
    code="expert-contrast",
    zh="同一专家评分偏离度异常",
    en="one expert sets bidders far apart",
    group=Group.CORE,
    article="发改法规规〔2022〕1117号 第十条",
    look=_look,
)
