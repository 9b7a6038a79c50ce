"""Evaluation: draws, score sheets, rankings, papers and bills, beside what nothing can undercut."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import xlsxwriter
from bench.table import Row, Sizes, measured, median, show

from evaluation.bill import read_bill
from evaluation.clearing import check_bills
from evaluation.method import Offer
from evaluation.methods import METHODS
from evaluation.paper import Note, Paper, Part, Signature, Table, money, typeset
from evaluation.scoring import reviews
from trading.facts.draw import Group, Option
from trading.facts.rubric import Item, Kind, Mark, ReviewStage
from trading.kernel.canonical import sha256
from trading.kernel.money import Money
from trading.lots import drawn

_EXPERTS = 100_000
_TENDERS, _BIDDERS, _MEMBERS = 100, 200, 7
_LINES, _BILLS, _SHEETS = 5_000, 20, 5


def run(folder: Path, sizes: Sizes) -> None:
    show("Evaluation", [*_draws(sizes), *_rankings(sizes), *_papers(sizes), *_bills(folder, sizes)])


def _draws(sizes: Sizes) -> Iterator[Row]:
    """Beside one bare SHA-256 for each expert: no order by hash costs less."""
    options = [
        Option(sha256(n.to_bytes(4, "big")).hex(), ("cost" if n % 2 else "law", "away"))
        for n in range(_EXPERTS)
    ]
    groups, seed = (Group("a", 3, "cost", 1), Group("b", 2, "law")), os.urandom(32)
    codes = [option.code.encode() for option in options]

    def bare() -> None:
        for code in codes:
            hashlib.sha256(seed + code).digest()

    ours = median(
        [measured(lambda: drawn(seed, options, groups)).wall for _ in range(sizes.rounds)]
    )
    floor = median([measured(bare).wall for _ in range(sizes.rounds)])
    yield Row(
        f"draw over {_EXPERTS:,} experts",
        f"{ours * 1000:.0f} ms",
        "bare SHA-256",
        f"{floor * 1000:.0f} ms",
        floor / ours,
    )


def _rankings(sizes: Sizes) -> Iterator[Row]:
    """Sheets of seven members, their means, and the comprehensive score with every explanation."""
    tenders = 10 if sizes.quick else _TENDERS
    items = [
        Item(f"i{n}", f"第 {n} 项", ReviewStage.TECHNICAL, Kind.SCORE, "0", "10") for n in range(4)
    ]
    bids = [f"{n}" for n in range(_BIDDERS)]
    sheets = {
        f"m{member}": [
            Mark(bid, item.code, f"{(number * member + place) % 10}")
            for number, bid in enumerate(bids)
            for place, item in enumerate(items)
        ]
        for member in range(_MEMBERS)
    }
    prices = [Money(10_000_000 + 7919 * number) for number in range(_BIDDERS)]

    def one() -> None:
        found = reviews(sheets, items, bids)
        offers = [
            Offer(bid, number, prices[number], scores=found[bid].scores)
            for number, bid in enumerate(bids)
        ]
        METHODS["comprehensive-evaluation"].rank(offers, {"price_weight": "60"})

    spent = measured(one, tenders)
    yield Row(
        f"{tenders} tenders x {_BIDDERS} bidders x {_MEMBERS} experts, scored and ranked",
        f"{spent.wall * tenders:.1f} s, {spent.wall * 1000:.0f} ms each",
        *_peer(tenders),
    )


def _peer(tenders: int) -> tuple[str, str]:
    """bid-evaluation on pandas: the same means and a ratio score, in floats, no explanation."""
    import pandas as pd
    from bid_evaluation.criteria import DirectScoreCriterion, MinimumRatioCriterion

    price = pd.Series([100_000 + 79.19 * number for number in range(_BIDDERS)])
    frame = pd.DataFrame([[float(n % 10) for n in range(_BIDDERS)] for _ in range(_MEMBERS * 4)])

    def one() -> None:
        DirectScoreCriterion("technical", 0.4).evaluate(frame.mean())
        MinimumRatioCriterion("price", 0.6).evaluate(price)

    spent = measured(one, tenders)
    return "bid-evaluation, no reasons", f"{spent.wall * 1000:.0f} ms each"


def _papers(sizes: Sizes) -> Iterator[Row]:
    """Ten pages, compiled anew each time: another number stands in it."""
    made: list[float] = []
    for turn in range(sizes.rounds):
        paper = _paper(turn)
        made.append(measured(lambda paper=paper: typeset(paper)).cpu)  # type: ignore[misc]
    yield Row(
        "report of ten pages, PDF/A-2a",
        f"{median(made) * 1000:.0f} ms CPU",
        aim="<= 300 ms",
        met=median(made) <= 0.3,
    )


def _paper(turn: int) -> Paper:
    rows = tuple((f"{n}", f"投标人 {n}", *money(9_800_000 + n * turn)) for n in range(330))
    table = Table(("编号", "投标人", "报价", "大写"), rows, (1, 3, 3, 5), (2,))
    return Paper(
        title="评标报告",
        subtitle=f"第 {turn} 次",
        issuer="某县公共资源交易中心",
        at=datetime(2026, 3, 2, tzinfo=UTC),
        parts=(Part("投标一览", (Note("共十页"), table)),),
        signatures=(Signature("评委 1", "已签署"),),
    )


@dataclass
class _Books:
    folder: Path
    count: int

    def write(self) -> list[Path]:
        return [self._write(number) for number in range(self.count)]

    def _write(self, bidder: int) -> Path:
        path = self.folder / f"bidder-{bidder}.xlsx"
        with xlsxwriter.Workbook(str(path)) as workbook:
            for number in range(_SHEETS):
                sheet = workbook.add_worksheet(f"表 {number}")
                sheet.write_row(0, 0, ["编码", "名称", "单位", "数量", "单价", "合价"])
                for line in range(_LINES // _SHEETS):
                    quantity, price = line % 97 + 1, (line % 89 + 1) * (10 + bidder % 3) / 10
                    figures = [quantity, price, round(quantity * price, 2)]
                    sheet.write_row(line + 1, 0, [f"{line:06}", f"项目 {line}", "m3", *figures])
        return path


def _bills(folder: Path, sizes: Sizes) -> Iterator[Row]:
    count = 4 if sizes.quick else _BILLS
    paths = _Books(folder, count).write()
    findings: list[int] = []

    def ours() -> None:
        bills = [read_bill(path) for path in paths]
        findings.append(len(check_bills(bills, bills[0])))

    def peer() -> None:
        for path in paths[:1]:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            for sheet in book:
                for row in sheet.iter_rows(values_only=True):
                    Decimal(0) if row else None

    spent, theirs = measured(ours).wall, measured(peer).wall * count
    yield Row(
        f"{_LINES:,} lines x {count} bills read and checked, {findings[-1]:,} findings",
        f"{spent:.2f} s",
        "openpyxl, reading alone",
        f"{theirs:.2f} s",
        theirs / spent,
        "<= 2 s",
        None if sizes.quick else spent <= 2,
    )
