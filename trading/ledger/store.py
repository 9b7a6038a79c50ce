"""The port between the sequencer and a database: rows under one lock, a head moved under it.

A batch is one transaction: `begin` takes the ledger's lock and says what has happened since,
`commit` makes rows and head durable together. Whoever holds the lock alone decides what is in
time, so that neither a second process nor a skewed clock can let a late act in.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from trading.ledger.port import Record

__all__ = ["Head", "Known", "Opening", "Row", "Rows", "Store", "Tip"]

Row = tuple[int, int, int, str, bytes, bytes, bytes]  # idx, sid, height, id, leaf, salt, raw
Known = dict[str, tuple[int, bytes, bytes]]  # by id: index, leaf data, raw entry


class Head(msgspec.Struct, frozen=True):
    size: int
    root: bytes
    at: datetime
    note: str


class Tip(msgspec.Struct):
    """The end of a stream. `barrier` is the height after its last act that does not commute."""

    sid: int
    height: int
    prev: str
    barrier: int


class Opening(msgspec.Struct, frozen=True):
    """What a batch finds under the lock: the head, and which ids and claims are taken.

    `at` is the database's own clock, read after the lock was granted; None where it has none.
    """

    head: Head | None
    known: Known
    claimed: set[str]
    at: datetime | None = None


class Rows(msgspec.Struct):
    """What a batch adds; `streams` are the new ones, `tips` all that moved."""

    entries: list[Row] = []
    streams: list[tuple[int, str]] = []
    tips: dict[str, Tip] = {}
    claims: list[str] = []


class Store(Protocol):
    """Must keep every committed row through a power cut; raises StoreFull or StoreUnreachable for
    what may heal (nothing of the batch is then kept, or its ids are found at the next `begin`),
    anything else is fatal. `begin`, `tips`, `commit`, `rollback` belong to the sequencer's thread.
    """

    is_shared: bool  # other processes may write as well

    def begin(self, keys: Sequence[str], claims: Sequence[str]) -> Opening: ...

    def tips(self, names: Sequence[str]) -> dict[str, Tip]:
        """Under the streams' row locks, those that exist."""
        ...

    def next_stream(self) -> int: ...

    def commit(self, old: Head | None, new: Head, rows: Rows) -> None: ...

    def confirm(self) -> None:
        """End a batch that adds nothing; ids it found are as durable on return as a commit."""
        ...

    def rollback(self) -> None: ...

    def head(self) -> Head | None: ...

    def find(self, keys: Sequence[str]) -> Known: ...

    def stream_rows(self, name: str, start: int) -> Iterator[Record]: ...

    def rows(self, start: int, end: int) -> Iterator[Record]: ...

    def leaves(self, start: int, end: int) -> Iterator[bytes]: ...

    def cosigned(self, start: int = 0) -> list[str]:
        """The kept checkpoints after the first `start`."""
        ...

    def keep_cosigned(self, size: int, note: str) -> None: ...

    def erase(self, index: int) -> None: ...

    def cursor(self, name: str) -> int: ...

    def move_cursor(self, name: str, cursor: int) -> None: ...

    def clock(self) -> datetime | None:
        """The database's own clock, where it has one."""
        ...

    def first_use(self, name: str, until: datetime) -> bool:
        """Whether nobody has used the name yet; it is remembered, durably, until then."""
        ...

    def beat(self, at: datetime) -> None:
        """A sign of life of this process; `at` where the database has no clock of its own."""
        ...

    def last_beat(self) -> datetime | None:
        """The last sign of life of any process; None before the first."""
        ...

    def on_growth(self, wake: Callable[[int], None]) -> None:
        """`wake` is called, from any thread, with the size after a commit of another process."""
        ...

    def close_thread(self) -> None: ...

    def close(self) -> None: ...
