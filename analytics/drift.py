"""漂移监测 whether auctions still look like those that the bands were made for: the population
stability index and the Kolmogorov–Smirnov test, feature by feature.

An alarm is a reason to clear some thirty auctions again before red is believed.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.stats import ks_2samp

from analytics.market import Floats

__all__ = ["FEWEST_TO_TELL", "Drift", "drift"]

FEWEST_TO_TELL = 30
_BINS = 10
_PSI = 0.25  # the customary limit of a shift that matters
_RARE = 0.001
_LEAST = 1e-4


class Drift(msgspec.Struct, frozen=True):
    """`psi` and `ks` are None where either side knows fewer than thirty values; `alarm`: both the
    index and the test say that it moved.
    """

    code: str
    before: int
    after: int
    psi: float | None
    ks: float | None
    chance: float | None
    alarm: bool


def drift(codes: Sequence[str], before: Floats, after: Floats) -> list[Drift]:
    """One row an auction, one column a code."""
    return [_column(code, before[:, place], after[:, place]) for place, code in enumerate(codes)]


def _column(code: str, before: Floats, after: Floats) -> Drift:
    old, new = before[np.isfinite(before)], after[np.isfinite(after)]
    if min(len(old), len(new)) < FEWEST_TO_TELL:
        return Drift(code, len(old), len(new), None, None, None, alarm=False)
    psi, test = _psi(old, new), ks_2samp(old, new)
    chance = float(test.pvalue)
    alarm = psi >= _PSI and chance < _RARE
    return Drift(code, len(old), len(new), psi, float(test.statistic), chance, alarm)


def _psi(old: Floats, new: Floats) -> float:
    """Over deciles of the old ones; what never came before counts as one in ten thousand."""
    edges = np.unique(np.quantile(old, np.linspace(0, 1, _BINS + 1)[1:-1]))
    shares = [
        np.maximum(np.bincount(np.searchsorted(edges, side), minlength=len(edges) + 1), 0)
        / len(side)
        for side in (old, new)
    ]
    first, second = (np.maximum(share, _LEAST) for share in shares)
    return float(((second - first) * np.log(second / first)).sum())
