"""投标总价等比浮动异常 totals in steps.

名称 Name: price-steps.
定义 Definition: totals of three or more bids follow each other by one difference or one ratio.
理由 Why: prices that were made from one another.
数据 Data: bids.price.
方法 Method: consecutive differences, and ratios, of ascending totals.
阈值 Threshold: 3 equal steps to within 0.005 percent.
例外 Exclusions: equal totals, which are a flag of their own.
来源 Source: 清标四十六项; 政府采购货物和服务招标投标管理办法 第三十七条.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_STEPS, _CLOSE = 3, 0.00005


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        priced = sorted((bid.price, bid.bidder) for bid in case.bids if bid.price)
        for start in range(len(priced) - _STEPS):
            run = priced[start : start + _STEPS + 1]
            totals = [price for price, _ in run]
            steps = [after - before for before, after in pairwise(totals)]
            ratios = [after / before for before, after in pairwise(totals)]
            is_even = min(steps) > 0 and (
                max(steps) - min(steps) <= _CLOSE * totals[0] or max(ratios) - min(ratios) <= _CLOSE
            )
            if is_even:
                yield Hit(case.lot, tuple(sorted(who for _, who in run)), f"{steps[0] / 100:.2f}")


CLUE = Clue(
    code="price-steps",
    zh="投标总价等比浮动异常",
    en="totals in steps",
    group=Group.EXTENDED,
    article="政府采购货物和服务招标投标管理办法 第三十七条",
    look=_look,
)
