"""不良评委打分异常 an expert with a record scores oddly.

名称 Name: bad-record-expert.
定义 Definition: an expert with a bad record is far from the panel's median for a bidder.
理由 Why: a record is a reason to look twice.
数据 Data: panel.has_bad_record and marks.
方法 Method: distance from the median of the others.
阈值 Threshold: 0.2.
例外 Exclusions: experts without a record.
来源 Source: 清标四十六项; 评标委员会和评标方法暂行规定 第五十四条.
"""

from collections.abc import Iterator, Sequence
from statistics import median

from analytics.clue import Case, Clue, Group, Hit, by_bidder

__all__ = ["CLUE"]

_FAR = 0.2


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        marked = {seat.expert for seat in case.panel if seat.has_bad_record}
        for bidder, given in sorted(by_bidder(case).items()):
            for expert in sorted(marked & set(given)):
                others = [share for one, share in given.items() if one != expert]
                if others and abs(given[expert] - median(others)) >= _FAR:
                    off = given[expert] - median(others)
                    yield Hit(case.lot, (expert, bidder), f"{off:+.2f}")


CLUE = Clue(
    code="bad-record-expert",
    zh="不良评委打分异常",
    en="an expert with a record scores oddly",
    group=Group.BASIC,
    article="评标委员会和评标方法暂行规定 第五十四条",
    look=_look,
)
