"""加密锁雷同 one pricing dongle.

名称 Name: same-dongle.
定义 Definition: two bids of a lot were priced or signed with one dongle or certificate.
理由 Why: a dongle is bought by one firm.
数据 Data: bids.dongle.
方法 Method: values of the lot's bids are compared as they are.
阈值 Threshold: two bidders.
例外 Exclusions: empty values; shared networks and agents' offices are for people to tell apart.
来源 Source: 清标四十六项; 电子招标投标办法 第十六条.
"""

from analytics.clue import Clue, Group, within_lot

__all__ = ["CLUE"]


CLUE = Clue(
    code="same-dongle",
    zh="加密锁雷同",
    en="one pricing dongle",
    group=Group.TRIGGER,
    article="电子招标投标办法 第十六条",
    look=within_lot("dongle"),
)
