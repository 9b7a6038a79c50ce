"""最低价被否决 the lowest bid was disqualified.

名称 Name: R036, the lowest bid disqualified.
定义 Definition: of all submitted bids the lowest was disqualified, and another one is valid.
理由 Why: the buyer pays more than was offered; the ground deserves a look.
数据 Data: bids.details (status, value), awards.status.
方法 Method: the first of the lowest bids, in the order of the file.
阈值 Threshold: none.
例外 Exclusions: nothing awarded; invited and withdrawn bids; other currencies.
来源 Source: OCP red flags R036; Cardinal.
"""

from analytics.indicator import OCID, Found, Indicator, Setup
from analytics.process import Process

__all__ = ["INDICATOR"]


class _Rejected:
    def __init__(self, setup: Setup) -> None:
        self._comparison = setup.comparison
        self._found: list[str] = []

    def see(self, process: Process) -> None:
        if not self._comparison.applies(process) or not process.active:
            return
        priced = [
            (amount, bid.status)
            for bid in process.submitted
            if (amount := self._comparison.amount(bid)) is not None
        ]
        is_valid = any(status == "valid" for _, status in priced)
        if is_valid and min(priced, key=lambda item: item[0])[1] == "disqualified":
            self._found.append(process.ocid)

    def finish(self) -> Found:
        return Found({(OCID, ocid): 1.0 for ocid in self._found})


INDICATOR = Indicator("R036", "最低价被否决", "lowest bid disqualified", _Rejected)
