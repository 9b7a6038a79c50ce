"""Markets for tests: made-up prices of honest and of rigged auctions, from a seed."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analytics.market import Market

__all__ = ["REAL", "a_market", "bids_of", "real_markets", "write_market"]

REAL = Path(__file__).parents[3] / "shared" / "data" / "collusion"


def real_markets() -> Path:
    """The published markets; skipped by name where they are absent."""
    if not REAL.exists() and not os.environ.get("REQUIRE_SHARED"):
        pytest.skip("shared/data/collusion is absent")
    return REAL


def bids_of(prices: Sequence[float], **columns: Sequence[str] | str) -> Market:
    """One auction, the lowest wins."""
    rows = [
        {"auction_id": "a", "bid": repr(price), "winner": "1" if price == min(prices) else "0"}
        for price in prices
    ]
    for name, values in columns.items():
        for row, value in zip(
            rows, [values] * len(rows) if isinstance(values, str) else values, strict=True
        ):
            row[name] = value
    return Market("one", rows)


def a_market(
    seed: int, auctions: int = 120, spread: float = 1.0, name: str = "made-up"
) -> list[dict[str, str]]:
    """Every third auction is rigged: covers close together, above a winner close to the ceiling."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(auctions):
        rigged, size = number % 3 == 0, int(draw.integers(3, 10))
        cost = float(np.exp(draw.normal(14, 1)))
        if rigged:
            low = cost * 1.18
            bids = low * (1 + spread * np.sort(np.abs(draw.normal(0.02, 0.01, size))))
            bids[0] = low
        else:
            bids = cost * (1 + spread * np.abs(draw.normal(0.12, 0.1, size)))
        firms = draw.choice(40, size, replace=False)
        for bid, firm in zip(bids, firms, strict=True):
            rows.append(
                {
                    "auction_id": f"{name}-{number}",
                    "bidder_id": f"firm-{firm}",
                    "bid": f"{bid:.2f}",
                    "winner": "1" if bid == bids.min() else "0",
                    "control_price": f"{cost * 1.25:.2f}",
                    "date_raw": f"{number}",
                    "label_auction": str(int(rigged)),
                    "label_bid": str(int(rigged)),
                }
            )
    return rows


def write_market(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    import gzip

    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
