"""撤回投标异常 several withdraw.

名称 Name: withdrawals.
定义 Definition: several bidders of a lot withdrew before the deadline.
理由 Why: they may have agreed who stays.
数据 Data: withdrawn.
方法 Method: counted, and held against those who stayed.
阈值 Threshold: 2, and at least half of those who stayed.
例外 Exclusions: replacements are no withdrawals.
来源 Source: 清标四十六项; 条例 第三十五条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 2


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        gone = set(case.withdrawn) - {bid.bidder for bid in case.bids}
        if len(gone) >= _FEWEST and 2 * len(gone) >= len(case.bids):
            yield Hit(case.lot, tuple(sorted(gone)), f"{len(gone)}/{len(case.bids)}")


CLUE = Clue(
    code="withdrawals",
    zh="撤回投标异常",
    en="several withdraw",
    group=Group.CORE,
    article="条例 第三十五条",
    look=_look,
)
