"""评委与招标代理亲密度 an expert close to the agent.

名称 Name: expert-agent.
定义 Definition: an expert of the panel works, worked or holds a part of the agent.
理由 Why: who is close cannot judge.
数据 Data: panel.ties.
方法 Method: equality of names or registration numbers.
阈值 Threshold: 1 tie.
例外 Exclusions: none.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第十二条.
"""

from analytics.clue import Clue, Group
from analytics.looks import tied_to

__all__ = ["CLUE"]

CLUE = Clue(
    code="expert-agent",
    zh="评委与招标代理亲密度",
    en="an expert close to the agent",
    group=Group.BASIC,
    article="评标委员会和评标方法暂行规定 第十二条",
    look=tied_to(lambda case: {case.agent}),
)
