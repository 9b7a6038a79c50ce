"""投标单位未开标异常 absent from the opening.

名称 Name: absent.
定义 Definition: several bidders did not come to the opening, or did not decrypt.
理由 Why: a bid that nobody opens was never meant.
数据 Data: absent.
方法 Method: counted.
阈值 Threshold: 2.
例外 Exclusions: one who is late is no pattern.
来源 Source: 清标四十六项; 条例 第三十五条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 2


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        if len(set(case.absent)) >= _FEWEST:
            yield Hit(case.lot, tuple(sorted(set(case.absent))), f"{len(set(case.absent))}")


CLUE = Clue(
    code="absent",
    zh="投标单位未开标异常",
    en="absent from the opening",
    group=Group.CORE,
    article="条例 第三十五条",
    look=_look,
)
