"""屡投不中 a tenderer bids often and hardly ever wins.

名称 Name: R025, excessive unsuccessful bids.
定义 Definition: among those who bid most, who wins far less often than is usual.
理由 Why: covers keep losing; a firm that wanted to win would give up or do better.
数据 Data: bids.details (status valid, one tenderer), awards with one active supplier.
方法 Method: wins ÷ processes with a valid bid; at or below Q1 − 1.5 IQR, for those at or above a
percentile of the number of processes.
阈值 Threshold: that fence, unless one is set; the 75th percentile, unless another is.
例外 Exclusions: joint bids; processes that are not decided.
来源 Source: OCP red flags R025; Cardinal.
"""

from collections import Counter

from analytics.fences import Fences, quantile
from analytics.indicator import TENDERER, Found, Indicator, Setup
from analytics.process import Process

__all__ = ["INDICATOR"]

_PERCENTILE = 75


class _Losing:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._bids: Counter[str] = Counter()
        self._wins: Counter[str] = Counter()

    def see(self, process: Process) -> None:
        winner = process.winner
        if winner is None:
            return
        tenderers = {bid.tenderer for bid in process.valid if bid.tenderer is not None}
        self._bids.update(tenderers)
        self._wins.update(tenderers & {winner})

    def finish(self) -> Found:
        ratios = {party: self._wins[party] / count for party, count in self._bids.items()}
        fences = Fences(list(ratios.values()))
        share = self._setup.whole("percentile", _PERCENTILE) / 100
        often = quantile([float(count) for count in sorted(self._bids.values())], share)
        limit = self._setup.fence(fences.lower)
        results = {}
        if limit > 0 and (self._setup.is_set or fences.q1 > 0):
            results = {
                (TENDERER, party): ratio
                for party, ratio in ratios.items()
                if self._bids[party] >= often and ratio <= limit
            }
        return Found(
            results, self._setup.quartiles(fences) | {"upper_fence": often, "lower_fence": limit}
        )


INDICATOR = Indicator(
    "R025",
    "屡投不中",
    "excessive unsuccessful bids",
    _Losing,
    frozenset({"percentile", "threshold"}),
)
