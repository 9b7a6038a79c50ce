"""标书上传间隔异常 uploads within minutes.

名称 Name: upload-interval.
定义 Definition: bids of a lot came in within a very short time of each other, hours before the
deadline.
理由 Why: one hand sent them one after the other.
数据 Data: bids.uploaded_at.
方法 Method: gaps between uploads that follow each other.
阈值 Threshold: 60 seconds.
例外 Exclusions: the last hour before the last upload, when everybody is late.
来源 Source: 清标四十六项; 电子招标投标办法 第二十七条.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_SECONDS = 60
_RUSH = 3600


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        known = [(bid.uploaded_at, bid.bidder) for bid in case.bids if bid.uploaded_at is not None]
        ordered = sorted(known)
        for (first, one), (second, other) in pairwise(ordered):
            is_rush = second > ordered[-1][0] - _RUSH and len(ordered) > 2
            if second - first <= _SECONDS and one != other and not is_rush:
                yield Hit(case.lot, tuple(sorted((one, other))), f"{second - first:.0f}s")


CLUE = Clue(
    code="upload-interval",
    zh="标书上传间隔异常",
    en="uploads within minutes",
    group=Group.CORE,
    article="电子招标投标办法 第二十七条",
    look=_look,
)
