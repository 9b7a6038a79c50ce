"""同标网络: company beyond chance, rotation, companions, a picture that never moves."""

import numpy as np
import pytest
from analytics_markets import a_market
from hypothesis import given
from hypothesis import strategies as st

from analytics.company import COMPANY, Company, company_features
from analytics.layout import layout
from analytics.market import Market
from analytics.neighbourhood import neighbourhood_of
from analytics.network import communities
from analytics.rotation import companions, rotas

Rows = list[dict[str, str]]


def bids(*auctions: tuple[list[str], str]) -> Market:
    """Each auction: its firms, and who won."""
    rows: Rows = [
        {
            "auction_id": f"a{number:03d}",
            "bidder_id": firm,
            "bid": f"{100 + place + number}",
            "winner": str(int(firm == winner)),
        }
        for number, (firms, winner) in enumerate(auctions)
        for place, firm in enumerate(firms)
    ]
    return Market("made-up", rows)


def at_random(seed: int, auctions: int = 80) -> list[tuple[list[str], str]]:
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(auctions):
        firms = [f"free-{n}" for n in sorted(draw.choice(30, 5, replace=False).tolist())]
        found.append((firms, str(draw.choice(firms))))
    return found


RING = ["ring-a", "ring-b", "ring-c", "ring-d"]


def with_ring(seed: int) -> Market:
    """Four firms bid together twenty times, and win in turn."""
    turns = [(RING, RING[number % 4]) for number in range(20)]
    return bids(*at_random(seed), *turns)


def test_by_chance_firms_meet_as_often_as_expected() -> None:
    company = Company.of(bids(*at_random(1, 400)))
    met = company.met.toarray()
    off = met[np.triu_indices_from(met, 1)]
    firms = range(len(company.firms))
    expected = [company.expected(a, b) for a in firms for b in firms if a < b]
    assert off.sum() == pytest.approx(sum(expected), rel=0.05)
    lift = company_features(company)[:, COMPANY.index("lift")]
    assert np.abs(lift).mean() < 0.3


def test_a_ring_stands_out_and_takes_turns() -> None:
    market = with_ring(2)
    features = company_features(Company.of(market))
    ring = np.array([auction >= "a080" for auction in market.auctions])
    for code in ("lift", "exclusivity", "win_entropy", "rotation"):
        column = features[:, COMPANY.index(code)]
        assert column[ring].min() > np.quantile(column[~ring], 0.9)


def test_who_firms_are_does_not_matter() -> None:
    """Other names, and the order of the file turned round: the same figures."""
    market = with_ring(3)
    firms = sorted(set(market.bidders), reverse=True)
    names = {firm: f"x{number}" for number, firm in enumerate(firms)}
    renamed = with_ring(3)
    renamed.bidders = [names[firm] for firm in market.bidders]
    assert company_features(Company.of(renamed)) == pytest.approx(
        company_features(Company.of(market))
    )


def test_rotation_is_found_where_it_is_and_only_there() -> None:
    market = with_ring(4)
    (rota,) = rotas(Company.of(market), communities(market))
    assert rota.firms == tuple(RING)
    assert rota.repeats == 0
    for seed in range(10):
        free = bids(*at_random(seed))
        assert rotas(Company.of(free), communities(free)) == []


def test_a_companion_is_found_and_an_unlucky_firm_is_none() -> None:
    beside = [(["boss", "shadow", *firms[:3]], "boss") for firms, _ in at_random(5, 12)]
    market = bids(*at_random(6), *beside)
    (one,) = companions(Company.of(market))
    assert (one.companion, one.winner, one.met, one.won) == ("shadow", "boss", 12, 12)
    assert one.chance < 0.001


def test_a_firm_alone_says_nothing() -> None:
    company = Company.of(bids((["a"], "a"), (["a"], "a")))
    assert np.isnan(company_features(company)).all()
    assert companions(company) == []


@given(st.integers(0, 40), st.integers(0, 2**31))
def test_a_layout_is_the_same_every_time_and_within_its_square(nodes: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    edges = [
        (int(a), int(b), float(draw.integers(1, 9)))
        for a, b in draw.integers(0, max(nodes, 1), (nodes, 2))
        if a != b
    ]
    places = layout(nodes, edges)
    assert places.shape == (nodes, 2)
    assert np.isfinite(places).all()
    assert ((places >= 0) & (places <= 1)).all()
    assert (layout(nodes, edges) == places).all()


def test_the_picture_shows_who_bids_here_and_their_company() -> None:
    shown = neighbourhood_of(Company.of(with_ring(7)), RING)
    assert {node.bidder for node in shown.nodes if node.is_here} == set(RING)
    ring = [edge for edge in shown.edges if {edge.first, edge.second} <= set(RING)]
    assert len(ring) == 6
    assert min(edge.met / edge.expected for edge in ring) > 5


def test_a_market_of_many_is_drawn_within_its_limit() -> None:
    market = Market("many", a_market(8, auctions=600))
    shown = neighbourhood_of(Company.of(market), sorted(set(market.bidders)))
    assert len(shown.nodes) <= 60
