"""高中标率异常 wins nearly always.

名称 Name: high-win-rate.
定义 Definition: a firm wins far more often than by chance.
理由 Why: others may bid to let it win.
数据 Data: winner and bids of all lots.
方法 Method: wins against a binomial distribution whose chance is one in the number of bidders.
阈值 Threshold: 8 bids, chance below 0.01.
例外 Exclusions: lots without a winner.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from analytics.clue import Clue, Group
from analytics.looks import wins_oddly

__all__ = ["CLUE"]

CLUE = Clue(
    code="high-win-rate",
    zh="高中标率异常",
    en="wins nearly always",
    group=Group.CORE,
    article="发改法规规〔2022〕1117号 第十条",
    look=wins_oddly(often=True),
)
