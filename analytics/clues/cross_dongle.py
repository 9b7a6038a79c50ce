"""异标段加密锁雷同 one dongle across lots.

名称 Name: cross-dongle.
定义 Definition: different bidders of different lots used one dongle.
理由 Why: a dongle travels between firms.
数据 Data: bids.dongle.
方法 Method: each value is held against all earlier lots, and told for the later one.
阈值 Threshold: one other bidder.
例外 Exclusions: the same bidder in several lots; empty values.
来源 Source: 清标四十六项; 电子招标投标办法 第十六条.
"""

from analytics.clue import Clue, Group, across_lots

__all__ = ["CLUE"]


CLUE = Clue(
    code="cross-dongle",
    zh="异标段加密锁雷同",
    en="one dongle across lots",
    group=Group.BASIC,
    article="电子招标投标办法 第十六条",
    look=across_lots("dongle"),
)
