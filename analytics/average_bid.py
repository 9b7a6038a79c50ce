"""均价围标 bids placed to move a benchmark that is a mean of the bids (基准价、平均值、K 值).

Where the bid nearest a trimmed mean wins, a group gains by entering together and by bidding where
it drags the mean. Two tests after Conley and Decarolis (2016): whether a group enters together more
often than groups of equally busy firms would, and whether its bids move the mean further than as
many bids of others. And how many must agree before the mean moves at all; and whether three lie
so close together, around a coefficient that was to be drawn, as independent prices do not.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from analytics.company import Company
from analytics.market import Floats, Ints

__all__ = [
    "Cluster",
    "Moved",
    "Together",
    "benchmark",
    "cluster",
    "coalition_needed",
    "entering_together",
    "moved",
]

_TRIM = 0.1  # of the bids, at either end
_DRAWS = 2000
_SEED = 20160511
_CLOSE = 3  # bids of a cluster
_FEWEST_FOR_CLUSTER = 8
_LEAST_TOLD = 0.001


class Moved(msgspec.Struct, frozen=True):
    """`shift`: of the benchmark by the group's bids, as a share of it; `chance`: that as many other
    bids of the auction move it as far.
    """

    shift: float
    chance: float


class Together(msgspec.Struct, frozen=True):
    """`met`: auctions in which all of the group bid; `expected` of a group as busy; `chance` of so
    many.
    """

    met: int
    expected: float
    chance: float


def benchmark(bids: Floats, trim: float = _TRIM) -> float:
    """The mean without that share of the bids at either end, rounded down, in the last axis."""
    return float(_trimmed(np.sort(bids)[None, :], trim)[0])


def _trimmed(ordered: Floats, trim: float) -> Floats:
    count = ordered.shape[1]
    cut = min(int(count * trim), (count - 1) // 2)
    return np.asarray(ordered[:, cut : count - cut].mean(axis=1))


def moved(bids: Floats, group: Sequence[int], trim: float = _TRIM) -> Moved:
    """`group`: places of its bids, at least one and not all."""
    size, count = len(set(group)), len(bids)
    if not 0 < size < count:
        return Moved(0.0, 1.0)
    whole = benchmark(bids, trim)
    own = abs(whole - benchmark(np.delete(bids, list(group)), trim))
    draw = np.random.default_rng(_SEED)
    keys = draw.random((_DRAWS, count))
    kept = np.sort(np.argpartition(keys, count - size - 1, axis=1)[:, : count - size], axis=1)
    shifts = np.abs(whole - _trimmed(np.sort(bids)[kept], trim))
    chance = (1 + int((shifts >= own - 1e-12 * whole).sum())) / (_DRAWS + 1)
    return Moved(own / whole, chance)


def coalition_needed(bids: Floats, by: float, trim: float = _TRIM) -> int | None:
    """How many of the bidders, who all bid at the edge of what is there, move the benchmark by a
    share of it; None where even half of them cannot.
    """
    ordered, whole = np.sort(bids), benchmark(bids, trim)
    for size in range(1, len(bids) // 2 + 1):
        low = np.concatenate([np.full(size, ordered[0]), ordered[: len(bids) - size]])
        high = np.concatenate([ordered[size:], np.full(size, ordered[-1])])
        far = max(abs(benchmark(edge, trim) - whole) for edge in (low, high))
        if far >= by * whole:
            return size
    return None


class Cluster(msgspec.Struct, frozen=True):
    """`places`: of the bids, ascending in price; `span`: as a share of the lowest of them;
    `chance`: that of as many independent bids, as far apart as these, any three lie so close.
    """

    places: tuple[int, ...]
    span: float
    chance: float

    @property
    def likelihood(self) -> str:
        """As a percentage, down to where the draws can tell."""
        return f"{self.chance:.1%}" if self.chance >= _LEAST_TOLD else "< 0.1%"


def cluster(bids: Floats) -> Cluster | None:
    """The closest three of different prices; None of fewer than eight. How close is usual is told
    by the prices themselves: each, the three counted once, spread as far as its second neighbour
    lies, so that two levels of prices, or a long tail, are no cluster.
    """
    values, places = np.unique(bids, return_index=True)
    if len(values) < _FEWEST_FOR_CLUSTER:
        return None
    spans = _spans(values[None, :])[0]
    at = int(np.argmin(spans))
    middles = np.delete(values, [at, at + 2])
    apart = np.sort(np.abs(middles[:, None] - middles[None, :]), axis=1)[:, 2]
    draw = np.random.default_rng(_SEED)
    chosen = draw.integers(len(middles), size=(_DRAWS, len(values)))
    drawn = middles[chosen] + apart[chosen] * draw.normal(size=chosen.shape)
    closer = int((_spans(np.sort(drawn, axis=1)).min(axis=1) <= spans[at]).sum())
    found = tuple(places[at : at + _CLOSE].tolist())
    return Cluster(found, float(spans[at] / values[at]), (1 + closer) / (_DRAWS + 1))


def _spans(ordered: Floats) -> Floats:
    return np.asarray(ordered[:, _CLOSE - 1 :] - ordered[:, : 1 - _CLOSE])


def entering_together(company: Company, group: Sequence[str]) -> Together:
    """Against groups in which each firm is exchanged for one that bids as often, or nearly."""
    place = {firm: number for number, firm in enumerate(company.firms)}
    chosen = [place[firm] for firm in group]
    present = np.zeros((len(company.members), len(company.firms)), dtype=bool)
    for auction, members in enumerate(company.members):
        present[auction, list(members)] = True
    met = int(present[:, chosen].all(axis=1).sum())
    order = np.argsort(company.bids, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    draw = np.random.default_rng(_SEED)
    near = max(len(order) // 10, 2 * len(chosen))
    counts = []
    for _ in range(_DRAWS // 10):
        others = _exchanged(draw, rank[chosen], order, near)
        counts.append(int(present[:, others].all(axis=1).sum()))
    chance = (1 + sum(count >= met for count in counts)) / (len(counts) + 1)
    return Together(met, float(np.mean(counts)), chance)


def _exchanged(draw: np.random.Generator, ranks: Ints, order: Ints, near: int) -> list[int]:
    """Firms of about the same number of bids, each once."""
    found: list[int] = []
    for rank in ranks.tolist():
        low, high = max(rank - near, 0), min(rank + near + 1, len(order))
        free = [int(one) for one in order[low:high].tolist() if one not in found]
        found.append(int(draw.choice(free)))
    return found
