"""次低价过远 the lowest bid is suspiciously far below the others.

名称 Name: R058, heavily discounted bid.
定义 Definition: the runner-up's price lies farther above the winner's than is usual in this market.
理由 Why: an amount far below all others is made up by changes later, or others bid to lose.
数据 Data: bids.details (status valid, value, one tenderer), awards with one active supplier.
方法 Method: (second − lowest) ÷ lowest; at or above Q3 + 1.5 IQR of all processes.
阈值 Threshold: that fence, unless one is set.
例外 Exclusions: where something else than price decided; joint bids; other currencies.
来源 Source: OCP red flags R058; Cardinal.
"""

from analytics.fences import Fences
from analytics.indicator import OCID, TENDERER, Found, Indicator, Setup
from analytics.process import Process

__all__ = ["INDICATOR"]


class _Far:
    def __init__(self, setup: Setup) -> None:
        self._setup, self._seconds = setup, setup.seconds

    def see(self, process: Process) -> None:
        """The seconds have been seen already."""

    def finish(self) -> Found:
        seconds = self._seconds
        fences = Fences(list(seconds.ratios.values()))
        limit = self._setup.fence(fences.upper)
        results: dict[tuple[str, str], float] = {}
        for ocid, ratio in seconds.ratios.items():
            if limit > 0 and ratio >= limit:
                results[OCID, ocid] = ratio
                results[TENDERER, seconds.pairs[ocid][0]] = 0.0
        return Found(results, self._setup.quartiles(fences) | {"upper_fence": limit})


INDICATOR = Indicator(
    "R058", "次低价过远", "heavily discounted bid", _Far, frozenset({"threshold"})
)
