"""同一单位评分偏离度异常 experts disagree about one bidder.

名称 Name: score-spread.
定义 Definition: subjective scores of one bidder differ far more than those of the others.
理由 Why: somebody scores for a reason of his own.
数据 Data: marks, the subjective ones.
方法 Method: range of the experts' mean shares for a bidder.
阈值 Threshold: 0.4 of what the items allow, and twice the median of the lot.
例外 Exclusions: objective items; fewer than 3 experts.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from analytics.clue import Case, Clue, Group, Hit, by_bidder

__all__ = ["CLUE"]

_WIDE, _EXPERTS = 0.4, 3


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        spans = {}
        for bidder, given in by_bidder(case).items():
            if len(given) >= _EXPERTS:
                spans[bidder] = max(given.values()) - min(given.values())
        usual = median(spans.values()) if spans else 0.0
        for bidder, span in sorted(spans.items()):
            if span >= _WIDE and span >= 2 * usual:
                yield Hit(case.lot, (bidder,), f"{span:.2f}")


CLUE = Clue(
    code="score-spread",
    zh="同一单位评分偏离度异常",
    en="experts disagree about one bidder",
    group=Group.CORE,
    article="发改法规规〔2022〕1117号 第十条",
    look=_look,
)
