"""Warnings: screens over an archive, one opening, near-duplicates; beside pandas and datasketch."""

import resource
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from bench.table import Row, Sizes, measured, median, show
from datasketch import MinHash

from analytics.archive import DuckDbEngine
from analytics.features import matrix
from analytics.market import Market
from analytics.near import near_duplicates

_BIDS = 6
_LETTERS, _LENGTH = 3000, 2000
_EDITS = 40
_BATCH = 400


def run(folder: Path, sizes: Sizes) -> None:
    rows = [*_growth(folder, sizes), *_archive(folder, sizes), *_opening(sizes), *_texts(sizes)]
    show("Warnings", rows)


def _written(folder: Path, auctions: int) -> Path:
    """So many auctions of six bids, in random order."""
    path = folder / f"{auctions}.parquet"
    if not path.exists():
        with duckdb.connect() as database:
            database.execute(
                "COPY (SELECT 'a' || (range // ?) AS auction_id, "
                "100000 * (1 + hash(range) % 100000 / 1e6) AS bid FROM range(?) "
                "ORDER BY hash(range + 1)) TO ? (FORMAT parquet)",
                [_BIDS, auctions * _BIDS, str(path)],
            )
    return path


def _archive(folder: Path, sizes: Sizes) -> Iterator[Row]:
    auctions = 100_000 if sizes.quick else 1_000_000
    path = _written(folder, auctions)
    engine = DuckDbEngine(threads=1)
    ours = median([measured(lambda: engine.screens(str(path))).cpu for _ in range(3)])
    theirs = measured(lambda: _pandas(path)).cpu
    rate = auctions / ours
    yield Row(
        f"screens, {auctions:,} auctions x {_BIDS} bids, read from Parquet",
        f"{rate:,.0f} auctions/CPU-s",
        "pandas, five of the eight",
        f"{auctions / theirs:,.0f}",
        theirs / ours,
        ">= 250,000",
        rate >= 250_000,
    )


def _pandas(path: Path) -> object:
    """Built-in aggregations alone: mean, deviation, least, most, skewness."""
    with duckdb.connect() as database:
        bids = database.read_parquet(str(path)).fetchnumpy()
    frame = pd.DataFrame({name: pd.Series(column) for name, column in bids.items()})
    return frame.groupby("auction_id")["bid"].agg(["mean", "std", "min", "max", "skew"])


def _growth(folder: Path, sizes: Sizes) -> Iterator[Row]:
    """Bids per CPU-second from 10^4 on, and what the process holds at most."""
    for power in range(4, 6 if sizes.quick else 8):
        auctions = 10**power // _BIDS
        path, engine = _written(folder, auctions), DuckDbEngine(memory="1GB", threads=1)
        spent = measured(partial(engine.screens, str(path)))
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        yield Row(
            f"screens, 10^{power} bids, 1 GB allowed",
            f"{auctions / spent.cpu:,.0f} auctions/CPU-s, {held:,} MiB at most",
        )


def _opening(sizes: Sizes) -> Iterator[Row]:
    draw = np.random.default_rng(1)
    rows = [{"auction_id": "a", "bid": f"{price}"} for price in 100 + draw.random(12)]
    market = Market("one", rows)
    ours = median([measured(lambda: matrix(market), 50).cpu for _ in range(sizes.rounds)])
    yield Row("features of one opening, 12 bids, all subsets", f"{ours * 1e6:,.0f} µs")


def _texts(sizes: Sizes) -> Iterator[Row]:
    count = 1_200 if sizes.quick else 4_200
    draw = np.random.default_rng(2)
    letters = np.array([chr(0x4E00 + n) for n in range(_LETTERS)])
    texts = ["".join(draw.choice(letters, _LENGTH)) for _ in range(count)]
    for place in range(count // 50):  # two in a hundred are edited copies
        copy = list(texts[place])
        for at in draw.integers(0, _LENGTH, _EDITS).tolist():
            copy[at] = str(draw.choice(letters))
        texts[count - 1 - place] = "".join(copy)
    found = near_duplicates(texts)
    ours = median([measured(lambda: near_duplicates(texts)).cpu for _ in range(3)])
    theirs = measured(lambda: [_datasketch(text) for text in texts[:_BATCH]]).cpu
    rate = count / ours
    yield Row(
        f"near-duplicates end to end, {count:,} x {_LENGTH:,} characters, "
        f"{len(found)} of {count // 50} found",
        f"{rate:,.0f} documents/CPU-s",
        "datasketch, signing alone",
        f"{_BATCH / theirs:,.0f}",
        rate / (_BATCH / theirs),
        ">= 6,000",
        rate >= 6_000,
    )


def _datasketch(text: str) -> MinHash:
    signature = MinHash(num_perm=128)
    signature.update_batch([text[n : n + 5].encode() for n in range(len(text) - 4)])
    return signature
