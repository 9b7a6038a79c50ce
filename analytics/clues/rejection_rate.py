"""单位废标率异常 often rejected.

名称 Name: rejection-rate.
定义 Definition: a firm's bids are rejected far more often than others'.
理由 Why: rejections can be made to order.
数据 Data: bids.is_valid of all lots.
方法 Method: rejections against a binomial distribution with the share of all others.
阈值 Threshold: 6 bids, chance below 0.01.
例外 Exclusions: firms with few bids.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第二十条.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import scipy

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 6
_RARE = 0.01


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    bids, rejected = Counter[str](), Counter[str]()
    last: dict[str, str] = {}
    for case in cases:
        for bid in case.bids:
            bids[bid.bidder] += 1
            rejected[bid.bidder] += not bid.is_valid
            last[bid.bidder] = case.lot
    for bidder, count in bids.items():
        others = bids.total() - count
        share = (rejected.total() - rejected[bidder]) / others if others else 1.0
        chance = float(scipy.stats.binom.sf(rejected[bidder] - 1, count, share))
        if count >= _FEWEST and rejected[bidder] and chance < _RARE:
            yield Hit(last[bidder], (bidder,), f"{rejected[bidder]}/{count}")


CLUE = Clue(
    code="rejection-rate",
    zh="单位废标率异常",
    en="often rejected",
    group=Group.CORE,
    article="评标委员会和评标方法暂行规定 第二十条",
    look=_look,
)
