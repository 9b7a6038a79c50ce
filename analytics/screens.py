"""筛查指标 screens: what the prices of one auction look like, free of scale, for many at once.

Definitions follow Huber and Imhof (2019) and García Rodríguez et al. (2022); over all subsets of
three and of four bids, Wallimann, Imhof and Huber (2022). Below the bids a screen needs, it is nan.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from analytics.market import Floats, Market

__all__ = ["SCREENS", "SUBSETS", "screens", "subset_screens"]

_MOST_SUBSETS = 495  # all fours out of twelve; of more bids, as many by a fixed draw
_SEED = 20220901
_TINY = 1e-12


def screens(market: Market) -> dict[str, Floats]:
    """One column for each screen, one row for each auction."""
    found = {name: np.full(len(market), np.nan) for name in (*SCREENS, *SUBSETS)}
    for places, bids, won in _by_size(market):
        controls = market.controls[places]
        columns = _of_size(bids, won, controls) | subset_screens(bids)
        for name, column in columns.items():
            found[name][places] = column
    return found


def _by_size(market: Market) -> Iterator[tuple[npt.NDArray[np.int64], Floats, Floats]]:
    """Auctions with equally many bids as one matrix, each row ascending; and the winning bids."""
    sizes = market.sizes
    winning = np.where(market.winner, market.bids, np.inf)
    for size in np.unique(sizes):
        places = np.flatnonzero(sizes == size)
        index = market.starts[places][:, None] + np.arange(size)
        won = winning[index].min(axis=1)
        bids = np.sort(market.bids[index], axis=1)
        yield places, bids, np.where(np.isfinite(won), won, bids[:, 0])


def _of_size(bids: Floats, won: Floats, controls: Floats) -> dict[str, Floats]:
    size = bids.shape[1]
    found = {"size": np.full(len(bids), float(size))}
    median = np.median(bids, axis=1)
    found["low_control"] = bids[:, 0] / controls
    found["won_control"] = won / controls
    found["median_control"] = median / controls
    if size >= 2:
        found |= _of_two(bids, won, median)
    if size >= 3:
        found |= _of_three(bids)
    if size >= 4:
        found["kurt"] = _kurtosis(bids)
    return found


def _of_two(bids: Floats, won: Floats, median: Floats) -> dict[str, Floats]:
    return {
        "cv": _cv(bids),
        "spd": bids[:, -1] / bids[:, 0] - 1,
        "diffp": bids[:, 1] / bids[:, 0] - 1,
        "won_median": won / median,
        "won_most": won / bids[:, -1],
    }


def _of_three(bids: Floats) -> dict[str, Floats]:
    median = np.median(bids, axis=1)
    least = _TINY * bids.mean(axis=1)
    gaps = np.diff(bids, axis=1)
    losers = bids[:, 1:]
    spread = np.maximum(bids[:, -1] - bids[:, 0], least)
    quartiles = np.quantile(bids, [0.25, 0.75], axis=1)
    others = gaps[:, 1:].mean(axis=1)
    return {
        "rd": gaps[:, 0] / np.maximum(losers.std(axis=1, ddof=1), least),
        "gap_ratio": gaps[:, 0] / np.maximum(others, least),
        "losers_cv": _cv(losers),
        "skew": _skewness(bids),
        "ks": _kolmogorov(bids, spread),
        "iqr": (quartiles[1] - quartiles[0]) / median,
        "largest_gap": gaps.max(axis=1) / spread,
        "low_median": bids[:, 0] / median,
    }


def _cv(bids: Floats) -> Floats:
    return np.asarray(bids.std(axis=-1, ddof=1) / bids.mean(axis=-1))


def _skewness(bids: Floats) -> Floats:
    """The sample's, adjusted (G1); 0 where all bids are equal."""
    size = bids.shape[1]
    off = bids - bids.mean(axis=1, keepdims=True)
    second = (off**2).mean(axis=1)
    third = (off**3).mean(axis=1)
    plain = _ratio(third, second**1.5)
    return np.asarray(plain * np.sqrt(size * (size - 1)) / (size - 2))


def _kurtosis(bids: Floats) -> Floats:
    """The sample's excess, adjusted (G2); 0 where all bids are equal."""
    size = bids.shape[1]
    off = bids - bids.mean(axis=1, keepdims=True)
    second = (off**2).mean(axis=1)
    fourth = (off**4).mean(axis=1)
    plain = _ratio(fourth - 3 * second**2, second**2)
    adjusted = ((size + 1) * plain + 6) * (size - 1) / ((size - 2) * (size - 3))
    return np.where(second > 0, adjusted, 0.0)


def _ratio(over: Floats, under: Floats) -> Floats:
    """0 where there is nothing to divide by."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _kolmogorov(bids: Floats, spread: Floats) -> Floats:
    """Greatest distance from evenly spread bids between the lowest and the highest."""
    size = bids.shape[1]
    ranks = np.arange(1, size + 1) / (size + 1)
    shares = (bids - bids[:, :1]) / spread[:, None]
    return np.asarray(np.abs(shares - ranks).max(axis=1))


def subset_screens(bids: Floats) -> dict[str, Floats]:
    """Over all subsets of a size: a cartel of some shows inside, whatever the others bid."""
    found: dict[str, Floats] = {}
    for size in (3, 4):
        if bids.shape[1] < size:
            continue
        chosen = bids[:, _subsets(bids.shape[1], size)]  # auctions x subsets x size, ascending
        cv = _cv(chosen)
        diffp = chosen[..., 1] / chosen[..., 0] - 1
        for name, column in (("cv", cv), ("diffp", diffp)):
            for word, over in _OVER.items():
                found[f"{word}_{name}_{size}"] = over(column)
    return found


_OVER: dict[str, Callable[[Floats], Floats]] = {
    "median": lambda column: np.median(column, axis=1),
    "least": lambda column: column.min(axis=1),
    "most": lambda column: column.max(axis=1),
    "mean": lambda column: column.mean(axis=1),
    "low": lambda column: np.quantile(column, 0.1, axis=1),
}


@cache
def _subsets(bids: int, size: int) -> npt.NDArray[np.int64]:
    if comb(bids, size) <= _MOST_SUBSETS:
        return np.array(list(combinations(range(bids), size)), dtype=np.int64)
    draw = np.random.default_rng([_SEED, bids, size])
    rows = [np.sort(draw.choice(bids, size, replace=False)) for _ in range(_MOST_SUBSETS)]
    return np.array(rows, dtype=np.int64)


SCREENS = (
    "size",
    "cv",
    "spd",
    "diffp",
    "rd",
    "kurt",
    "skew",
    "ks",
    "gap_ratio",
    "losers_cv",
    "iqr",
    "largest_gap",
    "low_median",
    "won_median",
    "won_most",
    "low_control",
    "won_control",
    "median_control",
)
SUBSETS = tuple(
    f"{word}_{name}_{size}" for size in (3, 4) for name in ("cv", "diffp") for word in _OVER
)
