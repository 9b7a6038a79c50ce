"""经济标错误雷同 the same slips.

名称 Name: similar-errors.
定义 Definition: two priced bills of a lot have the same slips.
理由 Why: nobody makes the same mistakes by chance.
数据 Data: bids.errors: where a slip stands, and what it says.
方法 Method: slips that exactly the two have in common are counted.
阈值 Threshold: 3 slips.
例外 Exclusions: slips of most bidders, which the tender itself gave.
来源 Source: 清标四十六项; 条例 第四十条.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 3


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        makers = Counter(error for bid in case.bids for error in set(bid.errors))
        common = {
            error for error, count in makers.items() if count > 2 and count * 2 > len(case.bids)
        }
        for first, second in combinations(case.bids, 2):
            shared = (set(first.errors) & set(second.errors)) - common
            if len(shared) >= _FEWEST:
                who = tuple(sorted((first.bidder, second.bidder)))
                yield Hit(case.lot, who, f"{len(shared)}")


CLUE = Clue(
    code="similar-errors",
    zh="经济标错误雷同",
    en="the same slips",
    group=Group.TRIGGER,
    article="条例 第四十条",
    look=_look,
)
