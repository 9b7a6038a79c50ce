"""投标单位数异常 an odd number of bidders.

名称 Name: bidder-count.
定义 Definition: fewer valid bids than the law asks for, or just as many.
理由 Why: three are easily found.
数据 Data: bids.is_valid.
方法 Method: valid bids are counted.
阈值 Threshold: below 3; or 3 where others of the buyer have twice as many.
例外 Exclusions: buyers with fewer than 5 lots are held against 3 alone.
来源 Source: 清标四十六项; 条例 第四十四条.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 3
_LOTS = 5


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    counts: dict[str, list[int]] = defaultdict(list)
    for case in cases:
        counts[case.buyer].append(sum(bid.is_valid for bid in case.bids))
    for case in cases:
        count, all_counts = sum(bid.is_valid for bid in case.bids), counts[case.buyer]
        usual = median(all_counts) if len(all_counts) >= _LOTS else 0
        if count < _FEWEST or (count == _FEWEST and usual >= 2 * _FEWEST):
            yield Hit(case.lot, tuple(sorted(bid.bidder for bid in case.bids)), f"{count}")


CLUE = Clue(
    code="bidder-count",
    zh="投标单位数异常",
    en="an odd number of bidders",
    group=Group.CORE,
    article="条例 第四十四条",
    look=_look,
)
