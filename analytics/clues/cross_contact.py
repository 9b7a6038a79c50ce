"""异标段联系人雷同 one contact across lots.

名称 Name: cross-contact.
定义 Definition: different bidders of different lots name one contact.
理由 Why: one person bids for several firms.
数据 Data: bids.contact and email.
方法 Method: each value is held against all earlier lots, and told for the later one.
阈值 Threshold: one other bidder.
例外 Exclusions: the same bidder in several lots; empty values.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from analytics.clue import Clue, Group, across_lots

__all__ = ["CLUE"]


CLUE = Clue(
    code="cross-contact",
    zh="异标段联系人雷同",
    en="one contact across lots",
    group=Group.TRIGGER,
    article="发改法规规〔2022〕1117号 第十条",
    look=across_lots("contact", "email"),
)
