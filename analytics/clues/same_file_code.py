"""文件码雷同 one file code.

名称 Name: same-file-code.
定义 Definition: bid files of two bidders carry one creation code.
理由 Why: one file became two bids.
数据 Data: bids.file.
方法 Method: values of the lot's bids are compared as they are.
阈值 Threshold: two bidders.
例外 Exclusions: empty values; shared networks and agents' offices are for people to tell apart.
来源 Source: 清标四十六项; 条例 第四十条.
"""

from analytics.clue import Clue, Group, within_lot

__all__ = ["CLUE"]


CLUE = Clue(
    code="same-file-code",
    zh="文件码雷同",
    en="one file code",
    group=Group.TRIGGER,
    article="条例 第四十条",
    look=within_lot("file"),
)
