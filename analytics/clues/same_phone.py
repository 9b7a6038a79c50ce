"""联系电话异常 one telephone number.

名称 Name: same-phone.
定义 Definition: two bidders of a lot give one telephone number.
理由 Why: one person answers for both.
数据 Data: bids.phone.
方法 Method: values of the lot's bids are compared as they are.
阈值 Threshold: two bidders.
例外 Exclusions: empty values; shared networks and agents' offices are for people to tell apart.
来源 Source: 清标四十六项; 条例 第四十条.
"""

from analytics.clue import Clue, Group, within_lot

__all__ = ["CLUE"]


CLUE = Clue(
    code="same-phone",
    zh="联系电话异常",
    en="one telephone number",
    group=Group.EXTENDED,
    article="条例 第四十条",
    look=within_lot("phone"),
)
