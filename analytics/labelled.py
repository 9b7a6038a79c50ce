"""已标注拍卖 what a market teaches: the auctions that count, their features, labels and weights.

The auction is the unit of training, splitting and scoring: its bids share one label, so a split
that parts them leaks it.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from analytics.features import matrix
from analytics.market import Floats, Ints, Market
from trading.kernel.errors import InputUnusable

__all__ = ["FEWEST", "FOLDS", "Labelled", "Taught", "folds", "labelled"]

FEWEST = 3  # bids, below which nothing is said
FOLDS = 5
_SEED = 20261126


class Taught(msgspec.Struct, frozen=True):
    """One market that a model learnt from; `digest` over its prices, labels and order."""

    name: str
    digest: str
    auctions: int
    bids: int
    rigged: float


class Labelled:
    """Every market, and in it every class, counts alike."""

    def __init__(self, market: Market, features: Floats | None = None) -> None:
        self.market = market
        self.counts = (market.sizes >= FEWEST) & (market.labels >= 0)
        self.places = np.flatnonzero(self.counts)
        self.features = (matrix(market) if features is None else features)[self.counts]
        self.labels: Ints = market.labels[self.counts]
        self.weights = _weights(self.labels)

    @property
    def has_both(self) -> bool:
        return len(np.unique(self.labels)) > 1

    def part(self, chosen: Ints) -> "Labelled":
        """Some of the auctions, by their place among those that count."""
        part = object.__new__(Labelled)
        part.market, part.counts = self.market, self.counts
        part.places, part.features = self.places[chosen], self.features[chosen]
        part.labels = self.labels[chosen]
        part.weights = _weights(part.labels)
        return part

    @property
    def taught(self) -> Taught:
        market, digest = self.market, hashlib.sha256()
        for column in (market.starts, market.bids, market.winner, market.labels):
            digest.update(np.ascontiguousarray(column).tobytes())
        bids = int(market.sizes[self.counts].sum())
        rigged = round(float(self.labels.mean()), 4)
        return Taught(market.name, digest.hexdigest(), len(self.labels), bids, rigged)


def labelled(markets: Sequence[Market]) -> list[Labelled]:
    """Those with both kinds; InputUnusable where there is nothing to tell apart."""
    found = [one for one in map(Labelled, markets) if one.has_both]
    if not found:
        names = "、".join(market.name for market in markets)
        problem = "须有清白与围串两类标签 / labels of both kinds are needed"
        raise InputUnusable(path=Path(names), problem=problem)
    return found


def folds(labels: Ints) -> Ints:
    """The part of five that each auction is in, drawn within each class; the same every time."""
    part, draw = np.zeros(len(labels), dtype=np.int64), np.random.default_rng(_SEED)
    for label in (0, 1):
        own = np.flatnonzero(labels == label)
        part[draw.permutation(own)] = np.arange(len(own)) % FOLDS
    return part


def _weights(labels: Ints) -> Floats:
    rigged = labels.mean() if len(labels) else 0.0
    each = np.where(labels == 1, 1 / max(rigged, 1e-9), 1 / max(1 - rigged, 1e-9))
    return np.asarray(each / max(each.sum(), 1e-9))
