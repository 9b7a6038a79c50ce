"""The store of many processes: PostgreSQL through asyncpg, one writer connection a process.

Every batch takes the head's row lock first and the streams' after it, so the order of the ledger
is the order of its commits, without gaps, and the deadline is decided by `clock_timestamp()` read
under those locks. One NOTIFY a batch tells the other processes (ADR 0015).
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
import uvloop

from trading.kernel.errors import StoreUnreachable, StoreUnsafe
from trading.ledger.port import Record
from trading.ledger.postgres import GONE, connect
from trading.ledger.postgres_writer import CHANNEL, HEAD, KNOWN, TIPS, Writer, head_of, known_of
from trading.ledger.store import Head, Known, Opening, Rows, Tip

__all__ = ["PostgresStore"]

T = TypeVar("T")

_ANSWER_TIMEOUT = 8.0  # a database that says nothing for so long is treated as gone
_READERS = 6
_PAGE = 2_000
_RECONNECT = 0.2

_ROWS = "SELECT idx, leaf, salt, raw FROM entry WHERE "

# Without these an acknowledged act may not survive a crash of the database.
_REQUIRED = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "remote_apply"},
}


class PostgresStore:
    """`url` may name several hosts; the one that takes writes is used."""

    is_shared = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._wakes: list[Callable[[int], None]] = []
        self._readers: asyncpg.Pool | None = None
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="postgres-readers", daemon=True
        )
        self._thread.start()
        self._writing = Writer(url)
        try:
            self._call(self._check_settings())
        except BaseException:
            self.close()
            raise
        self._listener = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)

    # -- the sequencer's thread ---------------------------------------------------------------

    def begin(self, keys: Sequence[str], claims: Sequence[str]) -> Opening:
        return self._writing.run(self._writing.begin(keys, claims))

    def tips(self, names: Sequence[str]) -> dict[str, Tip]:
        rows = self._writing.run(self._writing.fetch(TIPS, names)) if names else []
        return {name: Tip(*place) for name, *place in rows}

    def next_stream(self) -> int:
        sql = "SELECT coalesce(max(sid), 0) + 1 FROM stream"
        return int(self._writing.run(self._writing.fetch(sql))[0][0])

    def commit(self, old: Head | None, new: Head, rows: Rows) -> None:
        self._writing.run(self._writing.commit(old.size if old else 0, new, rows))

    def confirm(self) -> None:
        self._writing.run(self._writing.confirm())

    def rollback(self) -> None:
        self._writing.run(self._writing.rollback())

    # -- any thread ---------------------------------------------------------------------------

    def head(self) -> Head | None:
        return head_of(self._fetch(HEAD)[0])

    def find(self, keys: Sequence[str]) -> Known:
        return known_of(self._fetch(KNOWN, list(keys)))

    def stream_rows(self, name: str, start: int) -> Iterator[Record]:
        where = """sid = (SELECT sid FROM stream WHERE name = $1) AND height >= $2
                   ORDER BY height"""
        return map(_record, self._fetch(_ROWS + where, name, start))

    def rows(self, start: int, end: int) -> Iterator[Record]:
        for low in range(start, end, _PAGE):
            high = min(end, low + _PAGE)
            where = "idx >= $1 AND idx < $2 ORDER BY idx"
            yield from map(_record, self._fetch(_ROWS + where, low, high))

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        sql = "SELECT leaf FROM entry WHERE idx >= $1 AND idx < $2 ORDER BY idx"
        for low in range(start, end, _PAGE):
            for (leaf,) in self._fetch(sql, low, min(end, low + _PAGE)):
                yield leaf

    def cosigned(self, start: int = 0) -> list[str]:
        sql = "SELECT note FROM cosigned WHERE n > $1 ORDER BY n"
        return [row[0] for row in self._fetch(sql, start)]

    def keep_cosigned(self, size: int, note: str) -> None:
        """In growing order, whichever process was faster; the head's lock counts them."""
        lock = HEAD + " FOR UPDATE"
        insert = """INSERT INTO cosigned (n, size, note)
            SELECT coalesce(max(n), 0) + 1, $1, $2 FROM cosigned
            HAVING coalesce(max(size), 0) <= $1"""
        self._call(self._in_transaction((lock, ()), (insert, (size, note))))

    def erase(self, index: int) -> None:
        """The row's old version and its log go with the next vacuum and checkpoint."""
        self._fetch("UPDATE entry SET salt = NULL, raw = NULL WHERE idx = $1", index)

    def cursor(self, name: str) -> int:
        rows = self._fetch("SELECT cursor FROM follower WHERE name = $1", name)
        return int(rows[0][0]) if rows else 0

    def move_cursor(self, name: str, cursor: int) -> None:
        sql = """INSERT INTO follower (name, cursor) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor"""
        self._fetch(sql, name, cursor)

    def clock(self) -> datetime | None:
        at: datetime = self._fetch("SELECT clock_timestamp()")[0][0]
        return at

    def first_use(self, name: str, until: datetime) -> bool:
        forget = "DELETE FROM nonce WHERE until < $1::timestamptz - interval '1 hour'"
        self._fetch(forget, until)
        sql = """INSERT INTO nonce (name, until) VALUES ($1, $2)
                 ON CONFLICT DO NOTHING RETURNING name"""
        return bool(self._fetch(sql, name, until))

    def beat(self, _: datetime) -> None:
        self._fetch(
            """INSERT INTO beat (one, at) VALUES (1, clock_timestamp())
               ON CONFLICT (one) DO UPDATE SET at = greatest(beat.at, excluded.at)"""
        )

    def last_beat(self) -> datetime | None:
        rows = self._fetch("SELECT at FROM beat")
        return rows[0][0] if rows else None

    def on_growth(self, wake: Callable[[int], None]) -> None:
        self._wakes.append(wake)

    def close_thread(self) -> None:
        """Readers share one pool; nothing belongs to a thread."""

    def close(self) -> None:
        self._writing.close()
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(_ANSWER_TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # -- the readers' loop --------------------------------------------------------------------

    def _fetch(self, sql: str, *values: object) -> list[Any]:
        return self._call(self._read(sql, *values))

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except GONE as error:
            raise StoreUnreachable(problem=error or type(error).__name__) from error

    async def _pool(self) -> asyncpg.Pool:
        if self._readers is None:
            self._readers = await asyncpg.create_pool(
                self._url,
                connect=lambda *_, **__: connect(self._url, command_timeout=_ANSWER_TIMEOUT),
                min_size=0,
                max_size=_READERS,
                reset=_as_it_is,
            )
        return self._readers

    async def _read(self, sql: str, *values: object) -> list[Any]:
        pool = await self._pool()
        return list(await pool.fetch(sql, *values))

    async def _in_transaction(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        pool = await self._pool()
        async with pool.acquire() as connection, connection.transaction():
            for sql, values in statements:
                await connection.execute(sql, *values)

    async def _check_settings(self) -> None:
        for name, allowed in _REQUIRED.items():
            found = (await self._read(f"SHOW {name}"))[0][0]
            if found not in allowed:
                raise StoreUnsafe(problem=f"{name} = {found}")

    async def _listen(self) -> None:
        """One connection that lives as long as the database; a new one after each loss."""
        while True:
            try:
                connection = await connect(self._url)
            except GONE:
                await asyncio.sleep(_RECONNECT)
                continue
            gone = asyncio.Event()
            try:
                connection.add_termination_listener(lambda _, gone=gone: gone.set())
                await connection.add_listener(CHANNEL, self._heard)
                self._grown(int(await connection.fetchval("SELECT size FROM head")))
                await gone.wait()
            except GONE:
                await asyncio.sleep(_RECONNECT)
            finally:
                connection.terminate()

    def _heard(self, *heard: object) -> None:
        self._grown(int(str(heard[-1])))

    def _grown(self, size: int) -> None:
        for wake in self._wakes:
            wake(size)

    async def _hang_up(self) -> None:
        listener = getattr(self, "_listener", None)
        if listener:
            listener.cancel()
        if self._readers:
            self._readers.terminate()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


async def _as_it_is(_: asyncpg.Connection) -> None:
    """Readers leave nothing behind that would have to be reset, at the cost of another question."""


def _record(row: Any) -> Record:
    return Record(row[0], row[1], row[2] or b"", row[3] or b"")
