"""单调树 gradient boosting that may not turn against theory, kept as plain numbers.

Trained by scikit-learn, written down as arrays: a model file holds no code, and is read the same
by every version.
"""

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

from analytics.features import FEATURES, with_known
from analytics.market import Floats, Ints

__all__ = ["Trees", "fit_trees"]

_TREES, _LEAVES, _FEWEST, _RATE, _PENALTY = 120, 8, 30, 0.05, 1.0
_LEAF = -1
_CEILING = "won_control"


class Tree(msgspec.Struct, frozen=True):
    """Node by node; `feature` is -1 in a leaf, whose `value` counts."""

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    missing_left: list[bool]
    value: list[float]

    def values(self, features: Floats) -> Floats:
        feature, threshold = np.array(self.feature), np.array(self.threshold)
        left, right = np.array(self.left), np.array(self.right)
        missing, rows = np.array(self.missing_left), np.arange(len(features))
        at = np.zeros(len(features), dtype=np.int64)
        for _ in range(len(self.feature)):
            inner = feature[at] != _LEAF
            if not inner.any():
                break
            seen = features[rows, np.maximum(feature[at], 0)]
            goes_left = np.where(np.isnan(seen), missing[at], seen <= threshold[at])
            at = np.where(inner, np.where(goes_left, left[at], right[at]), at)
        return np.array(self.value)[at]


class Trees(msgspec.Struct, frozen=True):
    constant: float
    trees: list[Tree]

    def scores(self, features: Floats) -> Floats:
        start = np.full(len(features), self.constant)
        return sum((tree.values(features) for tree in self.trees), start)


def fit_trees(features: Floats, labels: Ints, weights: Floats) -> Trees:
    """`weights` as shares of all; auctions, never bids."""
    booster = HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=min(_FEWEST, max(5, len(labels) // 10)),
        learning_rate=_RATE,
        l2_regularization=_PENALTY,
        monotonic_cst=[feature.sign for feature in FEATURES if feature.code != _CEILING],
        early_stopping=False,
        random_state=0,
    ).fit(with_known(features), labels, sample_weight=weights / weights.mean())
    grown = [predictors[0].nodes for predictors in booster._predictors]  # noqa: SLF001  no public way
    constant = float(np.ravel(booster._baseline_prediction)[0])  # noqa: SLF001  likewise
    return Trees(constant, [_written(nodes) for nodes in grown])


def _written(nodes: npt.NDArray[np.void]) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        np.where(leaf, _LEAF, nodes["feature_idx"]).tolist(),
        np.where(leaf, 0.0, nodes["num_threshold"]).tolist(),
        nodes["left"].tolist(),
        nodes["right"].tolist(),
        nodes["missing_go_to_left"].astype(bool).tolist(),
        nodes["value"].tolist(),
    )
