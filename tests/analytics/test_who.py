"""谁: rings stand out inside their auctions, whoever they are; of crowds nothing is said."""

import numpy as np
import pytest
from analytics_markets import a_market, bids_of, real_markets

from analytics.company import Company
from analytics.honest import evaluate
from analytics.market import Market, read_market
from analytics.network import communities
from analytics.who import coalition, shares

RING = [f"ring-{n}" for n in range(4)]
Rows = list[dict[str, str]]


def with_ring(seed: int, auctions: int = 120) -> Market:
    """Four of eight bidders, in every third auction, close to each other; others as they come."""
    draw, rows = np.random.default_rng(seed), []
    for number in range(auctions):
        is_rigged = number % 3 == 0
        firms = [f"free-{n}" for n in draw.choice(40, 4 if is_rigged else 8, replace=False)]
        named = firms + (RING if is_rigged else [])
        prices = 100 * (1 + draw.uniform(0, 0.3, len(named)))
        if is_rigged:
            prices[-4:] = 112 * (1 + draw.uniform(0, 0.01, 4))
        rows += [
            {
                "auction_id": f"{number}",
                "bidder_id": firm,
                "bid": f"{price:.4f}",
                "winner": str(int(price == prices.min())),
                "label_auction": str(int(is_rigged)),
                "label_bid": str(int(firm in RING)),
            }
            for firm, price in zip(named, prices, strict=True)
        ]
    return Market("ring", rows)


def test_a_ring_stands_out_in_its_auctions_and_is_proposed() -> None:
    market = with_ring(1)
    share, company = shares(market), Company.of(market)
    for auction in range(0, len(market), 3):
        within = market.within(auction)
        named = dict(zip(market.bidders[within], share[within].tolist(), strict=True))
        best = sorted(named, key=lambda who: -named[who])[:4]
        assert set(best) == set(RING)
        assert set(RING) <= set(coalition(named, company)) | set(best)


def test_without_a_ring_nobody_is_proposed() -> None:
    free = [auction for auction in range(120) if auction % 3]
    market = with_ring(2)
    share, company = shares(market), Company.of(market)
    proposed = []
    for auction in free:
        within = market.within(auction)
        named = dict(zip(market.bidders[within], share[within].tolist(), strict=True))
        proposed.append(bool(coalition(named, company)))
    assert np.mean(proposed) < 0.2


def test_names_and_the_order_of_the_file_do_not_matter() -> None:
    market, renamed = with_ring(3), with_ring(3)
    number = {firm: f"{place}" for place, firm in enumerate(sorted(set(market.bidders))[::-1])}
    renamed.bidders = [number[firm] for firm in market.bidders]
    assert shares(renamed) == pytest.approx(shares(market))


def test_prices_alone_where_firms_are_not_known() -> None:
    found = shares(bids_of([100, 101, 102, 150, 200]))
    assert found.tolist() == pytest.approx(sorted(found, reverse=True), abs=0.51)
    assert found[-1] == 0
    assert shares(bids_of([100])).tolist() == [0.5]


def test_of_a_crowd_nothing_is_said_and_nothing_breaks() -> None:
    draw = np.random.default_rng(4)
    rows = [{"auction_id": "a", "bid": f"{bid}"} for bid in 100 + draw.random(200_000)]
    assert set(shares(Market("crowd", rows)).tolist()) == {0.5}


@pytest.mark.parametrize("name", ["italy", "ohio"])
def test_bidders_inside_partly_rigged_auctions_of_published_markets(name: str) -> None:
    """Nothing is fitted, so firms and auctions need no grouping; the aim is 0.80."""
    (report,) = evaluate([read_market(real_markets() / f"{name}.csv.gz")])
    assert report.bidders is not None
    assert report.bidders > 0.8


def test_communities_are_the_same_every_time() -> None:
    market = Market("many", a_market(5, auctions=200))
    first = communities(market)
    assert all(communities(market) == first for _ in range(5))
