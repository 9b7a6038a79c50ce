"""市场统计: figures worked out by hand, portraits, and tables in which nothing runs."""

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from analytics.deal import Deal, Taker
from analytics.sheet import as_csv, as_xlsx
from analytics.statistics import grouped, portrait, summed
from analytics.trade import HEADER, Query, row_of

DAY = datetime(2026, 3, 2, 1, tzinfo=UTC)
A, B, C = (Taker(code, f"{code} 公司", 0) for code in "ABC")


def a_deal(number: int, prices: dict[str, int], winner: str = "", **changes: object) -> Deal:
    takers = tuple(Taker(code, f"{code} 公司", fen) for code, fen in prices.items())
    fields: dict[str, object] = {
        "tender": f"t{number}",
        "number": f"2026-{number:03d}",
        "title": "道路工程",
        "lot": 1,
        "buyer": "交通局",
        "buyer_id": "11330106MB0000000X",
        "region": "330106",
        "procedure": "open-tender",
        "phase": "complete",
        "ceiling": 1_000,
        "published_at": DAY,
        "opened_at": DAY + timedelta(days=20 * number),
        "takers": takers,
        "winner": next((one for one in takers if one.bidder == winner), None),
        "contracted": bool(winner),
        "contracted_at": DAY + timedelta(days=30 + number) if winner else None,
        "has_failed": False,
    }
    return Deal(**(fields | changes))  # type: ignore[arg-type]


DEALS = [
    a_deal(0, {"A": 900, "B": 950}, "A"),
    a_deal(1, {"A": 700}, "A"),
    a_deal(2, {"A": 990, "B": 400, "C": 500}, "B", region="110101", ceiling=None),
    a_deal(3, {}, has_failed=True, opened_at=None, phase="failed"),
]


def test_every_figure_is_what_one_works_out_by_hand() -> None:
    found = summed(DEALS)
    assert (found.lots, found.awarded, found.failed, found.winners) == (4, 3, 1, 2)
    assert found.volume == 900 + 700 + 400
    assert found.savings == pytest.approx((100 + 300) / 2_000)  # only where a ceiling is known
    assert found.bidders == 2
    assert found.single == pytest.approx(1 / 3)
    assert found.hhi == pytest.approx(0.8**2 + 0.2**2)
    assert found.cr4 == pytest.approx(1)
    assert found.days == 31


def test_of_nothing_nothing_is_said() -> None:
    found = summed([])
    assert (found.lots, found.volume) == (0, 0)
    assert {found.savings, found.bidders, found.single, found.hhi, found.days} == {None}


def test_the_same_by_month_and_region() -> None:
    months = grouped(DEALS, "month")
    assert list(months) == ["2026-03", "2026-04"]
    assert sum(one.lots for one in months.values()) == len(DEALS)
    assert {key: one.volume for key, one in grouped(DEALS, "region").items()} == {
        "110101": 400,
        "330106": 1_600,
    }


def test_a_portrait_of_a_firm_and_of_a_buyer() -> None:
    firm = portrait(DEALS, "A")
    assert (firm.name, firm.bids, firm.wins, firm.won) == ("A 公司", 3, 2, 1_600)
    assert firm.win_rate == pytest.approx(2 / 3)
    assert firm.discount == pytest.approx((0.1 + 0.3) / 2)
    assert [(one.id, one.count) for one in firm.rivals] == [("B", 2), ("C", 1)]
    assert [(one.name, one.volume) for one in firm.partners] == [("交通局", 1_600)]
    buyer = portrait(DEALS, "11330106MB0000000X")
    assert buyer.bought is not None
    assert buyer.bought.lots == 4
    assert [(one.id, one.volume) for one in buyer.partners] == [("A", 1_600), ("B", 400)]
    assert portrait(DEALS, "nobody").bids == 0


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (Query(), 4),
        (Query(text="C 公司"), 1),
        (Query(text="2026-001"), 1),
        (Query(text="桥梁"), 0),
        (Query(region="33"), 3),
        (Query(procedure="invited-tender"), 0),
        (Query(since=DAY + timedelta(days=10)), 2),
        (Query(until=DAY + timedelta(days=10)), 2),
    ],
)
def test_one_stop_query(query: Query, count: int) -> None:
    assert len([deal for deal in DEALS if query.takes(deal)]) == count


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_runs(start: str) -> None:
    deal = a_deal(1, {"A": 700}, title=f"{start}|cmd")
    rows = list(csv.reader(io.StringIO(as_csv(HEADER, [row_of(deal)]).decode("utf-8-sig"))))
    assert rows[1][2].startswith("'")
    assert "".join(rows[1][2].split()) == f"'{''.join(start.split())}|cmd"
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx("表", HEADER, [row_of(deal)]))).active
    cell = sheet.cell(row=2, column=3)
    assert cell.data_type == "s"
    assert sheet.cell(row=2, column=8).value == 10
