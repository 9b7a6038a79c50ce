"""高价投标异常 priced far too high.

名称 Name: high-price.
定义 Definition: a bid lies far above the others, or above the ceiling.
理由 Why: a cover bid must not win.
数据 Data: bids.price and ceiling.
方法 Method: above the ceiling, or above the third quartile by 3 interquartile ranges.
阈值 Threshold: Tukey's far fence, of at least 5 bids.
例外 Exclusions: fewer bids are held against the ceiling alone.
来源 Source: 清标四十六项; 条例 第四十条.
"""

import math
from collections.abc import Iterator, Sequence
from statistics import quantiles

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST, _FAR = 5, 3


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        prices = sorted(bid.price for bid in case.bids if bid.price is not None)
        limit = float(case.ceiling) if case.ceiling else math.inf
        if len(prices) >= _FEWEST:
            q1, _, q3 = quantiles(prices, n=4, method="inclusive")
            limit = min(limit, q3 + _FAR * (q3 - q1))
        for bid in case.bids:
            if bid.price is not None and bid.price > limit:
                yield Hit(case.lot, (bid.bidder,), f"{bid.price / 100:.2f}")


CLUE = Clue(
    code="high-price",
    zh="高价投标异常",
    en="priced far too high",
    group=Group.CORE,
    article="条例 第四十条",
    look=_look,
)
