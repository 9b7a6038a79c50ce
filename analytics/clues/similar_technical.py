"""技术标雷同 technical bids alike.

名称 Name: similar-technical.
定义 Definition: the technical texts of two bids of a lot are alike.
理由 Why: one team wrote both.
数据 Data: alike, of `kaifeng analytics similar`.
方法 Method: share of grams that both have, templates and the tender taken off.
阈值 Threshold: 0.8.
例外 Exclusions: what the tender gave everybody.
来源 Source: 清标四十六项; 招标投标法 第三十二条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_ALIKE = 0.8


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        for one in case.alike:
            if one.share >= _ALIKE:
                yield Hit(case.lot, tuple(sorted((one.first, one.second))), f"{one.share:.2f}")


CLUE = Clue(
    code="similar-technical",
    zh="技术标雷同",
    en="technical bids alike",
    group=Group.TRIGGER,
    article="招标投标法 第三十二条",
    look=_look,
)
