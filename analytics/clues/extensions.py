"""招标延期异常 extended again and again.

名称 Name: extensions.
定义 Definition: the deadline of a lot was moved several times.
理由 Why: one waits for somebody.
数据 Data: extensions.
方法 Method: counted.
阈值 Threshold: 2.
例外 Exclusions: extensions by the platform's own rule after an outage are not counted.
来源 Source: 清标四十六项; 条例 第二十一条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 2


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        if case.extensions >= _FEWEST:
            yield Hit(case.lot, (), f"{case.extensions}")


CLUE = Clue(
    code="extensions",
    zh="招标延期异常",
    en="extended again and again",
    group=Group.CORE,
    article="条例 第二十一条",
    look=_look,
)
