"""Carrying a whole ledger from PostgreSQL into the embedded format, and into an empty database.

One snapshot each way: the source is read in one transaction, while its centre goes on writing.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from trading.kernel.errors import StoreUnreachable, Usage
from trading.ledger.entry import leaf_hash
from trading.ledger.postgres import GONE, connect
from trading.ledger.store_sqlite import SCHEMA

__all__ = ["from_postgres", "into_postgres", "size_in_postgres"]

_PAGE = 2_000
_STREAMS = "SELECT sid, name FROM stream"
_HEAD = "SELECT one, size, root, at, note FROM head WHERE size > 0"
_AS_THEY_ARE = {
    "entry": "SELECT idx, sid, height, id, leaf, salt, raw FROM entry",
    "cosigned": "SELECT n, size, note FROM cosigned",
    "claim": "SELECT name FROM claim",
}
_INTO = {
    _STREAMS: "INSERT INTO stream VALUES (?, ?)",
    _HEAD: "INSERT INTO head VALUES (?, ?, ?, ?, ?)",
    _AS_THEY_ARE["entry"]: "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
    _AS_THEY_ARE["cosigned"]: "INSERT INTO cosigned VALUES (?, ?, ?)",
    _AS_THEY_ARE["claim"]: "INSERT INTO claim VALUES (?)",
}
_ENDS = """SELECT s.sid, s.name, e.height + 1, e.leaf FROM stream s JOIN entry e ON e.sid = s.sid
           WHERE e.height = (SELECT max(height) FROM entry WHERE sid = s.sid)"""


def from_postgres(url: str, path: Path) -> int:
    """How many entries there are now in the new file at `path`."""
    with sqlite3.connect(path) as db:
        db.executescript(SCHEMA)
        asyncio.run(_copied_out(url, db))
        found: int = db.execute("SELECT count(*) FROM entry").fetchone()[0]
    db.close()
    return found


def into_postgres(path: Path, url: str) -> int:
    """Usage if the database has entries of its own; its schema must be there."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return asyncio.run(_copied_in(db, url))
    finally:
        db.close()


def size_in_postgres(url: str) -> int:
    return asyncio.run(_size(url))


async def _size(url: str) -> int:
    async with _connected(url) as source:
        return int(await source.fetchval("SELECT size FROM head"))


async def _copied_out(url: str, db: sqlite3.Connection) -> None:
    async with (
        _connected(url) as source,
        source.transaction(isolation="repeatable_read", readonly=True),
    ):
        for query, insert in _INTO.items():
            async for rows in _pages(source, query):
                db.executemany(insert, map(_plain, rows))


async def _pages(source: asyncpg.Connection, sql: str) -> AsyncIterator[Sequence[Any]]:
    cursor = await source.cursor(sql)
    while rows := await cursor.fetch(_PAGE):
        yield rows


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for v in row)


async def _copied_in(db: sqlite3.Connection, url: str) -> int:
    async with _connected(url) as target, target.transaction():
        if await target.fetchval("SELECT size FROM head FOR UPDATE"):
            raise Usage(problem="数据库已有账本，不会覆盖 / has a ledger, and is never overwritten")
        await target.copy_records_to_table(
            "stream", records=_tips(db), columns=("sid", "name", "height", "prev", "barrier")
        )
        for table, query in _AS_THEY_ARE.items():
            await target.copy_records_to_table(table, records=db.execute(query))
        head = db.execute(_HEAD).fetchone()
        if head is None:
            return 0
        _, size, root, at, note = head
        moved = "UPDATE head SET size = $1, root = $2, at = $3, note = $4 WHERE one = 1"
        await target.execute(moved, size, root, datetime.fromisoformat(at), note)
        return int(size)


def _tips(db: sqlite3.Connection) -> Iterator[tuple[int, str, int, str, int]]:
    """The end of each stream. Whether older acts commuted is not kept: the first must be exact."""
    for sid, name, height, leaf in db.execute(_ENDS):
        yield sid, name, height, leaf_hash(leaf).hex(), height


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    try:
        connection = await connect(url)
    except GONE as error:
        raise StoreUnreachable(problem=error or type(error).__name__) from error
    try:
        yield connection
    finally:
        await connection.close()
