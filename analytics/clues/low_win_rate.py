"""低中标率异常 hardly ever wins.

名称 Name: low-win-rate.
定义 Definition: a firm that bids often wins far more rarely than by chance.
理由 Why: it may bid to accompany others.
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
    code="low-win-rate",
    zh="低中标率异常",
    en="hardly ever wins",
    group=Group.CORE,
    article="发改法规规〔2022〕1117号 第十条",
    look=wins_oddly(often=False),
)
