"""标书获取单位投标异常 documents taken, no bid.

名称 Name: taken-not-bid.
定义 Definition: most of those that took the documents did not bid.
理由 Why: they may have been asked to stay away.
数据 Data: takers and bids.
方法 Method: takers without a bid over all takers.
阈值 Threshold: 0.7 of at least 6.
例外 Exclusions: few takers.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_SHARE, _FEWEST = 0.7, 6


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        takers = set(case.takers)
        stayed = takers - {bid.bidder for bid in case.bids}
        if len(takers) >= _FEWEST and len(stayed) >= _SHARE * len(takers):
            yield Hit(case.lot, tuple(sorted(stayed)), f"{len(stayed)}/{len(takers)}")


CLUE = Clue(
    code="taken-not-bid",
    zh="标书获取单位投标异常",
    en="documents taken, no bid",
    group=Group.CORE,
    article="发改法规规〔2022〕1117号 第十条",
    look=_look,
)
