"""本地模型 what a place learns from its own labelled auctions, beside what travels.

Inside one place a learner without signs finds more: habits of its firms, rules and sizes. It is for
that place alone; on a market never seen it is worth nothing (docs/decisions/0026-warnings.md).
"""

import msgspec
import numpy as np

from analytics.market import Floats, Market
from analytics.screens import SCREENS, screens
from analytics.trees import Tree

__all__ = ["LOCAL", "LOCAL_FAMILIES", "Local", "local_matrix", "middle_of"]

_SCREENS = tuple(code for code in SCREENS if code != "size")
_HABIT = ("log_size", "relative_price")
LOCAL = (*_SCREENS, *_HABIT)
_SPREAD = ("cv", "spd", "losers_cv", "iqr", "low_median")
_CONTROL = ("low_control", "won_control", "median_control")
LOCAL_FAMILIES = {
    "spread": _SPREAD,
    "shape": tuple(code for code in _SCREENS if code not in (*_SPREAD, *_CONTROL)),
    "control": _CONTROL,
    "habit": _HABIT,
}
_UNKNOWN = -100.0  # below every figure: a tree can tell it apart
_SURE = 0.5  # of a tree


class Local(msgspec.Struct, frozen=True):
    """Extremely randomised trees, whose leaves hold the share of rigged auctions; `middle`: the
    place's median auction, by the logarithm of its median price; `usual`: what its clean auctions
    look like, in the order of `LOCAL`.
    """

    place: str
    middle: float
    usual: list[float]
    trees: list[Tree]

    def scores(self, market: Market) -> Floats:
        """One for each auction: the logit of the mean share."""
        return self.of(local_matrix(market, self.middle))

    def of(self, features: Floats) -> Floats:
        """Rounded as the learner rounds them, so that thresholds part what they parted."""
        seen = features.astype(np.float32).astype(np.float64)
        share = sum((tree.values(seen) for tree in self.trees), np.zeros(len(features)))
        least = _SURE / len(self.trees)
        mean = np.clip(share / len(self.trees), least, 1 - least)
        return np.asarray(np.log(mean / (1 - mean)))


def local_matrix(market: Market, middle: float) -> Floats:
    """One row for each auction, one column for each of `LOCAL`."""
    found = screens(market)
    found["log_size"] = np.log(found["size"])
    found["relative_price"] = _prices(market) - middle
    columns = [np.nan_to_num(found[code], nan=_UNKNOWN) for code in LOCAL]
    return np.stack(columns, axis=1)


def middle_of(market: Market) -> float:
    return float(np.median(_prices(market)))


def _prices(market: Market) -> Floats:
    medians = [np.median(market.bids[market.within(place)]) for place in range(len(market))]
    return np.log(np.array(medians))
