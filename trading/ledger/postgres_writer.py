"""The one connection that commits, used by the sequencer's thread alone: locks, rows, head."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import asyncpg
import uvloop

from trading.kernel.errors import HeadMoved, Refusal, StoreFull, StoreUnreachable
from trading.ledger.postgres import GONE, connect
from trading.ledger.store import Head, Known, Opening, Rows

__all__ = ["CHANNEL", "HEAD", "KNOWN", "TIPS", "Writer", "head_of", "known_of"]

T = TypeVar("T")

CHANNEL = "kaifeng_ledger"
_ANSWER_TIMEOUT = 8.0  # seconds; a database that says nothing for so long is treated as gone

_COLUMNS = ("idx", "sid", "height", "id", "leaf", "salt", "raw")
HEAD = "SELECT size, root, at, note FROM head WHERE one = 1"
KNOWN = "SELECT id, idx, leaf, raw FROM entry WHERE id = ANY($1::text[])"
TIPS = """SELECT name, sid, height, prev, barrier FROM stream
           WHERE name = ANY($1::text[]) ORDER BY sid FOR UPDATE"""
_MOVE_TIPS = """INSERT INTO stream (sid, name, height, prev, barrier)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])
    ON CONFLICT (sid) DO UPDATE SET height = excluded.height, prev = excluded.prev,
                                    barrier = excluded.barrier"""
_MOVE_HEAD = """UPDATE head SET size = $1, root = $2, at = $3, note = $4
                WHERE one = 1 AND size = $5"""


class Writer:
    """The one connection that commits; used by the sequencer's thread alone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = uvloop.new_event_loop()
        self._connection: asyncpg.Connection | None = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """StoreUnreachable once the database is gone or silent; the connection is then given up."""
        try:
            return self._loop.run_until_complete(self._patiently(work))
        except Refusal:
            raise
        except asyncpg.DiskFullError as error:
            raise StoreFull(path="PostgreSQL") from error
        except GONE as error:
            self._give_up(error)

    async def _patiently(self, work: Coroutine[Any, Any, T]) -> T:
        """Never cancels: a cancelled COMMIT would be acknowledged without its standby."""
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait({task}, timeout=_ANSWER_TIMEOUT)
        if not done:
            if self._connection:
                self._connection.terminate()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise TimeoutError
        return task.result()

    def _give_up(self, error: BaseException) -> NoReturn:
        if self._connection:
            self._connection.terminate()
            self._connection = None
        raise StoreUnreachable(problem=str(error) or type(error).__name__) from error

    async def begin(self, keys: Sequence[str], claims: Sequence[str]) -> Opening:
        connection = await self._connected()
        await connection.execute("BEGIN")
        head = head_of(await connection.fetchrow(HEAD + " FOR UPDATE"))
        known = known_of(await connection.fetch(KNOWN, list(keys)))
        taken = await self._claimed(connection, claims)
        # a statement of its own: within the locking one the clock could be read before the wait
        at: datetime = await connection.fetchval("SELECT clock_timestamp()")
        return Opening(head, known, taken, at)

    async def fetch(self, sql: str, *values: object) -> list[Any]:
        return list(await self._held().fetch(sql, *values))

    async def commit(self, old: int, new: Head, rows: Rows) -> None:
        connection = self._held()
        names = dict(rows.streams)
        tips = [(t.sid, n, t.height, t.prev, t.barrier) for n, t in rows.tips.items()]
        if names or tips:
            await connection.execute(_MOVE_TIPS, *map(list, zip(*tips, strict=True)))
        await connection.copy_records_to_table("entry", records=rows.entries, columns=_COLUMNS)
        if rows.claims:
            sql = "INSERT INTO claim (name) SELECT unnest($1::text[])"
            await connection.execute(sql, rows.claims)
        moved = await connection.execute(_MOVE_HEAD, new.size, new.root, new.at, new.note, old)
        if moved != "UPDATE 1":
            raise HeadMoved(expected=old)
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, str(new.size))
        await connection.execute("COMMIT")

    async def confirm(self) -> None:
        """What was found may be a commit that its standby has not seen: a commit of our own, which
        waits for all before it, makes it as durable as what we acknowledge.
        """
        connection = self._held()
        await connection.execute("UPDATE head SET size = size")
        await connection.execute("COMMIT")

    async def rollback(self) -> None:
        connection = self._connection
        if connection and not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK")

    async def _claimed(self, connection: asyncpg.Connection, claims: Sequence[str]) -> set[str]:
        if not claims:
            return set()
        sql = "SELECT name FROM claim WHERE name = ANY($1::text[])"
        return {row[0] for row in await connection.fetch(sql, list(claims))}

    def _held(self) -> asyncpg.Connection:
        """The connection that holds the locks; on any other one a statement would stand alone."""
        connection = self._connection
        if connection is None or connection.is_closed() or not connection.is_in_transaction():
            raise ConnectionResetError("the transaction is gone")
        return connection

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url)
        return self._connection

    def close(self) -> None:
        if self._connection:
            self._connection.terminate()
            self._loop.run_until_complete(asyncio.sleep(0))  # let the transport go
        self._loop.close()


def head_of(row: Any) -> Head | None:
    return Head(row[0], row[1], row[2], row[3]) if row[0] else None


def known_of(rows: Sequence[Any]) -> Known:
    return {row[0]: (row[1], row[2], row[3] or b"") for row in rows}
