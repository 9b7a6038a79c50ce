"""档案: SQL over an archive gives what the single opening's screens give, and reads many files."""

import csv
from pathlib import Path

import numpy as np
import pytest
from analytics_markets import a_market, real_markets

from analytics.archive import ARCHIVE_SCREENS, SQL, DuckDbEngine
from analytics.market import Market, read_market, read_markets
from analytics.screens import screens
from trading.kernel.errors import InputUnusable


def rows_of(seed: int, auctions: int) -> list[dict[str, str]]:
    """Of any size, ties and equal bids among them."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(auctions):
        size = int(draw.integers(1, 14))
        bids = np.exp(draw.normal(10, 1)) * (1 + draw.integers(0, 9, size) / 50)
        rows += [
            {"auction_id": f"{number:06d}", "bid": f"{bid:.2f}", "winner": "0"} for bid in bids
        ]
    return rows


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def assert_equal(market: Market, files: str) -> None:
    names, found = DuckDbEngine().screens(files)
    order = np.argsort(market.auctions)
    assert [market.auctions[place] for place in order] == names
    own = screens(market)
    for code in ARCHIVE_SCREENS:
        assert found[code] == pytest.approx(own[code][order], rel=1e-7, abs=1e-9, nan_ok=True), code


def test_a_hundred_thousand_bids_in_many_files_are_screened_alike(tmp_path: Path) -> None:
    rows = rows_of(1, 15_000)
    for part in range(4):
        write(tmp_path / f"part-{part}.csv", rows[part::4])
    assert_equal(Market("all", rows), str(tmp_path / "part-*.csv"))


def test_published_markets_are_screened_alike() -> None:
    folder = real_markets()
    for market in read_markets(folder):
        assert_equal(market, str(folder / f"{market.name}.csv.gz"))


def test_parquet_is_read_as_well(tmp_path: Path) -> None:
    import duckdb

    write(tmp_path / "m.csv", a_market(2))
    target = tmp_path / "m.parquet"
    duckdb.read_csv(str(tmp_path / "m.csv")).write_parquet(str(target))
    assert_equal(read_market(tmp_path / "m.csv"), str(target))


def test_the_text_is_plain_sql() -> None:
    assert "list_" not in SQL
    assert "struct" not in SQL.lower()


@pytest.mark.parametrize("content", ["auction_id,price\na,1\n", "auction_id,bid\na,much\n"])
def test_files_that_hold_no_bids_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputUnusable):
        DuckDbEngine().screens(str(tmp_path / "m.csv"))


def test_what_can_be_no_bid_makes_no_figure(tmp_path: Path) -> None:
    clean, spoilt = tmp_path / "clean.csv", tmp_path / "spoilt.csv"
    bids = "auction_id,bid\na,100\na,104\na,111\na,120\n"
    clean.write_text(bids)
    spoilt.write_text(bids + "a,0\na,-5\na,\na,1e300\na,nan\n,7\n")
    (names, found), (again, others) = (
        DuckDbEngine().screens(str(path)) for path in (clean, spoilt)
    )
    assert names == again == ["a"]
    assert all(found[code] == pytest.approx(others[code]) for code in found)
    clean.write_text("auction_id,bid\n")
    with pytest.raises(InputUnusable, match="没有投标"):
        DuckDbEngine().screens(str(clean))
