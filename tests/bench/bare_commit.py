"""The physical limit of a durable batch: 256 rows a commit, with nothing computed about them.

SQLite (WAL, FULL) in this process, PostgreSQL through COPY over its socket.
"""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec
from bench.processes import postgres
from bench.table import CONSOLE, rate

from trading.kernel.ids import SystemIds
from trading.kernel.instant import SystemClock

__all__ = ["Limit", "postgres_limit", "sqlite_limit"]

BATCH = 256
_SIZE = 900
_COLUMNS = ("idx", "sid", "height", "id", "raw")
_SQLITE = """CREATE TABLE entry (idx INTEGER PRIMARY KEY, sid INTEGER NOT NULL,
    height INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, raw BLOB NOT NULL, UNIQUE (sid, height))"""
_POSTGRES = """CREATE TABLE entry (idx bigint PRIMARY KEY, sid bigint NOT NULL,
    height bigint NOT NULL, id text NOT NULL UNIQUE, raw bytea NOT NULL, UNIQUE (sid, height))"""
_INSERT = "INSERT INTO entry (idx, sid, height, id, raw) VALUES (?, ?, ?, ?, ?)"

_Row = tuple[int, int, int, str, bytes]


class Limit(msgspec.Struct, frozen=True):
    """So many rows were durable after so many seconds."""

    rows: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def _batches(count: int, size: int) -> Iterator[list[_Row]]:
    ids, raw = SystemIds(SystemClock()), os.urandom(_SIZE)
    for start in range(0, count * size, size):
        yield [(n, 1, n, ids.mint(), raw) for n in range(start, start + size)]


def sqlite_limit(folder: Path, commits: int, size: int = BATCH) -> Limit:
    """One connection, one prepared statement, one commit a batch."""
    batches = list(_batches(commits, size))
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(_SQLITE)
    start = time.perf_counter()
    for batch in batches:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(_INSERT, batch)
        db.execute("COMMIT")
    spent = time.perf_counter() - start
    db.close()
    return Limit(commits * size, spent)


def postgres_limit(url: str, commits: int, size: int = BATCH) -> Limit:
    """One connection; a COPY outside a block is a transaction of its own."""

    async def work() -> float:
        batches = list(_batches(commits, size))
        db = await asyncpg.connect(url)
        try:
            await db.execute(f"DROP TABLE IF EXISTS entry; {_POSTGRES}")
            start = time.perf_counter()
            for batch in batches:
                await db.copy_records_to_table("entry", records=batch, columns=_COLUMNS)
            return time.perf_counter() - start
        finally:
            await db.close()

    return Limit(commits * size, asyncio.run(work()))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as place:
        folder = Path(place)
        with postgres(folder) as server:
            for commits, size in ((200, BATCH), (500, 1)):
                found = {
                    "SQLite": sqlite_limit(Path(tempfile.mkdtemp(dir=folder)), commits, size),
                    "PostgreSQL": postgres_limit(server.url, commits, size),
                }
                for name, limit in found.items():
                    CONSOLE.print(f"{name}, {size} a commit: {rate(limit.rate)}")


if __name__ == "__main__":
    main()
