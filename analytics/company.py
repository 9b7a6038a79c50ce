"""同标关系 how much company two firms keep beyond chance, told without a name, a count or a degree.

Chance is the bipartite configuration model: every firm keeps its number of bids, every auction its
number of bidders, and who meets whom is drawn. Cohesion and exclusivity follow Wachs and Kertész
(2019); a firm's own auction never speaks for itself.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise

import msgspec
import numpy as np
import numpy.typing as npt
import scipy

from analytics.market import Floats, Market
from analytics.network import MOST_BIDDERS, bidders_of

__all__ = ["COMPANY", "CROWD", "Company", "company_features"]

COMPANY = ("lift", "cohesion", "exclusivity", "win_entropy", "rotation")
CROWD = 1000  # bidders of an auction, above which who met there says nothing
_NONE = -1


class Company(msgspec.Struct, frozen=True):
    """Who met whom in a market. `met[i, j]`: auctions of both, crowds left out;
    `bids`: auctions of each; `winners`: of each auction by the place of a firm, -1 where unknown;
    `chance`: of two bids meeting.
    """

    firms: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    winners: npt.NDArray[np.int64]
    met: "scipy.sparse.csr_matrix"
    bids: npt.NDArray[np.int64]
    chance: float

    @classmethod
    def of(cls, market: Market) -> "Company":
        named = [tuple(bidders_of(market, place)) for place in range(len(market))]
        firms = tuple(sorted({firm for one in named for firm in one}))
        place = {firm: number for number, firm in enumerate(firms)}
        members = tuple(tuple(place[firm] for firm in one) for one in named)
        sizes = np.array([len(one) for one in members], dtype=np.int64)
        rows = np.repeat(np.arange(len(members)), sizes)
        columns = np.array([firm for one in members for firm in one], dtype=np.int64)
        is_company = sizes[rows] <= CROWD
        ones = np.ones(int(is_company.sum()))
        places = rows[is_company], columns[is_company]
        bids = scipy.sparse.csr_matrix((ones, places), shape=(len(members), len(firms)))
        total = len(rows)
        chance = float((sizes * (sizes - 1)).sum() / max(total * (total - 1), 1))
        counts = np.bincount(columns, minlength=len(firms))
        return cls(firms, members, _winners(market, place), (bids.T @ bids).tocsr(), counts, chance)

    def expected(self, first: int, second: int) -> float:
        """How often the two would meet by chance."""
        return float(self.bids[first] * self.bids[second]) * self.chance

    def lift(self, first: int, second: int) -> float:
        """The logarithm of met over expected, one meeting (theirs here) left out; 0 by chance."""
        met = float(self.met[first, second]) - 1
        return float(np.log((met + 1) / (self.expected(first, second) + 1)))


def _winners(market: Market, place: dict[str, int]) -> npt.NDArray[np.int64]:
    found = np.full(len(market), _NONE, dtype=np.int64)
    for auction in range(len(market)):
        within = market.within(auction)
        won = np.flatnonzero(market.winner[within])
        if len(won):
            found[auction] = place.get(market.bidders[within][int(won[0])], _NONE)
    return found


def company_features(company: Company) -> Floats:
    """One row for each auction, one column for each of `COMPANY`; nan where one bids alone."""
    return np.array([_row(company, auction) for auction in range(len(company.members))])


def _row(company: Company, auction: int) -> list[float]:
    group = company.members[auction][:MOST_BIDDERS]
    if len(group) < 2:
        return [float("nan")] * len(COMPANY)
    pairs = list(combinations(group, 2))
    lifts = [company.lift(*pair) for pair in pairs]
    met = np.array([company.met[pair] - 1 for pair in pairs], dtype=np.float64)
    wins = _wins(company, auction, group)
    return [
        float(np.mean(lifts)),
        _cohesion(met),
        _exclusivity(company, group, met),
        _entropy(wins, len(group)),
        _rotation(wins),
    ]


def _cohesion(met: Floats) -> float:
    """Geometric over arithmetic mean of the weights: 1 where all pairs meet equally often."""
    mean = met.mean()
    return float(np.exp(np.log(met + 1).mean()) / (mean + 1)) if mean > 0 else 0.0


def _exclusivity(company: Company, group: Sequence[int], met: Floats) -> float:
    """How much of its company the group keeps to itself."""
    whole = sum(float(company.met[firm].sum() - company.bids[firm]) for firm in group)
    own = 2 * float(met.sum())
    others = whole - 2 * float((met + 1).sum())
    return own / (own + others) if own + others > 0 else 0.0


def _wins(company: Company, auction: int, group: Sequence[int]) -> list[int]:
    """Who of the group won the other auctions where at least half of it bid, in their order."""
    inside, half = set(group), (len(group) + 1) // 2
    return [
        int(winner)
        for place, (winner, members) in enumerate(
            zip(company.winners.tolist(), company.members, strict=True)
        )
        if place != auction and winner in inside and len(inside.intersection(members)) >= half
    ]


def _entropy(wins: Sequence[int], firms: int) -> float:
    """Of the shares of wins, from 0 (one wins all) to 1 (all of the group win alike)."""
    counts = np.bincount(wins)[np.unique(wins)] if wins else np.array([])
    if len(counts) < 2:
        return 0.0
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(firms))


def _rotation(wins: Sequence[int]) -> float:
    """How rarely the same firm wins twice running, against what its share would give; 0 by chance,
    1 where it never does.
    """
    if len(wins) < 3:
        return 0.0
    shares = np.bincount(wins) / len(wins)
    by_chance = float((shares**2).sum())
    repeats = float(np.mean([one == other for one, other in pairwise(wins)]))
    return (by_chance - repeats) / by_chance
