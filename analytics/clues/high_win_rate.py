"""高中标率异常 wins nearly always.

名称 Name: high-win-rate.
定义 Definition: a firm wins far more often than by chance.
理由 Why: others may bid to let it win.
数据 Data: winner and bids of all lots.
方法 Method: wins against a binomial distribution whose chance is one in the number of bidders.
阈值 Threshold: 8 bids, chance below 0.01.
例外 Exclusions: lots without a winner.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from scipy.stats import binom

from analytics.clue import Case, Clue, Group, Hit

__all__ = ["CLUE"]

_FEWEST = 8
_RARE = 0.01


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    bids, wins = Counter[str](), Counter[str]()
    even: dict[str, float] = defaultdict(float)
    last: dict[str, str] = {}
    for case in cases:
        for bid in case.bids if case.winner else ():
            bids[bid.bidder] += 1
            wins[bid.bidder] += bid.bidder == case.winner
            even[bid.bidder] += 1 / len(case.bids)
            last[bid.bidder] = case.lot
    for bidder, count in bids.items():
        chance = float(binom.sf(wins[bidder] - 1, count, even[bidder] / count))
        if count >= _FEWEST and chance < _RARE:
            yield Hit(last[bidder], (bidder,), f"{wins[bidder]}/{count}")


CLUE = Clue(
    code="high-win-rate",
    zh="高中标率异常",
    en="wins nearly always",
    group=Group.CORE,
    article="发改法规规〔2022〕1117号 第十条",
    look=_look,
)
