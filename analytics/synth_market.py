"""情景市场 made-up lots, for rings that no single lot shows: who wins in turn, and a market of
firms that compete, which must not be taken for one.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trading.kernel.files import durable_folder

__all__ = ["write_markets"]

Rng = np.random.Generator
Row = dict[str, str]

_LOTS = 30
_RING = 4
_FIRMS = 24


def write_markets(draw: Rng, out: Path, totals: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """`totals`: of each scenario, by bidder. What is to be found, by the name of the market."""
    _write(out / "prices.csv", _priced(totals))
    firms = [f"企业{number:02d}" for number in draw.permutation(_FIRMS)]
    ring, others = sorted(firms[:_RING]), firms[_RING:]
    folder = out / "markets"
    durable_folder(folder)
    _write(folder / "rotation.csv", _lots(draw, others, ring))
    _write(folder / "competition.csv", _lots(draw, firms, []))
    return {
        "rotation": {"kinds": ["rotation"], "firms": ring},
        "competition": {"kinds": [], "firms": []},
    }


def _priced(totals: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    for code, bids in totals.items():
        lowest = min(bids, key=lambda bidder: float(bids[bidder]))
        for bidder, total in bids.items():
            yield _row(code, bidder, total, "", is_lowest=bidder == lowest)


def _lots(draw: Rng, free: list[str], ring: list[str]) -> Iterator[Row]:
    """The ring bids for every lot: whose turn it is wins, the rest cover a little above."""
    for number in range(_LOTS):
        cost = float(np.exp(draw.normal(15, 0.8)))
        named = [*ring, *(str(one) for one in draw.choice(free, 6 - len(ring) // 2, replace=False))]
        prices = cost * (1 + np.abs(draw.normal(0.12, 0.05, len(named))))
        if ring:
            prices[: len(ring)] = cost * (1.05 + draw.uniform(0.01, 0.03, len(ring)))
            prices[number % len(ring)] = cost * 1.05
            prices[len(ring) :] = np.maximum(prices[len(ring) :], cost * 1.06)
        for bidder, price in zip(named, prices.tolist(), strict=True):
            is_lowest = price == prices.min()
            yield _row(
                f"{number:02d}", bidder, f"{price:.2f}", f"{cost * 1.3:.2f}", is_lowest=is_lowest
            )


def _row(auction: str, bidder: str, bid: str, ceiling: str, *, is_lowest: bool) -> Row:
    return {
        "auction_id": auction,
        "bidder_id": bidder,
        "bid": bid,
        "winner": str(int(is_lowest)),
        "control_price": ceiling,
    }


def _write(path: Path, rows: Iterator[Row]) -> None:
    listed = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
