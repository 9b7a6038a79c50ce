"""The embedded store: one SQLite file, WAL with synchronous=FULL (a power cut keeps every
acknowledged commit), triggers against changes, and a head moved only by compare-and-swap.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from trading.kernel.errors import HeadMoved, StoreBusy
from trading.ledger.port import Record

__all__ = ["SCHEMA", "Head", "Row", "SqliteStore"]

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

_INSERT = "INSERT INTO entry (idx, sid, height, id, leaf, salt, raw) VALUES (?, ?, ?, ?, ?, ?, ?)"
Row = tuple[int, int, int, str, bytes, bytes, bytes]
_MANY = 500


class Head(msgspec.Struct, frozen=True):
    size: int
    root: bytes
    at: datetime
    note: str


class SqliteStore:
    """Raw rows. One process writes; a second one is refused (StoreBusy)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._local = threading.local()
        self._lock = self._own(path.with_suffix(".lock"))
        self._db.executescript(SCHEMA)

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
        """One connection a thread."""
        if not hasattr(self._local, "db"):
            db = sqlite3.connect(self._path, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA busy_timeout=10000")
            db.execute("PRAGMA secure_delete=ON")
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

    def commit(
        self, old: Head | None, new: Head, rows: list[Row], streams: list[tuple[int, str]]
    ) -> None:
        """Rows, new streams and the new head in one transaction, durable on return."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            db.executemany("INSERT INTO stream (sid, name) VALUES (?, ?)", streams)
            db.executemany(_INSERT, rows)
            self._move_head(old, new)
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
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

    def find(self, keys: Sequence[str]) -> dict[str, tuple[int, bytes, bytes]]:
        """Index, leaf data and raw entry of those ids that exist."""
        found: dict[str, tuple[int, bytes, bytes]] = {}
        for start in range(0, len(keys), _MANY):
            part = keys[start : start + _MANY]
            marks = ",".join("?" * len(part))
            sql = f"SELECT id, idx, leaf, raw FROM entry WHERE id IN ({marks})"  # noqa: S608
            found |= {
                row[0]: (row[1], row[2], row[3] or b"") for row in self._db.execute(sql, part)
            }
        return found

    def streams(self) -> Iterator[tuple[str, int, int, bytes]]:
        """Name, sid, height and leaf data of each stream's last entry."""
        sql = """SELECT name, s.sid, height, leaf FROM stream s JOIN entry e ON e.sid = s.sid
                 WHERE height = (SELECT max(height) FROM entry WHERE sid = s.sid)"""
        yield from self._db.execute(sql)

    def stream_rows(self, name: str) -> Iterator[Record]:
        sql = """SELECT idx, leaf, salt, raw FROM entry JOIN stream USING (sid)
                 WHERE name = ? ORDER BY height"""
        for row in self._db.execute(sql, (name,)):
            yield Record(row[0], row[1], row[2] or b"", row[3] or b"")

    def rows(self, start: int, end: int) -> Iterator[Record]:
        sql = "SELECT idx, leaf, salt, raw FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx"
        for row in self._db.execute(sql, (start, end)):
            yield Record(row[0], row[1], row[2] or b"", row[3] or b"")

    def leaves(self) -> Iterator[bytes]:
        for (leaf,) in self._db.execute("SELECT leaf FROM entry ORDER BY idx"):
            yield leaf

    def cosigned(self) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT note FROM cosigned ORDER BY n")]

    def keep_cosigned(self, size: int, note: str) -> None:
        self._db.execute("INSERT INTO cosigned (size, note) VALUES (?, ?)", (size, note))

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
        self._db.execute(sql, (name, cursor))
