"""单调树 gradient boosting that may not turn against theory, kept as plain numbers.

Trained by scikit-learn, written down as arrays: a model file holds no code, and is read the same
by every version.
"""

import msgspec
import numpy as np

from analytics.market import Floats

__all__ = ["LEAF", "Tree", "Trees"]

LEAF = -1


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
            inner = feature[at] != LEAF
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
