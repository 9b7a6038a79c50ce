"""论文规则 the game that published figures play, so that ours can be held beside them: auctions
split 80 to 20 by chance, balanced accuracy by bid, all columns of the file but names.

It flatters: dates and kinds of contract know the case, large auctions count more, firms recur. What
counts is `analytics.honest`.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import ShuffleSplit
from threadpoolctl import threadpool_limits

from analytics.fitting import ONE_THREAD
from analytics.market import Floats, Ints, Market, number
from analytics.screens import screens

__all__ = ["Game", "play"]

_ROUNDS, _TEST = 10, 0.2
_TREES, _RATE, _LEAVES = 300, 0.04, 12
_NAMES = ("bidder_id", "date_raw")
_FEWEST = 10  # auctions of each kind


class Game(msgspec.Struct, frozen=True):
    """Mean and deviation over the rounds; `prices`: without dates and other columns."""

    market: str
    mean: float
    deviation: float
    prices: float


def play(market: Market) -> Game | None:
    """None where there are too few labelled auctions of either kind."""
    if min(int((market.labels == label).sum()) for label in (0, 1)) < _FEWEST:
        return None
    every, prices = _rounds(market, _columns(market, _others(market))), _columns(market, [])
    return Game(
        market.name,
        float(np.mean(every)),
        float(np.std(every)),
        float(np.mean(_rounds(market, prices))),
    )


def _others(market: Market) -> list[Floats]:
    """Date and whatever else the file has in numbers, auction by auction."""
    found = [market.dates]
    for name, values in market.others.items():
        if name not in _NAMES:
            first = [values[start] for start in market.starts[:-1].tolist()]
            found.append(np.array([number(value) for value in first]))
    return found


def _columns(market: Market, others: Sequence[Floats]) -> Floats:
    medians = [np.median(market.bids[market.within(place)]) for place in range(len(market))]
    known = [*screens(market).values(), np.log(medians), np.log(market.controls), *others]
    columns = np.stack([np.asarray(column, np.float64) for column in known], axis=1)
    return np.where(np.isnan(columns).all(axis=0), 0.0, columns)


def _rounds(market: Market, columns: Floats) -> list[float]:
    split = ShuffleSplit(_ROUNDS, test_size=_TEST, random_state=0)
    with threadpool_limits(ONE_THREAD, user_api="openmp"):
        places = np.flatnonzero(market.labels >= 0)
        halves = split.split(places)
        return [_one(market, columns, places[kept], places[held]) for kept, held in halves]


def _one(market: Market, columns: Floats, kept: Ints, held: Ints) -> float:
    fitted = HistGradientBoostingClassifier(
        max_iter=_TREES,
        learning_rate=_RATE,
        max_leaf_nodes=_LEAVES,
        min_samples_leaf=min(20, max(5, len(kept) // 10)),
        l2_regularization=1.0,
        early_stopping=False,
        class_weight="balanced",
        random_state=0,
    ).fit(columns[kept], market.labels[kept])
    sizes = market.sizes[held]
    truth, said = market.labels[held], fitted.predict(columns[held])
    return float(balanced_accuracy_score(np.repeat(truth, sizes), np.repeat(said, sizes)))
