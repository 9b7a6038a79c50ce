"""招标失败异常 failed again and again.

名称 Name: failures.
定义 Definition: a lot was tendered and failed several times.
理由 Why: failures shake rivals off.
数据 Data: failures.
方法 Method: counted.
阈值 Threshold: 2.
例外 Exclusions: none.
来源 Source: 清标四十六项; 条例 第四十四条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 2


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        if case.failures >= _FEWEST:
            yield Hit(case.lot, (), f"{case.failures}")


CLUE = Clue(
    code="failures",
    zh="招标失败异常",
    en="failed again and again",
    group=Group.CORE,
    article="条例 第四十四条",
    look=_look,
)
