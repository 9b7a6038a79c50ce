"""异标段机器码雷同 one machine across lots.

名称 Name: cross-machine.
定义 Definition: bids of different bidders of different lots were made on one machine.
理由 Why: firms that share a desk.
数据 Data: bids.machine; hashes of different tenders differ, so a gateway's own code is needed.
方法 Method: each value is held against all earlier lots, and told for the later one.
阈值 Threshold: one other bidder.
例外 Exclusions: the same bidder in several lots; empty values.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from analytics.clue import Clue, Group, across_lots

__all__ = ["CLUE"]


CLUE = Clue(
    code="cross-machine",
    zh="异标段机器码雷同",
    en="one machine across lots",
    group=Group.BASIC,
    article="发改法规规〔2022〕1117号 第十条",
    look=across_lots("machine"),
)
