"""供货过杂 a supplier wins in far too many trades.

名称 Name: R048, heterogeneous supplier.
定义 Definition: a supplier wins items of far more kinds than is usual.
理由 Why: who sells everything may sell nothing but its name.
数据 Data: awards.items.classification.id and awards.suppliers of active awards.
方法 Method: how many different beginnings its classifications have; at or above Q3 + 1.5 IQR.
阈值 Threshold: that fence, unless one is set; two digits; suppliers of at least twenty processes.
例外 Exclusions: awards to several suppliers.
来源 Source: OCP red flags R048; Cardinal.
"""

from collections import Counter

from analytics.fences import Fences
from analytics.indicator import TENDERER, Found, Indicator, Setup
from analytics.process import Process, items_of, sole_supplier, text

__all__ = ["INDICATOR"]

_DIGITS, _LEAST = 2, 20


class _Everything:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._digits = setup.whole("digits", _DIGITS)
        self._kinds: dict[str, set[str]] = {}
        self._processes: Counter[str] = Counter()

    def see(self, process: Process) -> None:
        seen = set()
        for award in process.active:
            supplier = sole_supplier(award)
            found = [
                text(item.get("classification"), "id")
                for item in items_of(award, "items") or []
                if isinstance(item, dict)
            ]
            kinds = {code[: self._digits] for code in found if code is not None}
            if supplier is not None and kinds:
                self._kinds.setdefault(supplier, set()).update(kinds)
                seen.add(supplier)
        self._processes.update(seen)

    def finish(self) -> Found:
        least = self._setup.whole("minimum_contracting_processes", _LEAST)
        counts = {
            supplier: float(len(kinds))
            for supplier, kinds in self._kinds.items()
            if self._processes[supplier] >= least
        }
        fences = Fences(list(counts.values()))
        limit = self._setup.fence(fences.upper)
        results = {(TENDERER, name): count for name, count in counts.items() if count >= limit}
        return Found(results, self._setup.quartiles(fences) | {"upper_fence": limit})


INDICATOR = Indicator(
    "R048",
    "供货过杂",
    "heterogeneous supplier",
    _Everything,
    frozenset({"digits", "threshold", "minimum_contracting_processes"}),
)
