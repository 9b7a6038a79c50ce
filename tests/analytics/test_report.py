"""报告: what one auction's paper says of a mean that the bids decide, and of a group in it."""

from datetime import UTC, datetime
from functools import cache

from analytics_markets import a_market
from test_who import RING, with_ring

from analytics.market import Market
from analytics.model import Model
from analytics.report import auction_report, market_report
from analytics.training import train
from analytics.warning import warn
from evaluation.paper import Note, Paper, Table

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


@cache
def a_model() -> Model:
    return train([Market(f"m{seed}", a_market(seed)) for seed in range(2)])


def paper_of(market: Market, auction: str) -> Paper:
    return auction_report(a_model(), market, warn(a_model(), market), auction, AT)


def notes(paper: Paper, title: str) -> str:
    (part,) = [part for part in paper.parts if part.title.startswith(title)]
    return " ".join(block.text for block in part.blocks if isinstance(block, Note))


def by_chance(bids: list[float]) -> float:
    rows = [{"auction_id": "A", "bid": f"{bid:.3f}"} for bid in bids]
    told = notes(paper_of(Market("m", rows), "A"), "基准价")
    return float(told.split("概率约 ")[1].split("%")[0].removeprefix("< "))


def test_a_benchmark_and_a_cluster_are_told() -> None:
    free = [91.0, 94.2, 95.9, 97.3, 98.8, 100.4, 101.7, 103.5, 106.1]
    assert by_chance([*free, 96.500, 96.503, 96.506]) < 1
    assert by_chance([*free, 93.1, 96.5, 99.6]) > 20


def test_what_the_proposed_group_does_is_told() -> None:
    paper = paper_of(with_ring(1), "0")
    assert set(RING) <= set(notes(paper, "逐家").split(": ")[1].split("、"))
    (part,) = [part for part in paper.parts if part.title.startswith("团伙的作用")]
    (table,) = [block for block in part.blocks if isinstance(block, Table)]
    (_, together) = table.rows
    assert float(together[-1].rstrip("%")) < 2


def test_nameless_bids_have_prices_and_no_names() -> None:
    rows = [{**row, "bidder_id": ""} for row in a_market(4, auctions=30)]
    titles = [part.title for part in paper_of(Market("m", rows), rows[0]["auction_id"]).parts]
    assert any(title.startswith("基准价") for title in titles)
    assert not any(title.startswith("逐家") for title in titles)
    whole = market_report(a_model(), Market("m", rows), warn(a_model(), Market("m", rows)), AT)
    assert not any("陪标" in part.title for part in whole.parts)
