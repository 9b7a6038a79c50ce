"""只有一家投标 a single bid was received.

名称 Name: R018, a single tenderer.
定义 Definition: one tenderer in a competitive method.
理由 Why: who competes with nobody names the price; others may have been kept away.
数据 Data: tender.numberOfTenderers, tender.procurementMethod.
方法 Method: the number is one.
阈值 Threshold: methods open and selective, unless others are named.
例外 Exclusions: what is not a whole number.
来源 Source: OCP red flags R018; Cardinal.
"""

from analytics.indicator import OCID, Found, Indicator, Setup, pipes
from analytics.process import Process, text

__all__ = ["INDICATOR"]


class _Single:
    def __init__(self, setup: Setup) -> None:
        self._methods = pipes(setup.options.get("procurement_methods", "open|selective"))
        self._found: list[str] = []

    def see(self, process: Process) -> None:
        number = process.tender.get("numberOfTenderers")
        method = text(process.tender, "procurementMethod")
        is_one = isinstance(number, int) and not isinstance(number, bool) and number == 1
        if is_one and (not self._methods or method in self._methods):
            self._found.append(process.ocid)

    def finish(self) -> Found:
        return Found({(OCID, ocid): 1.0 for ocid in self._found})


INDICATOR = Indicator(
    "R018", "只有一家投标", "single bid", _Single, frozenset({"procurement_methods"})
)
