"""缺失的报价与均价围标: what rings leave out of a market, and what they do to a mean."""

import numpy as np
import pytest
from analytics_markets import bids_of
from test_network import RING, at_random, bids, with_ring

from analytics.average_bid import benchmark, coalition_needed, entering_together, moved
from analytics.company import Company
from analytics.market import Market
from analytics.missing_bids import margins, missing_bids


def a_market(seed: int, least: float) -> Market:
    """Honest bids on 300 lots; of a ring, nobody bids closer to the winner than `least`."""
    draw, rows = np.random.default_rng(seed), []
    for number in range(300):
        prices = np.sort(100 * (1 + draw.uniform(0, 0.06, 6)))
        prices[1:] = np.maximum(prices[1:], prices[0] + 110 * least)
        rows += [
            {"auction_id": f"{number}", "bid": f"{price}", "control_price": "110"}
            for price in prices
        ]
    return Market("made-up", rows)


def test_margins_are_held_against_the_best_rival() -> None:
    market = bids_of([100, 104, 110], control_price="200")
    assert margins(market) == pytest.approx([-0.02, 0.02, 0.05])
    assert margins(bids_of([100, 100, 110], control_price="200")) == pytest.approx([0, 0, 0.05])
    assert len(margins(bids_of([100]))) == 0


def test_a_ring_leaves_a_gap_and_competition_none() -> None:
    ring, free = missing_bids(a_market(1, least=0.008)), missing_bids(a_market(1, least=0.0))
    assert ring.share is not None
    assert ring.chance is not None
    assert free.chance is not None
    assert ring.share < 0.1
    assert ring.chance < 1e-6
    assert free.chance > 0.01


def test_few_bids_say_nothing() -> None:
    found = missing_bids(bids_of([100, 101, 102]))
    assert (found.share, found.chance) == (None, None)


def test_a_benchmark_is_the_trimmed_mean() -> None:
    assert benchmark(np.array([1.0, 2, 3, 4, 100])) == pytest.approx(22)
    assert benchmark(np.array([*range(1, 10), 1000.0])) == pytest.approx(np.mean(range(2, 10)))
    assert benchmark(np.array([5.0])) == 5


def test_bids_that_drag_the_mean_stand_out() -> None:
    draw = np.random.default_rng(2)
    honest = draw.normal(100, 2, 30)
    group = [0, 1, 2, 3, 4, 5]
    dragging = honest.copy()
    dragging[group] = 108 + draw.normal(0, 0.2, 6)
    assert moved(dragging, group).chance < 0.01
    assert moved(honest, group).chance > 0.05
    assert moved(honest, list(range(30))).chance == 1.0


def test_how_many_must_agree() -> None:
    bids_ = np.linspace(95, 105, 40)
    few, more = coalition_needed(bids_, 0.005), coalition_needed(bids_, 0.02)
    assert few is not None
    assert more is not None
    assert 1 < few < more
    assert coalition_needed(bids_, 0.5) is None


def test_a_ring_enters_together_more_often_than_others_would() -> None:
    company = Company.of(with_ring(1))
    found = entering_together(company, RING)
    assert found.met == 20
    assert found.chance < 0.02
    free = Company.of(bids(*at_random(2, 120)))
    assert entering_together(free, list(free.firms[:3])).chance > 0.02
