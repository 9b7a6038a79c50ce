"""三视合一 three views of an auction that fail in different ways: theory, trees, and the ceiling.

Theory needs no labels and never saturates: it still ranks where bids lie closer together, or
further apart, than in any market that the trees have seen. None may turn against theory.
"""

import msgspec
import numpy as np

from analytics.features import FEATURES
from analytics.market import Floats
from analytics.trees import Trees

__all__ = ["Blend", "learnt", "logs", "theory", "width"]

_CLOSE = ("cv", "losers_cv", "median_cv_4", "low_cv_3")
_CONTROL = 4.0  # of the winning bid's logarithm against the ceiling: theory's sign, no training
_NEUTRAL = 0.9  # of the ceiling: an unknown one speaks neither way
_LEAST = 1e-4
_FARTHEST = 6.0  # widths from the middle
_QUARTILES = 1.35  # widths of a normal distribution between its quartiles
_CODES = [feature.code for feature in FEATURES]
_AT_CEILING = _CODES.index("won_control")


class Blend(msgspec.Struct, frozen=True):
    """`middle` and `width`: of the logarithms of four measures of closeness, over the markets that
    it was trained on; `spreads`: of theory and trees among those auctions.
    """

    middle: list[float]
    width: list[float]
    trees: Trees
    spreads: tuple[float, float]

    def scores(self, features: Floats) -> Floats:
        """Higher is more suspect; comparable among markets only after calibration."""
        close = theory(features, np.array(self.middle), np.array(self.width))
        trees = self.trees.scores(learnt(features))
        share = np.maximum(features[:, _AT_CEILING], _LEAST) / _NEUTRAL
        ceiling = _CONTROL * np.nan_to_num(np.log(share))
        return np.asarray(close / self.spreads[0] + trees / self.spreads[1] + ceiling)


def theory(features: Floats, middle: Floats, widths: Floats) -> Floats:
    """How close the bids lie, by four measures of it."""
    away = (logs(features) - middle) / np.where(widths > 0, widths, 1.0)
    return np.asarray(-np.clip(away, -_FARTHEST, _FARTHEST).mean(axis=1))


def logs(features: Floats) -> Floats:
    columns = [_CODES.index(code) for code in _CLOSE]
    return np.asarray(np.log(np.maximum(features[:, columns], _LEAST)))


def width(values: Floats) -> Floats:
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    return np.asarray((high - low) / _QUARTILES)


def learnt(features: Floats) -> Floats:
    """The ceiling is known in few markets: from those nothing can be learnt about the others."""
    return np.delete(features, _AT_CEILING, axis=1)
