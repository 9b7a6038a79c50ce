"""同标网络 who bids with whom: the communities that an honest evaluation holds out whole."""

import ctypes
from collections import Counter
from itertools import combinations

import scipy

from analytics.market import Market

__all__ = ["MOST_BIDDERS", "bidders_of", "communities"]

MOST_BIDDERS = 40  # of an auction whose pairs are looked at


def bidders_of(market: Market, auction: int) -> list[str]:
    """Sorted, each once; those without a name are nobody's company."""
    return sorted(set(market.bidders[market.within(auction)]) - {""})


def communities(market: Market) -> dict[str, int]:
    """Leiden communities of the firms, edges weighted by how often two met; the same every time:
    the library draws by the C library's generator, whatever state it is given.
    """
    from sknetwork.clustering import Leiden  # noqa: PLC0415  0.3 s that a server's start is without

    firms = [bidders_of(market, auction) for auction in range(len(market))]
    met = Counter(pair for named in firms for pair in combinations(named[:MOST_BIDDERS], 2))
    names = sorted({firm for named in firms for firm in named})
    place = {name: number for number, name in enumerate(names)}
    if not met:
        return place
    pairs = sorted(met)
    rows = [place[a] for a, _ in pairs] + [place[b] for _, b in pairs]
    columns = [place[b] for _, b in pairs] + [place[a] for a, _ in pairs]
    weights = [float(met[pair]) for pair in pairs] * 2
    shape = len(names), len(names)
    graph = scipy.sparse.coo_matrix((weights, (rows, columns)), shape=shape).tocsr()
    ctypes.CDLL(None).srand(0)
    labels = Leiden(random_state=0).fit_predict(graph)
    return dict(zip(names, labels.tolist(), strict=True))
