"""轮流中标与陪标 who wins in turn, and who bids beside a winner and never wins: for people to look
into, with the figures behind it.
"""

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import scipy

from analytics.company import Company

__all__ = ["Companion", "Rota", "companions", "rotas"]

_FEWEST = 5  # meetings, below which nothing is said
_RARE = 0.01  # of chance
_ALWAYS = 0.8
_TURNS = 3  # firms


class Companion(msgspec.Struct, frozen=True):
    """陪标: `companion` met `winner` in `met` of its `bids` auctions (`expected` by chance); there
    `winner` won `won`, itself it won none; `chance` of meeting so often, and of never winning.
    """

    companion: str
    winner: str
    bids: int
    met: int
    expected: float
    won: int
    chance: float
    chance_of_no_win: float


class Rota(msgspec.Struct, frozen=True):
    """轮流中标: firms that won one after the other; `repeats` wins running of the same firm,
    `expected` by their shares, and the chance of so few.
    """

    firms: tuple[str, ...]
    wins: tuple[str, ...]
    repeats: int
    expected: float
    chance: float


def companions(company: Company) -> list[Companion]:
    """The rarest by chance first."""
    found = list(_companions(company))
    return sorted(found, key=lambda one: (one.chance * one.chance_of_no_win, one.companion))


def _companions(company: Company) -> Iterator[Companion]:
    auctions, hypergeom = len(company.members), scipy.stats.hypergeom
    won_by: dict[int, set[int]] = {}
    bid_by: dict[int, set[int]] = {}
    for auction, (winner, members) in enumerate(
        zip(company.winners.tolist(), company.members, strict=True)
    ):
        won_by.setdefault(winner, set()).add(auction)
        for firm in members:
            bid_by.setdefault(firm, set()).add(auction)
    for firm, own in sorted(bid_by.items()):
        if len(own) < _FEWEST or firm in won_by:
            continue
        even = sum(1 / max(len(company.members[auction]), 1) for auction in own) / len(own)
        for other in sorted({one for auction in own for one in company.members[auction]} - {firm}):
            met = len(own & bid_by[other])
            won = len(own & won_by.get(other, set()))
            chance = float(hypergeom.sf(met - 1, auctions, len(bid_by[other]), len(own)))
            if met < _FEWEST or won < _ALWAYS * met or chance > _RARE:
                continue
            yield Companion(
                company.firms[firm],
                company.firms[other],
                len(own),
                met,
                round(company.expected(firm, other), 2),
                won,
                chance,
                float((1 - even) ** len(own)),
            )


def rotas(company: Company, communities: dict[str, int]) -> list[Rota]:
    """Of each community of firms, by the order of the auctions; the rarest first."""
    wins: dict[int, list[str]] = {}
    for winner in company.winners.tolist():
        if winner >= 0:
            firm = company.firms[winner]
            wins.setdefault(communities[firm], []).append(firm)
    found = [rota for won in wins.values() if (rota := _rota(won))]
    return sorted(found, key=lambda one: (one.chance, one.firms))


def _rota(won: list[str]) -> Rota | None:
    firms = sorted(set(won))
    if len(firms) < _TURNS or len(won) < max(_FEWEST, 2 * len(firms)):
        return None
    share = sum((won.count(firm) / len(won)) ** 2 for firm in firms)
    repeats = sum(one == other for one, other in pairwise(won))
    chance = float(scipy.stats.binom.cdf(repeats, len(won) - 1, share))
    if chance > _RARE:
        return None
    return Rota(tuple(firms), tuple(won), repeats, round(share * (len(won) - 1), 2), chance)
