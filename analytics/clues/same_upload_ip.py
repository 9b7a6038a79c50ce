"""投标IP雷同 one upload address.

名称 Name: same-upload-ip.
定义 Definition: two bids of a lot came from one network address.
理由 Why: the same office sent both.
数据 Data: bids.upload_ip, where a gateway keeps it.
方法 Method: values of the lot's bids are compared as they are.
阈值 Threshold: two bidders.
例外 Exclusions: empty values; shared networks and agents' offices are for people to tell apart.
来源 Source: 清标四十六项; 政府采购货物和服务招标投标管理办法 第三十七条.
"""

from analytics.clue import Clue, Group, within_lot

__all__ = ["CLUE"]


CLUE = Clue(
    code="same-upload-ip",
    zh="投标IP雷同",
    en="one upload address",
    group=Group.TRIGGER,
    article="政府采购货物和服务招标投标管理办法 第三十七条",
    look=within_lot("upload_ip"),
)
