"""预警页 what supervisors see of one opening: prices, network, documents, decisions."""

import statistics
from collections.abc import Sequence

import msgspec

from analytics.company import Company
from analytics.finding import HARD
from analytics.history import Kept
from analytics.neighbourhood import Neighbourhood, neighbourhood_of
from analytics.record import Judged, Warnings
from analytics.rotation import Companion, Rota, companions, rotas
from analytics.who import coalition
from trading.facts.warning import Match, Verdict

__all__ = ["LotView", "Queued", "lot_view", "queued"]

_MOST = 20


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the queue."""

    tender: str
    title: str
    buyer: str
    lot: int
    bids: int
    score: str
    band: str
    hard: int
    clues: int
    verdict: Verdict | None
    index: int


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """In fen; `of_ceiling` and `of_median` as shares."""

    eid: str
    bidder: str
    name: str
    price: int
    of_ceiling: float | None
    of_median: float


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """Ascending by price; `quartiles`: of the prices, in fen."""

    prices: list[Price]
    ceiling: int | None
    median: float
    quartiles: tuple[float, float] | None
    variation: float | None


class LotView(msgspec.Struct, frozen=True, kw_only=True):
    """`given`, `model` and `features`: what the score comes from, so that anyone gets it again;
    `shares`: how much each bidder stands with others; `together`: a group that may.
    """

    lot: int
    score: str
    band: str
    abstains: bool
    reasons: tuple[str, ...]
    model: str
    given: str
    features: tuple[str, ...]
    cleared: int
    distribution: Distribution
    network: Neighbourhood
    shares: dict[str, float]
    together: tuple[str, ...]
    companions: list[Companion]
    rotas: list[Rota]
    matches: tuple[Match, ...]
    unread: tuple[str, ...]
    judged: list[Judged]


def queued(kept: Kept) -> Queued:
    opening, warning = kept.opening, kept.warning
    grades = [match.grade for match in warning.matches] if warning else []
    hard = sum(grade == HARD for grade in grades)
    return Queued(
        tender=opening.tender,
        title=opening.title,
        buyer=opening.buyer,
        lot=opening.lot,
        bids=len(opening.bids),
        score=warning.score if warning else "",
        band=warning.band if warning else "",
        hard=hard,
        clues=len(grades) - hard,
        verdict=kept.verdict,
        index=kept.index,
    )


def lot_view(
    kept: Kept,
    warnings: Warnings,
    company: Company,
    communities: dict[str, int],
    share: dict[str, float],
) -> LotView:
    opening, lot = kept.opening, kept.opening.lot
    warning, here = warnings.recorded[lot], [bid.bidder for bid in opening.bids]
    around = neighbourhood_of(company, here)
    shown = {node.bidder for node in around.nodes}
    return LotView(
        lot=lot,
        score=warning.score,
        band=warning.band,
        abstains=warning.abstains,
        reasons=warning.reasons,
        model=warning.model,
        given=warning.given,
        features=warning.features,
        cleared=warning.cleared,
        distribution=_distribution(kept),
        network=around,
        shares=share,
        together=coalition(share, company),
        companions=_companions(company, here),
        rotas=[one for one in rotas(company, communities) if shown & set(one.firms)],
        matches=warning.matches,
        unread=warning.unread,
        judged=warnings.judged.get(lot, []),
    )


def _companions(company: Company, here: Sequence[str]) -> list[Companion]:
    found = [one for one in companions(company) if {one.companion, one.winner} & set(here)]
    return found[:_MOST]


def _distribution(kept: Kept) -> Distribution:
    bids = sorted(kept.opening.bids, key=lambda bid: (bid.price, bid.eid))
    prices, ceiling = [bid.price for bid in bids], kept.opening.ceiling
    median = statistics.median(prices)
    quartiles = statistics.quantiles(prices, n=4, method="inclusive") if len(prices) > 1 else None
    return Distribution(
        prices=[
            Price(
                eid=bid.eid,
                bidder=bid.bidder,
                name=bid.name,
                price=bid.price,
                of_ceiling=round(bid.price / ceiling, 6) if ceiling else None,
                of_median=round(bid.price / median, 6),
            )
            for bid in bids
        ],
        ceiling=ceiling,
        median=median,
        quartiles=(quartiles[0], quartiles[2]) if quartiles else None,
        variation=statistics.stdev(prices) / statistics.mean(prices) if len(prices) > 1 else None,
    )
