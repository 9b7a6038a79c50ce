"""唯独中标者有效 everybody but the winner was disqualified.

名称 Name: R035, all except the winning bid disqualified.
定义 Definition: one tenderer has a valid bid and wins, others were all disqualified.
理由 Why: rejecting everybody else is the surest way to steer an award.
数据 Data: bids.details.status and tenderers, awards.suppliers.
方法 Method: how many different tenderers were disqualified.
阈值 Threshold: at least one, unless more are asked for.
例外 Exclusions: processes that are not decided; who has a valid bid beside a disqualified one.
来源 Source: OCP red flags R035; Cardinal.
"""

from analytics.indicator import OCID, TENDERER, Found, Indicator, Setup
from analytics.process import Process, by_tenderers, suppliers

__all__ = ["INDICATOR"]


class _Alone:
    def __init__(self, setup: Setup) -> None:
        self._least = max(1, setup.whole("threshold", 1))
        self._found: dict[tuple[str, str], float] = {}

    def see(self, process: Process) -> None:
        final = process.final
        if final is None:
            return
        winners = {supplier for award in final for supplier in suppliers(award)}
        valid = set(by_tenderers(process.valid))
        rejected = [bid for bid in process.bids or [] if bid.status == "disqualified"]
        others = set(by_tenderers(rejected)) - valid
        if len(valid) == 1 and valid == winners and len(others) >= self._least:
            self._found[OCID, process.ocid] = float(len(others))
            self._found |= {(TENDERER, winner): 0.0 for winner in valid}

    def finish(self) -> Found:
        return Found(self._found)


INDICATOR = Indicator(
    "R035",
    "唯独中标者有效",
    "all except the winning bid disqualified",
    _Alone,
    frozenset({"threshold"}),
)
