"""技术标得分异常 technical scores far ahead.

名称 Name: technical-gap.
定义 Definition: one bidder's technical score lies far ahead of all the others, which lie
together.
理由 Why: items may have been made for one.
数据 Data: marks of the technical part.
方法 Method: the best mean share against the second, and the spread of the rest.
阈值 Threshold: 0.2, and 3 times the spread of the rest; at least 4 bidders.
例外 Exclusions: fewer bidders.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第三十五条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit, totals_of

__all__ = ["CLUE"]

_GAP, _TIMES, _FEWEST = 0.2, 3, 4


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        totals = totals_of(case, "technical")
        ordered = sorted(totals, key=lambda bidder: (-totals[bidder], bidder))
        if len(ordered) < _FEWEST:
            continue
        best, second, last = (totals[ordered[place]] for place in (0, 1, -1))
        if best - second >= max(_GAP, _TIMES * (second - last)):
            yield Hit(case.lot, (ordered[0],), f"{best - second:.2f}")


CLUE = Clue(
    code="technical-gap",
    zh="技术标得分异常",
    en="technical scores far ahead",
    group=Group.EXTENDED,
    article="评标委员会和评标方法暂行规定 第三十五条",
    look=_look,
)
