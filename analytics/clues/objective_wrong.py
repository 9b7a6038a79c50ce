"""客观分得分异常 an objective score that is not what it should be.

名称 Name: objective-wrong.
定义 Definition: an item with one right answer was scored otherwise.
理由 Why: what can be read from a document needs no opinion.
数据 Data: marks with `due`.
方法 Method: share given against share due.
阈值 Threshold: 0.001.
例外 Exclusions: none.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第二十九条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_LEAST = 0.001


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        for mark in case.marks:
            if mark.due is not None and abs(mark.share - mark.due) > _LEAST:
                off = f"{mark.item} {mark.share - mark.due:+.2f}"
                yield Hit(case.lot, (mark.expert, mark.bidder), off)


CLUE = Clue(
    code="objective-wrong",
    zh="客观分得分异常",
    en="an objective score that is not what it should be",
    group=Group.CORE,
    article="评标委员会和评标方法暂行规定 第二十九条",
    look=_look,
)
