"""A database that two simulated processes share: rows, one lock, a clock of its own, and all that
may happen between a question and its answer. The `Store` port on it does what PostgreSQL promises
and no more: a commit whose answer is lost may stand, may be gone, or may come later.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from simulation.loop import Crashed, Loop, Machine, pause, wait

from trading.kernel.errors import HeadMoved, StoreFull, StoreUnreachable
from trading.ledger.port import Record
from trading.ledger.store import Head, Known, Opening, Row, Rows, Tip

__all__ = ["Database", "Faults", "SimStore", "Table"]


class Faults(msgspec.Struct):
    """Chances at one operation; seconds a question, a slow commit and a lost one take at most."""

    before: float = 0.0  # the connection ends and the batch is gone
    after: float = 0.0  # the batch stands and its answer is lost
    late: float = 0.0  # the connection ends, and the batch stands or is gone a while later
    full: float = 0.0
    kept: float = 0.0  # a cosigned checkpoint whose keeping fails, before or after
    slow: float = 0.0
    question: float = 0.002
    slowest: float = 0.02
    linger: float = 1.0
    notice: float = 0.05  # until the other processes hear of a commit


class Table(msgspec.Struct):
    """What is durable."""

    rows: list[Row] = []
    streams: dict[str, int] = {}
    tips: dict[str, Tip] = {}
    head: Head | None = None
    keys: dict[str, int] = {}
    claims: set[str] = set()
    cosigned: list[tuple[int, str]] = []
    used: set[str] = set()
    cursors: dict[str, int] = {}

    def copied(self) -> "Table":
        kept = {name: getattr(self, name) for name in self.__struct_fields__ if name != "head"}
        return Table(head=self.head, **{name: type(value)(value) for name, value in kept.items()})


class Database:
    def __init__(self, loop: Loop, table: Table) -> None:
        self.loop, self.table, self.faults = loop, table, Faults()
        self.is_away, self.offset = False, timedelta(0)
        self.locked_at = loop.wall()
        self.beat: datetime | None = None
        self.stores: dict[SimStore, None] = {}
        self.watchers: list[Callable[[str, datetime, Rows], None]] = []
        self._owner: object | None = None
        self._waiting: list[Callable[[], object]] = []

    def clock(self) -> datetime:
        return self.loop.wall() + self.offset

    def chance(self, likely: float) -> bool:
        return likely > 0 and self.loop.rng.random() < likely

    def delay(self, most: float) -> float:
        return self.loop.rng.uniform(0.0001, max(most, 0.0002))

    # -- the lock -----------------------------------------------------------------------------

    def lock(self, owner: "SimStore") -> None:
        while self._owner is not None:
            wait(self._waiting.append)
            owner.ask()
        self._owner, self.locked_at = owner, self.clock()

    def unlock(self, owner: object) -> None:
        if self._owner is owner:
            self._owner = None
            self._wake()

    def go_away(self, seconds: float) -> None:
        """Nobody is answered for a while; what was under way ends as a cut connection does."""
        self.is_away = True
        self._wake()
        self.loop.call_later(seconds, self._come_back)

    def _come_back(self) -> None:
        """Whoever listens is told where the ledger stands."""
        self.is_away = False
        for store in self.stores:
            self._notify(store)

    def _notify(self, store: "SimStore") -> None:
        size = self.table.head.size if self.table.head else 0
        self.loop.call_later(self.delay(self.faults.notice), store.hear, size)

    def leave(self, owner: "SimStore", new: Head | None, rows: Rows | None) -> None:
        """The connection is gone, the transaction not yet: it ends later, either way."""
        if self._owner is not owner:
            return
        ghost = self._owner = object()
        stands = rows is not None and self.chance(0.5)

        def end() -> None:
            if stands and new and rows:
                self.apply(owner.name, new, rows)
            self.unlock(ghost)

        self.loop.call_later(self.delay(self.faults.linger), end)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    # -- rows ---------------------------------------------------------------------------------

    def apply(self, name: str, new: Head, rows: Rows) -> None:
        table = self.table
        table.streams.update({stream: sid for sid, stream in rows.streams})
        for row in rows.entries:
            table.keys.setdefault(row[3], row[0])
            table.rows.append(row)
        table.tips.update({name: msgspec.structs.replace(tip) for name, tip in rows.tips.items()})
        table.claims.update(rows.claims)
        table.head = new
        for watch in self.watchers:
            watch(name, self.locked_at, rows)
        for store in self.stores:
            if store.name != name:
                self._notify(store)

    def records(self, start: int, end: int) -> Iterator[Record]:
        for row in self.table.rows[start:end]:
            yield Record(row[0], row[4], row[5], row[6])


class SimStore:
    """One process's connection. `early` names what a careless store would read before it holds the
    lock: "at", "known", "claimed"; with "own", deadlines are left to the process's own clock.
    """

    is_shared = True

    def __init__(
        self, name: str, database: Database, machine: Machine, early: frozenset[str] = frozenset()
    ) -> None:
        self.name, self._database, self._machine, self._early = name, database, machine, early
        self._wakes: list[Callable[[int], None]] = []
        self._sent: tuple[Head, Rows] | None = None
        database.stores[self] = None

    def ask(self) -> None:
        if not self._machine.is_alive:
            raise Crashed
        if self._database.is_away:
            raise StoreUnreachable(problem="away")

    def hang_up(self) -> None:
        """After a crash: the database notices by itself that nobody is there."""
        self._database.stores.pop(self, None)
        new, rows = self._sent or (None, None)
        self._database.leave(self, new, rows)

    def hear(self, size: int) -> None:
        if self._machine.is_alive and not self._database.is_away:
            for wake in self._wakes:
                wake(size)

    # -- the sequencer ------------------------------------------------------------------------

    def begin(self, keys: Sequence[str], claims: Sequence[str]) -> Opening:
        database = self._database
        self.ask()
        self._pause(database.faults.question)
        early = self._looked(keys, claims)
        database.lock(self)
        if database.chance(database.faults.before):
            database.unlock(self)
            raise StoreUnreachable(problem="cut at the beginning")
        found = self._looked(keys, claims)
        if "own" in self._early:
            return msgspec.structs.replace(found, at=None)
        careless = {name: getattr(early, name) for name in self._early}
        return msgspec.structs.replace(found, **careless)

    def tips(self, names: Sequence[str]) -> dict[str, Tip]:
        self.ask()
        tips = self._database.table.tips
        return {name: msgspec.structs.replace(tips[name]) for name in names if name in tips}

    def next_stream(self) -> int:
        self.ask()
        return len(self._database.table.streams) + 1

    def commit(self, old: Head | None, new: Head, rows: Rows) -> None:
        database, faults = self._database, self._database.faults
        self.ask()
        if database.table.head != old:
            raise HeadMoved(expected=old.size if old else 0)
        if database.chance(faults.full):
            raise StoreFull(path="database")
        if database.chance(faults.before):
            raise StoreUnreachable(problem="cut before the commit")
        self._sent = new, rows
        if database.chance(faults.late):
            self._lose("cut during the commit")
        self._pause(faults.slowest if database.chance(faults.slow) else faults.question)
        if database.is_away:
            self._lose("away during the commit")
        database.apply(self.name, new, rows)
        self._sent = None
        database.unlock(self)
        if database.chance(faults.after):
            self._pause(faults.question)
            raise StoreUnreachable(problem="cut after the commit")

    def confirm(self) -> None:
        self.ask()
        self._database.unlock(self)

    def rollback(self) -> None:
        if self._machine.is_alive:
            self._database.unlock(self)

    def _lose(self, problem: str) -> None:
        self.leave_it()
        raise StoreUnreachable(problem=problem)

    def leave_it(self) -> None:
        new, rows = self._sent or (None, None)
        self._sent = None
        self._database.leave(self, new, rows)

    def _looked(self, keys: Sequence[str], claims: Sequence[str]) -> Opening:
        table = self._database.table
        claimed = table.claims.intersection(claims)
        return Opening(table.head, self._known(keys), claimed, self._database.clock())

    def _pause(self, most: float) -> None:
        pause(self._database.loop, self._database.delay(most))
        if not self._machine.is_alive:
            raise Crashed

    # -- any thread ---------------------------------------------------------------------------

    def head(self) -> Head | None:
        self.ask()
        return self._database.table.head

    def find(self, keys: Sequence[str]) -> Known:
        self.ask()
        return self._known(keys)

    def _known(self, keys: Sequence[str]) -> Known:
        table = self._database.table
        places = {key: table.keys[key] for key in keys if key in table.keys}
        return {
            key: (index, table.rows[index][4], table.rows[index][6])
            for key, index in places.items()
        }

    def stream_rows(self, name: str, start: int) -> Iterator[Record]:
        self.ask()
        sid = self._database.table.streams.get(name)
        for row in list(self._database.table.rows):
            if row[1] == sid and row[2] >= start:
                yield Record(row[0], row[4], row[5], row[6])

    def rows(self, start: int, end: int) -> Iterator[Record]:
        self.ask()
        return self._database.records(start, end)

    def leaves(self, start: int, end: int) -> Iterator[bytes]:
        self.ask()
        return (record.leaf for record in self._database.records(start, end))

    def cosigned(self, start: int = 0) -> list[str]:
        self.ask()
        return [note for _, note in self._database.table.cosigned[start:]]

    def keep_cosigned(self, size: int, note: str) -> None:
        """In growing order, whichever process was faster."""
        self.ask()
        database = self._database
        fails, kept = database.chance(database.faults.kept), database.table.cosigned
        if fails and database.chance(0.5):
            raise StoreUnreachable(problem="cut before keeping")
        if not kept or kept[-1][0] <= size:
            kept.append((size, note))
        if fails:
            raise StoreUnreachable(problem="cut after keeping")

    def erase(self, index: int) -> None:
        rows = self._database.table.rows
        rows[index] = (*rows[index][:5], b"", b"")

    def cursor(self, name: str) -> int:
        return self._database.table.cursors.get(name, 0)

    def move_cursor(self, name: str, cursor: int) -> None:
        self._database.table.cursors[name] = cursor

    def clock(self) -> datetime | None:
        self.ask()
        return self._database.clock()

    def first_use(self, name: str, until: datetime) -> bool:
        self.ask()
        used = self._database.table.used
        if name in used:
            return False
        used.add(name)
        return True

    def beat(self, _: datetime) -> None:
        self.ask()
        self._database.beat = self._database.clock()

    def last_beat(self) -> datetime | None:
        self.ask()
        return self._database.beat

    def on_growth(self, wake: Callable[[int], None]) -> None:
        self._wakes.append(wake)

    def close_thread(self) -> None:
        """Nothing belongs to a thread."""

    def close(self) -> None:
        self._database.stores.pop(self, None)
