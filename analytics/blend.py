"""三视合一 three views of an auction that fail in different ways: theory, trees, and the ceiling.

Theory needs no labels and never saturates: it still ranks where bids lie closer together, or
further apart, than in any market that the trees have seen. None may turn against theory.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from analytics.features import FEATURES
from analytics.labelled import Labelled
from analytics.market import Floats
from analytics.trees import Trees, fit_trees

__all__ = ["Blend", "fit_blend"]

_CLOSE = ("cv", "losers_cv", "median_cv_4", "low_cv_3")
_CONTROL = 4.0  # of the winning bid's logarithm against the ceiling: theory's sign, no training
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
        theory = _theory(features, np.array(self.middle), np.array(self.width))
        trees = self.trees.scores(_learnt(features))
        ceiling = _CONTROL * np.nan_to_num(np.log(np.maximum(features[:, _AT_CEILING], _LEAST)))
        return np.asarray(theory / self.spreads[0] + trees / self.spreads[1] + ceiling)


def fit_blend(lessons: Sequence[Labelled]) -> Blend:
    features = np.vstack([one.features for one in lessons])
    labels = np.concatenate([one.labels for one in lessons])
    weights = np.concatenate([one.weights for one in lessons])
    logs = [_logs(one.features) for one in lessons]
    middle = np.mean([np.median(log, axis=0) for log in logs], axis=0)
    width = np.mean([_width(log) for log in logs], axis=0)
    trees = fit_trees(_learnt(features), labels, weights)
    theory = _theory(features, middle, width)
    spreads = (float(np.std(theory)) or 1.0, float(np.std(trees.scores(_learnt(features)))) or 1.0)
    return Blend(middle.tolist(), width.tolist(), trees, spreads)


def _theory(features: Floats, middle: Floats, width: Floats) -> Floats:
    """How close the bids lie, by four measures of it."""
    away = (_logs(features) - middle) / np.where(width > 0, width, 1.0)
    return np.asarray(-np.clip(away, -_FARTHEST, _FARTHEST).mean(axis=1))


def _logs(features: Floats) -> Floats:
    columns = [_CODES.index(code) for code in _CLOSE]
    return np.asarray(np.log(np.maximum(features[:, columns], _LEAST)))


def _width(logs: Floats) -> Floats:
    low, high = np.quantile(logs, [0.25, 0.75], axis=0)
    return np.asarray((high - low) / _QUARTILES)


def _learnt(features: Floats) -> Floats:
    """The ceiling is known in few markets: from those nothing can be learnt about the others."""
    return np.delete(features, _AT_CEILING, axis=1)
