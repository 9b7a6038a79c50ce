"""招标质疑 many challenges by one firm.

名称 Name: challenges.
定义 Definition: one party asks or objects again and again about a lot.
理由 Why: challenges can be a means to move a tender.
数据 Data: challenges.
方法 Method: entries of one party are counted.
阈值 Threshold: 3.
例外 Exclusions: none.
来源 Source: 清标四十六项; 条例 第二十二条.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 3


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        for who, count in sorted(Counter(case.challenges).items()):
            if count >= _FEWEST:
                yield Hit(case.lot, (who,), f"{count}")


CLUE = Clue(
    code="challenges",
    zh="招标质疑",
    en="many challenges by one firm",
    group=Group.CORE,
    article="条例 第二十二条",
    look=_look,
)
