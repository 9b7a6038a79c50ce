"""市场 a market of auctions as columns of bids, read from CSV; the auction is the unit.

Identities and dates are kept apart from prices: what learns from prices never sees them.
"""

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analytics.packed import decoded, opened
from trading.kernel.errors import InputUnusable

__all__ = [
    "LEAST",
    "MOST",
    "NO_BIDS",
    "Floats",
    "Ints",
    "Market",
    "number",
    "read_market",
    "read_markets",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_PRICES = (
    "auction_id",
    "bid",
    "winner",
    "control_price",
    "lowest_wins",
    "label_auction",
    "label_bid",
)
_NEEDED = ("auction_id", "bid")
LEAST, MOST = 1e-6, 1e15  # of a bid, in any currency's units
NO_BIDS = "没有投标 / no bids"
_TRUE = ("1", "1.0", "true", "yes", "y", "t", "是", "中标")
_FALSE = ("", "0", "0.0", "false", "no", "n", "f", "nan", "否", "未中标")


class Market:
    """Bids in the order of their auctions, which keep the order of the file.

    `starts`: where each auction begins, and one more at the end. Columns that a file lacks:
    controls are nan, bidders empty, labels -1; `lowest_wins`, of each auction by its rules, 1, 0 or
    nan. `dates` and `others`, which are no prices, are for checks alone.
    """

    def __init__(self, name: str, rows: Sequence[dict[str, str]]) -> None:
        self.name = name
        order, names = _grouped([row["auction_id"] for row in rows])
        rows = [rows[place] for place in order]
        self.auctions = names
        counts = np.bincount(_numbered([row["auction_id"] for row in rows], names))
        self.starts: Ints = np.concatenate([[0], np.cumsum(counts)])
        self.bids = _column(rows, "bid")
        self.winner: npt.NDArray[np.bool_] = np.array(
            [row.get("winner", "").strip().lower() in _TRUE for row in rows], dtype=bool
        )
        self.bidders = [row.get("bidder_id", "").strip() for row in rows]
        self.controls = self._known(_prices(_column(rows, "control_price")))
        self.lowest_wins = self._known(_flags(_column(rows, "lowest_wins")))
        self.dates = self._known(_column(rows, "date_raw"))
        self.labels = np.maximum.reduceat(_labels(rows, "label_auction"), self.starts[:-1])
        self.bid_labels = _labels(rows, "label_bid")
        self.others = {
            name: [row.get(name) or "" for row in rows] for name in rows[0] if name not in _PRICES
        }

    def __len__(self) -> int:
        return len(self.auctions)

    @property
    def sizes(self) -> Ints:
        return np.diff(self.starts)

    @property
    def firms(self) -> Ints:
        """How many bid in each auction: a name counts once, whoever has none by the bid."""
        who = [bidder or place for place, bidder in enumerate(self.bidders)]
        once = set(zip(self.of_bid.tolist(), who, strict=True))
        return np.bincount([auction for auction, _ in once], minlength=len(self))

    @property
    def of_bid(self) -> Ints:
        """The auction of each bid."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @property
    def named(self) -> npt.NDArray[np.bool_]:
        """Of each bid, whether its firm is known."""
        return np.array([bool(bidder) for bidder in self.bidders], dtype=bool)

    @property
    def has_bidders(self) -> bool:
        return any(self.bidders)

    def _known(self, column: Floats) -> Floats:
        """What any row of an auction says of it; nan where none does."""
        return np.asarray(np.fmax.reduceat(column, self.starts[:-1]))

    def within(self, auction: int) -> slice:
        return slice(int(self.starts[auction]), int(self.starts[auction + 1]))


def read_markets(folder: Path) -> list[Market]:
    """Every `*.csv.gz` is one market; InputUnusable if there is none."""
    paths = sorted(folder.glob("*.csv.gz"))
    if not paths:
        raise InputUnusable(path=folder, problem="没有 *.csv.gz / none found")
    return [read_market(path) for path in paths]


def read_market(path: Path) -> Market:
    """InputUnusable with the line for what is no bid; a plain CSV is read as well."""
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    rows = list(_rows(path))
    if not rows:
        raise InputUnusable(path=path, problem=NO_BIDS)
    return Market(name, rows)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with opened(path) as file:
            content = file.read()
        reader = csv.DictReader(io.StringIO(decoded(content)), restval="")
        missing = [name for name in _NEEDED if name not in (reader.fieldnames or [])]
        if missing:
            raise InputUnusable(path=path, problem=f"缺少列 / missing columns: {missing}")
        told: set[tuple[str, ...]] = set()
        for line, row in enumerate(reader, 2):
            _check(path, line, row)
            cells = tuple(row.values())
            if cells not in told:
                yield row
            if row.get("bidder_id"):  # a firm's bid that stands twice is one bid
                told.add(cells)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise InputUnusable(path=path, problem=error) from error


def _check(path: Path, line: int, row: dict[str, Any]) -> None:
    bid = number(row["bid"])
    if None in row:
        problem = f"第 {line} 行多于列名 / line {line} has more cells than there are columns"
        raise InputUnusable(path=path, problem=problem)
    if not row["auction_id"] or not LEAST <= bid <= MOST:
        problem = f"第 {line} 行不是报价 / line {line} is no bid: {row['bid']}"
        raise InputUnusable(path=path, problem=problem)
    won = (row.get("winner") or "").strip().lower()
    if won not in (*_TRUE, *_FALSE) and np.isnan(number(won)):
        problem = f"第 {line} 行 winner 须为 0 或 1 / line {line}, winner is neither 0 nor 1: {won}"
        raise InputUnusable(path=path, problem=problem)


def number(text: str | None) -> float:
    """As spreadsheets write them; what is none is nan."""
    try:
        return float("nan" if not text or "_" in text else text)
    except ValueError:
        return float("nan")


def _column(rows: Sequence[dict[str, str]], name: str) -> Floats:
    return np.array([number(row.get(name)) for row in rows], dtype=np.float64)


def _labels(rows: Sequence[dict[str, str]], name: str) -> Ints:
    return np.nan_to_num(_flags(_column(rows, name)), nan=-1).astype(np.int64)


def _flags(column: Floats) -> Floats:
    """What is neither 0 nor 1 is unknown."""
    return np.where(np.isin(column, (0, 1)), column, np.nan)


def _prices(column: Floats) -> Floats:
    """What is no price is unknown."""
    return np.where((column >= LEAST) & (column <= MOST), column, np.nan)


def _grouped(auctions: Sequence[str]) -> tuple[Sequence[int], list[str]]:
    """Places of the rows auction by auction, and the auctions as they first appear."""
    names = list(dict.fromkeys(auctions))
    return np.argsort(_numbered(auctions, names), kind="stable").tolist(), names


def _numbered(auctions: Iterable[str], names: Sequence[str]) -> Ints:
    place = {name: place for place, name in enumerate(names)}
    return np.array([place[auction] for auction in auctions], dtype=np.int64)
