"""商务标得分异常 commercial scores far ahead.

名称 Name: commercial-gap.
定义 Definition: one bidder's commercial score lies far ahead of all the others, which lie
together.
理由 Why: items may have been made for one.
数据 Data: marks of the commercial part.
方法 Method: the best mean share against the second, and the spread of the rest.
阈值 Threshold: 0.2, and 3 times the spread of the rest; at least 4 bidders.
例外 Exclusions: fewer bidders.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第三十五条.
"""

from analytics.clue import Clue, Group
from analytics.looks import far_ahead

__all__ = ["CLUE"]

CLUE = Clue(
    code="commercial-gap",
    zh="商务标得分异常",
    en="commercial scores far ahead",
    group=Group.EXTENDED,
    article="评标委员会和评标方法暂行规定 第三十五条",
    look=far_ahead("commercial"),
)
