"""次低价过近 the second lowest bid is suspiciously close.

名称 Name: R024, price close to the winning bid.
定义 Definition: the runner-up's price lies closer above the winner's than is usual in this market.
理由 Why: covers are priced just above the bid that is to win.
数据 Data: bids.details (status valid, value, one tenderer), awards with one active supplier.
方法 Method: (second − lowest) ÷ lowest; at or below Q1 − 1.5 IQR of all processes.
阈值 Threshold: that fence, unless one is set; nothing where it is not above zero.
例外 Exclusions: where something else than price decided; joint bids; other currencies.
来源 Source: OCP red flags R024; Cardinal.
"""

from analytics.fences import Fences
from analytics.indicator import OCID, TENDERER, Found, Indicator, Setup
from analytics.process import Process

__all__ = ["INDICATOR"]


class _Close:
    def __init__(self, setup: Setup) -> None:
        self._setup, self._seconds = setup, setup.seconds

    def see(self, process: Process) -> None:
        """The seconds have been seen already."""

    def finish(self) -> Found:
        seconds = self._seconds
        fences = Fences(list(seconds.ratios.values()))
        limit = self._setup.fence(fences.lower)
        results: dict[tuple[str, str], float] = {}
        if limit > 0 and (self._setup.is_set or fences.q1 > 0):
            for ocid, ratio in seconds.ratios.items():
                if ratio <= limit:
                    results[OCID, ocid] = ratio
                    results |= {(TENDERER, party): 0.0 for party in seconds.pairs[ocid]}
        return Found(results, self._setup.quartiles(fences) | {"lower_fence": limit})


INDICATOR = Indicator(
    "R024", "次低价过近", "price close to the winning bid", _Close, frozenset({"threshold"})
)
