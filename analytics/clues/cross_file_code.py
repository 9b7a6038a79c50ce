"""异标段文件码雷同 one file code across lots.

名称 Name: cross-file-code.
定义 Definition: different bidders of different lots carry one file code.
理由 Why: a file travels between firms that take turns.
数据 Data: bids.file.
方法 Method: each value is held against all earlier lots, and told for the later one.
阈值 Threshold: one other bidder.
例外 Exclusions: the same bidder in several lots; empty values.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from analytics.clue import Clue, Group, across_lots

__all__ = ["CLUE"]


CLUE = Clue(
    code="cross-file-code",
    zh="异标段文件码雷同",
    en="one file code across lots",
    group=Group.TRIGGER,
    article="发改法规规〔2022〕1117号 第十条",
    look=across_lots("file"),
)
