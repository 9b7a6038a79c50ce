"""否决过多 bids are disqualified far too often.

名称 Name: R038, excessive disqualified bids.
定义 Definition: of a buyer, an entity or a tenderer, far more bids than usual are rejected.
理由 Why: conditions that many fail may be made for one; who always fails may be a cover.
数据 Data: bids.details.status and tenderers, buyer.id, tender.procuringEntity.id.
方法 Method: disqualified ÷ submitted; at or above Q3 + 1.5 IQR of its group.
阈值 Threshold: that fence, unless one is set; at least two bids.
例外 Exclusions: invited and withdrawn bids.
来源 Source: OCP red flags R038; Cardinal, whose least number of processes counts bids.
"""

from collections import Counter

from analytics.fences import Fences
from analytics.indicator import BUYER, ENTITY, TENDERER, Found, Indicator, Setup
from analytics.process import Process, by_tenderers

__all__ = ["INDICATOR"]

_LEAST = 2
_HOLDERS = {BUYER: "buyer", ENTITY: "procuringEntity"}


class _Often:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        groups = (BUYER, ENTITY, TENDERER)
        self._rejected: dict[str, Counter[str]] = {group: Counter() for group in groups}
        self._submitted: dict[str, Counter[str]] = {group: Counter() for group in groups}

    def see(self, process: Process) -> None:
        submitted = process.submitted
        rejected = [bid for bid in submitted if bid.status == "disqualified"]
        for group, holder in _HOLDERS.items():
            name = process.organization(holder)
            if name is not None and submitted:
                self._rejected[group][name] += len(rejected)
                self._submitted[group][name] += len(submitted)
        self._rejected[TENDERER].update(by_tenderers(rejected))
        self._submitted[TENDERER].update(by_tenderers(submitted))

    def finish(self) -> Found:
        results: dict[tuple[str, str], float] = {}
        meta: dict[str, float] = {}
        for group, counts in self._submitted.items():
            least = self._setup.whole(
                "minimum_submitted_bids" if group == TENDERER else "minimum_contracting_processes",
                _LEAST,
            )
            ratios = {
                name: self._rejected[group][name] / count
                for name, count in counts.items()
                if count >= least
            }
            if not ratios:
                continue
            fences = Fences(list(ratios.values()))
            limit = self._setup.fence(fences.upper)
            meta |= self._setup.quartiles(fences, f"{group}_")
            meta[f"{group}_upper_fence"] = limit
            results |= {
                (group, name): ratio
                for name, ratio in ratios.items()
                if limit > 0 and ratio >= limit
            }
        return Found(results, meta)


INDICATOR = Indicator(
    "R038",
    "否决过多",
    "excessive disqualified bids",
    _Often,
    frozenset({"threshold", "minimum_submitted_bids", "minimum_contracting_processes"}),
)
