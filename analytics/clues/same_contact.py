"""联系人雷同 one contact.

名称 Name: same-contact.
定义 Definition: two bidders of a lot name one contact or e-mail address.
理由 Why: one person handles both bids.
数据 Data: bids.contact and email.
方法 Method: values of the lot's bids are compared as they are.
阈值 Threshold: two bidders.
例外 Exclusions: empty values; shared networks and agents' offices are for people to tell apart.
来源 Source: 清标四十六项; 政府采购货物和服务招标投标管理办法 第三十七条.
"""

from analytics.clue import Clue, Group, within_lot

__all__ = ["CLUE"]


CLUE = Clue(
    code="same-contact",
    zh="联系人雷同",
    en="one contact",
    group=Group.TRIGGER,
    article="政府采购货物和服务招标投标管理办法 第三十七条",
    look=within_lot("contact", "email"),
)
