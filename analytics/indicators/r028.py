"""报价相同 bids are identical.

名称 Name: R028, identical bid prices.
定义 Definition: two bids of different tenderers name the same amount in the same currency.
理由 Why: independent calculations do not meet to the cent (条例 第四十条（四）).
数据 Data: bids.details (status, value, tenderers).
方法 Method: each bid against the last one of the same price.
阈值 Threshold: none.
例外 Exclusions: invited and withdrawn bids; methods where prices are set or not compared.
来源 Source: OCP red flags R028; Cardinal.
"""

from analytics.indicator import OCID, TENDERER, Found, Indicator, Setup
from analytics.process import Process

__all__ = ["INDICATOR"]


class _Identical:
    def __init__(self, setup: Setup) -> None:
        self._comparison = setup.comparison
        self._found: dict[tuple[str, str], float] = {}

    def see(self, process: Process) -> None:
        if not self._comparison.applies(process):
            return
        seen: dict[tuple[float, str], frozenset[str]] = {}
        for bid in process.submitted:
            tenderers, money = frozenset(bid.tenderers or ()), bid.money
            if not tenderers or money is None:
                continue
            before = seen.get(money, tenderers)
            if before != tenderers:
                self._found[OCID, process.ocid] = 1.0
                self._found |= {(TENDERER, one): 1.0 for one in sorted(before | tenderers)}
            seen[money] = tenderers

    def finish(self) -> Found:
        return Found(self._found)


INDICATOR = Indicator("R028", "报价相同", "identical bid prices", _Identical)
