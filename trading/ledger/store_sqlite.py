"""The embedded store: one SQLite file, WAL with synchronous=FULL (a power cut keeps every
acknowledged commit), triggers against changes, and a head moved only by compare-and-swap.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO, Any

from trading.kernel.errors import HeadMoved, StoreBusy, StoreFull
from trading.kernel.files import durable_folder, sync_folder
from trading.ledger.entry import leaf_hash
from trading.ledger.port import Record
from trading.ledger.store import Head, Known, Opening, Rows, Tip

__all__ = ["SCHEMA", "SqliteStore"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS stream (sid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS entry (
    idx INTEGER PRIMARY KEY, sid INTEGER NOT NULL, height INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    leaf BLOB NOT NULL, salt BLOB, raw BLOB, UNIQUE (sid, height)) STRICT;
CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, root BLOB NOT NULL,
    at TEXT NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS cosigned (
    n INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS follower (name TEXT PRIMARY KEY, cursor INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS claim (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nonce (name TEXT PRIMARY KEY, until INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nonce_until ON nonce (until);
CREATE TRIGGER IF NOT EXISTS entry_kept BEFORE DELETE ON entry
    BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS entry_unchanged BEFORE UPDATE ON entry
    WHEN NEW.salt IS NOT NULL OR NEW.raw IS NOT NULL OR NEW.leaf IS NOT OLD.leaf
      OR NEW.idx IS NOT OLD.idx OR NEW.sid IS NOT OLD.sid OR NEW.height IS NOT OLD.height
      OR NEW.id IS NOT OLD.id
    BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER IF NOT EXISTS cosigned_kept BEFORE DELETE ON cosigned
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS cosigned_unchanged BEFORE UPDATE ON cosigned
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
"""

_ENTRIES = "INSERT INTO entry (idx, sid, height, id, leaf, salt, raw) VALUES "
_STREAMS = "INSERT INTO stream (sid, name) VALUES "
_CLAIMS = "INSERT INTO claim (name) VALUES "
_MANY = 500
_CACHE = 32 << 10  # KiB of pages a connection may keep
_REMEMBERED = 3600  # seconds that a used name outlives the moment it was good for


