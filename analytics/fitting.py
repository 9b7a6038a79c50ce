"""拟合 what learns: monotone boosting by scikit-learn, written down as plain numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from analytics.blend import Blend, learnt, logs, theory, width
from analytics.features import FEATURES, with_known
from analytics.labelled import Labelled
from analytics.local import Local, middle_of
from analytics.market import Floats, Ints
from analytics.trees import LEAF, Tree, Trees

__all__ = ["ONE_THREAD", "fit_blend", "fit_local", "fit_strangers", "sized"]

ONE_THREAD = 1  # of few auctions, threads that wait for each other take longer, beside others 10 x
_TREES, _LEAVES, _FEWEST, _RATE, _PENALTY = 120, 8, 30, 0.05, 1.0
_CEILING = "won_control"
_FOREST, _LEAF_AUCTIONS, _TRIED = 200, 3, 0.3


def fit_blend(lessons: Sequence[Labelled]) -> Blend:
    features = np.vstack([one.features for one in lessons])
    labels = np.concatenate([one.labels for one in lessons])
    weights = np.concatenate([one.weights for one in lessons])
    taken = [logs(one.features) for one in lessons]
    middle = np.mean([np.median(log, axis=0) for log in taken], axis=0)
    widths = np.mean([width(log) for log in taken], axis=0)
    trees = fit_trees(learnt(features), labels, weights)
    close = theory(features, middle, widths)
    spreads = (float(np.std(close)) or 1.0, float(np.std(trees.scores(learnt(features)))) or 1.0)
    return Blend(middle.tolist(), widths.tolist(), trees, spreads)


def fit_local(lesson: Labelled, features: Floats) -> Local:
    """`features`: of `LOCAL`, one row for each of the lesson's auctions."""
    forest = ExtraTreesClassifier(
        _FOREST, min_samples_leaf=_LEAF_AUCTIONS, max_features=_TRIED, random_state=0
    ).fit(features, lesson.labels, sample_weight=lesson.weights / lesson.weights.mean())
    market = lesson.market
    usual = np.median(features[lesson.labels == 0], axis=0).tolist()
    return Local(market.name, middle_of(market), usual, [_leaved(one.tree_) for one in forest])


def _leaved(tree: Any) -> Tree:
    """Leaves hold the share of rigged auctions, by weight."""
    shares = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
    leaf = tree.children_left < 0
    return Tree(
        np.where(leaf, LEAF, tree.feature).tolist(),
        np.where(leaf, 0.0, tree.threshold).tolist(),
        np.maximum(tree.children_left, 0).tolist(),
        np.maximum(tree.children_right, 0).tolist(),
        [False] * tree.node_count,
        np.where(leaf, shares, 0.0).tolist(),
    )


def fit_strangers(lesson: Labelled) -> Trees:
    """For firms that are in none of the lesson's auctions: the signed features, and how many bid,
    which may point either way in a place.
    """
    signs = [*(feature.sign for feature in FEATURES), 0]
    return _boosted(sized(lesson), lesson.labels, lesson.weights, signs)


def sized(lesson: Labelled) -> Floats:
    """The features, and the logarithm of the number of bids."""
    sizes = np.log(lesson.market.sizes[lesson.places].astype(np.float64))
    return np.column_stack([lesson.features, sizes])


def fit_trees(features: Floats, labels: Ints, weights: Floats) -> Trees:
    """`weights` as shares of all; auctions, never bids."""
    signs = [feature.sign for feature in FEATURES if feature.code != _CEILING]
    return _boosted(features, labels, weights, signs)


def _boosted(features: Floats, labels: Ints, weights: Floats, signs: Sequence[int]) -> Trees:
    booster = HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=min(_FEWEST, max(5, len(labels) // 10)),
        learning_rate=_RATE,
        l2_regularization=_PENALTY,
        monotonic_cst=list(signs),
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(ONE_THREAD, user_api="openmp"):
        booster.fit(with_known(features), labels, sample_weight=weights / weights.mean())
    grown = [predictors[0].nodes for predictors in booster._predictors]  # noqa: SLF001  no public way
    constant = float(np.ravel(booster._baseline_prediction)[0])  # noqa: SLF001  likewise
    return Trees(constant, [_written(nodes) for nodes in grown])


def _written(nodes: npt.NDArray[np.void]) -> Tree:
    leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        np.where(leaf, LEAF, nodes["feature_idx"]).tolist(),
        np.where(leaf, 0.0, nodes["num_threshold"]).tolist(),
        nodes["left"].tolist(),
        nodes["right"].tolist(),
        nodes["missing_go_to_left"].astype(bool).tolist(),
        nodes["value"].tolist(),
    )
