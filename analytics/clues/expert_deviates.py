"""专家打分偏离度异常 an expert off from all the others.

名称 Name: expert-deviates.
定义 Definition: an expert's scores lie far from those of the panel, bidder after bidder.
理由 Why: it measures by a rule of its own.
数据 Data: marks, the subjective ones.
方法 Method: mean distance of an expert's shares from the panel's median.
阈值 Threshold: 0.15, and 3 times the median expert.
例外 Exclusions: panels of fewer than 5.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第十三条.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import mean, median

from analytics.clue import Case, Clue, Group, Hit, by_bidder

__all__ = ["CLUE"]

_LEAST, _TIMES, _PANEL = 0.15, 3, 5


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        given = by_bidder(case)
        off: dict[str, list[float]] = defaultdict(list)
        for shares in given.values():
            middle = median(shares.values())
            for expert, share in shares.items():
                off[expert].append(abs(share - middle))
        means = {expert: mean(values) for expert, values in off.items()}
        usual = median(means.values()) if len(means) >= _PANEL else None
        for expert, far in sorted(means.items()):
            if usual is not None and far >= max(_LEAST, _TIMES * usual):
                yield Hit(case.lot, (expert,), f"{far:.2f}")


CLUE = Clue(
    code="expert-deviates",
    zh="专家打分偏离度异常",
    en="an expert off from all the others",
    group=Group.CORE,
    article="评标委员会和评标方法暂行规定 第十三条",
    look=_look,
)