class SqliteStore:
    """One process writes; a second one is refused (StoreBusy). One connection a thread."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        durable_folder(path.parent)
        self._path, self._beat = path, path.with_suffix(".beat")
        self._local = threading.local()
        self._lock = self._own(path.with_suffix(".lock"))
        self._db.executescript(SCHEMA)
        sync_folder(path.parent)

    @staticmethod
    def _own(path: Path) -> IO[str]:
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise StoreBusy(path=path) from error
        return lock

    @property
    def _db(self) -> sqlite3.Connection:
        if not hasattr(self._local, "db"):
            db = sqlite3.connect(self._path, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA busy_timeout=10000")
            db.execute("PRAGMA secure_delete=ON")
            db.execute("PRAGMA temp_store=MEMORY")  # the journal of a statement, too
            db.execute(f"PRAGMA cache_size=-{_CACHE}")
            self._local.db = db
        connection: sqlite3.Connection = self._local.db
        return connection

    def close(self) -> None:
        """Release the file and this thread's connection; others end with their threads."""
        self.close_thread()
        self._lock.close()

    def close_thread(self) -> None:
        if hasattr(self._local, "db"):
            self._local.db.close()
            del self._local.db

    def head(self) -> Head | None:
        row = self._db.execute("SELECT size, root, at, note FROM head").fetchone()
        return Head(row[0], row[1], datetime.fromisoformat(row[2]), row[3]) if row else None

    def begin(self, keys: Sequence[str], claims: Sequence[str]) -> Opening:
        with self._heals():
            self._db.execute("BEGIN IMMEDIATE")
        claimed = {row[0] for row in self._among("name FROM claim WHERE name", claims)}
        return Opening(self.head(), self.find(keys), claimed)

    def tips(self, names: Sequence[str]) -> dict[str, Tip]:
        """Whether older acts commuted is not kept: the first of a run must name the height."""
        sql = """SELECT sid, height, leaf FROM entry
                 WHERE sid = (SELECT sid FROM stream WHERE name = ?) ORDER BY height DESC LIMIT 1"""
        found = {}
        for name in names:
            row = self._db.execute(sql, (name,)).fetchone()
            if row:
                found[name] = Tip(row[0], row[1] + 1, leaf_hash(row[2]).hex(), row[1] + 1)
        return found

    def next_stream(self) -> int:
        found: int = self._db.execute("SELECT coalesce(max(sid), 0) + 1 FROM stream").fetchone()[0]
        return found

    def commit(self, old: Head | None, new: Head, rows: Rows) -> None:
        """Rows, new streams, claims and the new head in one transaction, durable on return."""
        db = self._db
        with self._heals():
            self._insert(_STREAMS, rows.streams)
            self._insert(_ENTRIES, rows.entries)
            self._insert(_CLAIMS, [(claim,) for claim in rows.claims])
            self._move_head(old, new)
            db.execute("COMMIT")

    def _insert(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Many in one statement: each statement lets go of the interpreter, and others take it."""
        for start in range(0, len(rows), _MANY):
            part = rows[start : start + _MANY]
            one = f"({','.join('?' * len(part[0]))})"
            self._db.execute(sql + ",".join([one] * len(part)), list(chain.from_iterable(part)))

    def confirm(self) -> None:
        self.rollback()

    def rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    @contextmanager
    def _heals(self) -> Iterator[None]:
        """A full disk heals once there is room again; any other failure of the disk is fatal."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise StoreFull(path=self._path) from error
            raise

    def _move_head(self, old: Head | None, new: Head) -> None:
        values = (new.size, new.root, new.at.astimezone(UTC).isoformat(), new.note)
        if old is None:
            sql = "INSERT INTO head (size, root, at, note, one) VALUES (?, ?, ?, ?, 1)"
            moved = self._db.execute(sql + " ON CONFLICT DO NOTHING", values)
        else:
            sql = "UPDATE head SET size=?, root=?, at=?, note=? WHERE size=? AND root=?"
            moved = self._db.execute(sql, (*values, old.size, old.root))
        if moved.rowcount != 1:
            raise HeadMoved(expected=old.size if old else 0)

    def find(self, keys: Sequence[str]) -> Known:
        """Index, leaf data and raw entry of those ids that exist."""
        rows = self._among("id, idx, leaf, raw FROM entry WHERE id", keys)
        return {row[0]: (row[1], row[2], row[3] or b"") for row in rows}

    def _among(self, what: str, keys: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(keys), _MANY):
            part = keys[start : start + _MANY]
            marks = ",".join("?" * len(part))
            yield from self._db.execute(f"SELECT {what} IN ({marks})", part)

    def stream_rows(self, name: str, start: int) -> Iterator[Record]:
        sql = """SELECT idx, leaf, salt, raw FROM entry
                 WHERE sid = (SELECT sid FROM stream WHERE name = ?) AND height >= ?
                 ORDER BY height"""
        for row in self._db.execute(sql, (name, start)):
            yield Record(row[0], row[1], row[2] or b"", row[3] or b"")

    def rows(self, start: int, end: int) -> Iterator[Record]:
        sql = "SELECT idx, leaf, salt, raw FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx"
        for row in self._db.execute(sql, (start, end)):
            yield Record(row[0], row[1], row[2] or b"", row[3] or b"")

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        sql = "SELECT leaf FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx"
        for (leaf,) in self._db.execute(sql, (start, end)):
            yield leaf

    def clock(self) -> datetime | None:
        return None

    def first_use(self, name: str, until: datetime) -> bool:
        expired = int(until.timestamp()) - _REMEMBERED
        sql = "INSERT INTO nonce (name, until) VALUES (?, ?) ON CONFLICT DO NOTHING"
        with self._heals():
            self._db.execute("DELETE FROM nonce WHERE until < ?", (expired,))
            return self._db.execute(sql, (name, int(until.timestamp()))).rowcount == 1

    def beat(self, at: datetime) -> None:
        """Beside the database: a sign of life is not worth a transaction."""
        self._beat.write_text(at.isoformat())

    def last_beat(self) -> datetime | None:
        if not self._beat.exists():
            return None
        try:
            return datetime.fromisoformat(self._beat.read_text())
        except ValueError:  # torn by a power cut: the newest entry is the last sign of life
            head = self.head()
            return head.at if head else None

    def on_growth(self, wake: Callable[[int], None]) -> None:
        """There are no other processes."""

    def cosigned(self, start: int = 0) -> list[str]:
        sql = "SELECT note FROM cosigned WHERE n > ? ORDER BY n"
        return [row[0] for row in self._db.execute(sql, (start,))]

    def keep_cosigned(self, size: int, note: str) -> None:
        """In growing order, whichever thread was faster."""
        sql = """INSERT INTO cosigned (size, note)
                 SELECT ?, ? WHERE (SELECT coalesce(max(size), 0) FROM cosigned) <= ?"""
        with self._heals():
            self._db.execute(sql, (size, note, size))

    def erase(self, index: int) -> None:
        """Overwritten on disk as well: in the page (secure_delete) and in the write-ahead log."""
        self._db.execute("UPDATE entry SET salt = NULL, raw = NULL WHERE idx = ?", (index,))
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def cursor(self, name: str) -> int:
        row = self._db.execute("SELECT cursor FROM follower WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def move_cursor(self, name: str, cursor: int) -> None:
        sql = """INSERT INTO follower (name, cursor) VALUES (?, ?)
                 ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor"""
        with self._heals():
            self._db.execute(sql, (name, cursor))
