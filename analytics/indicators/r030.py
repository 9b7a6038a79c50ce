"""迟到者中标 a late bid won.

名称 Name: R030, a late bid won.
定义 Definition: a supplier of an active award handed in its valid bid after the tender period.
理由 Why: who bids after the deadline may know the other bids (法 第三十六条).
数据 Data: tender.tenderPeriod.endDate, bids.details.date, awards.suppliers.
方法 Method: the two moments as they are written, compared as text.
阈值 Threshold: none.
例外 Exclusions: bids that are not valid; awards that are not active.
来源 Source: OCP red flags R030; Cardinal.
"""

from analytics.indicator import OCID, TENDERER, Found, Indicator, Setup
from analytics.process import Process, suppliers

__all__ = ["INDICATOR"]


class _Late:
    def __init__(self, _: Setup) -> None:
        self._found: dict[tuple[str, str], float] = {}

    def see(self, process: Process) -> None:
        end = process.period("endDate")
        if end is None or process.awards is None:
            return
        winners = {supplier for award in process.active for supplier in suppliers(award)}
        late = [bid for bid in process.valid if bid.date is not None and bid.date > end]
        for bid in late:
            for tenderer in bid.tenderers or []:
                if tenderer in winners:
                    self._found[OCID, process.ocid] = 1.0
                    self._found[TENDERER, tenderer] = 1.0

    def finish(self) -> Found:
        return Found(self._found)


INDICATOR = Indicator("R030", "迟到者中标", "late bid won", _Late)
