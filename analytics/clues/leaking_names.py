"""暗标检测异常 names in a dark bid.

名称 Name: leaking-names.
定义 Definition: a technical bid that should tell nothing names a firm or a person.
理由 Why: a sign for an expert who waits for it.
数据 Data: bids.leaks.
方法 Method: names are counted.
阈值 Threshold: 1 name.
例外 Exclusions: reviews that are not blind have no leaks.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第十九条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        for bid in case.bids:
            if bid.leaks:
                yield Hit(case.lot, (bid.bidder,), "、".join(bid.leaks))


CLUE = Clue(
    code="leaking-names",
    zh="暗标检测异常",
    en="names in a dark bid",
    group=Group.BASIC,
    article="评标委员会和评标方法暂行规定 第十九条",
    look=_look,
)
