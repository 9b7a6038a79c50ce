"""异标段下载IP雷同 one download address across lots.

名称 Name: cross-download-ip.
定义 Definition: different bidders of different lots took documents from one address.
理由 Why: firms that share an office.
数据 Data: bids.download_ip.
方法 Method: each value is held against all earlier lots, and told for the later one.
阈值 Threshold: one other bidder.
例外 Exclusions: the same bidder in several lots; empty values.
来源 Source: 清标四十六项; 政府采购货物和服务招标投标管理办法 第三十七条.
"""

from analytics.clue import Clue, Group, across_lots

__all__ = ["CLUE"]


CLUE = Clue(
    code="cross-download-ip",
    zh="异标段下载IP雷同",
    en="one download address across lots",
    group=Group.BASIC,
    article="政府采购货物和服务招标投标管理办法 第三十七条",
    look=across_lots("download_ip"),
)
