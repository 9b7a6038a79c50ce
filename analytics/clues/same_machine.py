"""机器码雷同 one machine.

名称 Name: same-machine.
定义 Definition: the bids of two or more bidders of a lot were made on one machine.
理由 Why: who shares a desk does not compete.
数据 Data: bids.machine, hashed for each tender in the sealed envelope.
方法 Method: values of the lot's bids are compared as they are.
阈值 Threshold: two bidders.
例外 Exclusions: empty values; shared networks and agents' offices are for people to tell apart.
来源 Source: 清标四十六项; 条例 第四十条.
"""

from analytics.clue import Clue, Group, within_lot

__all__ = ["CLUE"]


CLUE = Clue(
    code="same-machine",
    zh="机器码雷同",
    en="one machine",
    group=Group.TRIGGER,
    article="条例 第四十条",
    look=within_lot("machine"),
)
