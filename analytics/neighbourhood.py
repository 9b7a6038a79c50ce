"""同标图 the firms of an opening, and whom they keep meeting: nodes with places, edges with how
often two met and how often they would by chance.
"""

from collections.abc import Sequence

import msgspec

from analytics.company import Company
from analytics.layout import layout

__all__ = ["Edge", "Neighbourhood", "Node", "neighbourhood_of"]

_MOST = 60  # firms of a picture
_FEWEST = 2  # meetings that make an edge


class Node(msgspec.Struct, frozen=True):
    """A firm; `x` and `y` within the unit square; `is_here`: it bids in this opening."""

    bidder: str
    bids: int
    wins: int
    x: float
    y: float
    is_here: bool


class Edge(msgspec.Struct, frozen=True):
    first: str
    second: str
    met: int
    expected: float


class Neighbourhood(msgspec.Struct, frozen=True):
    nodes: list[Node]
    edges: list[Edge]


def neighbourhood_of(company: Company, bidders: Sequence[str]) -> Neighbourhood:
    """Those that bid here first, then whom they met most."""
    place = {firm: number for number, firm in enumerate(company.firms)}
    here = [place[bidder] for bidder in sorted(set(bidders)) if bidder in place]
    met: dict[int, int] = {}
    for firm in here:
        row = company.met.getrow(firm)
        for other, count in zip(row.indices.tolist(), row.data.tolist(), strict=True):
            if other not in here and count >= _FEWEST:
                met[other] = max(met.get(other, 0), int(count))
    others = sorted(met, key=lambda firm: (-met[firm], firm))[: max(0, _MOST - len(here))]
    shown = (here + others)[:_MOST]
    edges = _edges(company, shown)
    number = {firm: at for at, firm in enumerate(shown)}
    drawn = layout(len(shown), [(number[a], number[b], float(count)) for a, b, count in edges])
    wins = company.winners.tolist()
    return Neighbourhood(
        [
            Node(
                company.firms[firm],
                int(company.bids[firm]),
                wins.count(firm),
                float(drawn[at, 0]),
                float(drawn[at, 1]),
                firm in here,
            )
            for at, firm in enumerate(shown)
        ],
        [
            Edge(
                company.firms[first],
                company.firms[second],
                count,
                round(company.expected(first, second), 3),
            )
            for first, second, count in edges
        ],
    )


def _edges(company: Company, shown: Sequence[int]) -> list[tuple[int, int, int]]:
    return [
        (first, second, int(company.met[first, second]))
        for at, first in enumerate(shown)
        for second in shown[at + 1 :]
        if company.met[first, second] >= _FEWEST
    ]
