"""Several processes on one PostgreSQL: one order, one deadline, one head, whatever their clocks."""

import re
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

import asyncpg
import msgspec
import pytest
from database import Server
from history import kept

from trading.kernel.errors import HeadMoved, LostRace, StoreUnsafe, TooLate
from trading.kernel.instant import SystemClock
from trading.ledger.committer import GroupLedger
from trading.ledger.fact import Fact
from trading.ledger.port import ANY, Draft
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store import Opening
from trading.ledger.store_postgres import PostgresStore

ORIGIN = "kaifeng.example/processes"
KEYS = [
    NoteKey(ORIGIN, KeyType.ED25519, b"1" * 32),
    NoteKey(ORIGIN, KeyType.COSIGN_MLDSA44, b"2" * 32),
]


class Sealed(Fact, frozen=True, tag="test.sealed/1"):
    commutes = True
    text: str = ""


class Ended(Fact, frozen=True, tag="test.ended/1"):
    count: int = 0


class Skewed:
    """A clock that is wrong and does not know it."""

    def __init__(self, by: float) -> None:
        self._by, self._true = timedelta(seconds=by), SystemClock(timedelta(0))

    def read(self):
        reading = self._true.read()
        return type(reading)(reading.at + self._by, reading.error)


@pytest.fixture
def url(postgres: Server) -> str:
    return postgres.database()


def now() -> datetime:
    return SystemClock().read().at


def open_at(url: str, skew: float = 0) -> GroupLedger:
    return GroupLedger(PostgresStore(url), KEYS, Skewed(skew))


# -- the deadline ---------------------------------------------------------------------------------

NOTE_COMMITS = """DO $do$ BEGIN
    CREATE TABLE committed (idx bigint PRIMARY KEY, at timestamptz NOT NULL);
    CREATE FUNCTION note_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO committed VALUES (NEW.idx, clock_timestamp());
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER noted AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION note_commit();
END $do$"""
COMMITTING = 1.0  # seconds at most from the decision under the lock to the commit
LATE = r"entry \d+ was committed .* s after the deadline"


class OwnClocks(PostgresStore):
    """The protection taken away: no batch is told the database's time."""

    def begin(self, keys: Sequence[str], claims: Sequence[str]) -> Opening:
        return msgspec.structs.replace(super().begin(keys, claims), at=None)


class Race:
    """Everybody seals until the bidding is closed; one closes it as soon as its time has come."""

    def __init__(self, ledgers: list[GroupLedger], deadline: datetime) -> None:
        self.ledgers, self.deadline = ledgers, deadline
        self._closed = threading.Event()

    def run(self) -> int:
        """How often somebody was too late."""
        names = [(ledger, f"{n}-{k}") for n, ledger in enumerate(self.ledgers) for k in range(2)]
        with ThreadPoolExecutor(len(names) + 1) as pool:
            closing = pool.submit(self._close, self.ledgers[-1])
            sealing = [pool.submit(self._seal, ledger, name) for ledger, name in names]
            closing.result(60)
            return sum(future.result(60) for future in sealing)

    def _seal(self, ledger: GroupLedger, name: str) -> int:
        number = refused = 0
        while not self._closed.is_set():
            number += 1
            draft = Draft(Sealed(), f"{name}-{number}", before=self.deadline)
            try:
                ledger.append("race", ANY, [draft])
            except TooLate:
                refused += 1
        return refused

    def _close(self, ledger: GroupLedger) -> None:
        """Counted and ended at one height, or counted again."""
        try:
            while ledger._clock.read().at + ledger.offset < self.deadline:
                time.sleep(0.001)
            while not self._closed.is_set():
                counted = len(ledger.stream("race"))
                with suppress(LostRace):
                    ledger.append("race", counted, [Draft(Ended(count=counted), "ended")])
                    self._closed.set()
        finally:
            self._closed.set()


def race(server: Server, skews: tuple[float, ...], store: type[PostgresStore]) -> list[str]:
    """What is wrong once it is over: bids that came late by the database's clock, which nobody
    asks here but a trigger at the commit, or bids that the closing has missed.
    """
    url = server.database()
    server.run(url, NOTE_COMMITS)
    ledgers = [GroupLedger(store(url), KEYS, Skewed(skew)) for skew in skews]
    deadline = now() + timedelta(seconds=1)
    try:
        assert Race(ledgers, deadline).run() > 0
        facts = kept(ledgers[0], "race")
    finally:
        for ledger in ledgers:
            ledger.close()
    sealed = [stamp for fact, stamp in facts if isinstance(fact, Sealed)]
    assert sealed
    committed = dict(map(tuple, server.run(url, "SELECT idx, at FROM committed")))
    late = {stamp.index: (committed[stamp.index] - deadline).total_seconds() for stamp in sealed}
    problems = [
        f"entry {index} was committed {seconds:.1f} s after the deadline"
        for index, seconds in late.items()
        if seconds > COMMITTING
    ]
    ended = next(fact for fact, _ in facts if isinstance(fact, Ended))
    if ended.count != len(sealed):
        problems.append(f"{ended.count} bids were counted, and there are {len(sealed)}")
    return problems


@pytest.mark.parametrize("skews", [(-2.0, 0.0, 2.0), (-2.0, -2.0)], ids=["apart", "all behind"])
def test_skewed_clocks_let_nobody_in_late(postgres: Server, skews: tuple[float, ...]) -> None:
    assert race(postgres, skews, PostgresStore) == []


def test_with_each_process_deciding_by_its_own_clock_bids_come_late(postgres: Server) -> None:
    """The negative control: the same race and the same checker, the database's clock ignored. All
    are behind alike: one that is ahead would hold the others up, for time must progress.
    """
    problems = race(postgres, (-2.0, -2.0), OwnClocks)
    assert [problem for problem in problems if re.fullmatch(LATE, problem)]


# -- order, keys, connections ---------------------------------------------------------------------


def test_the_order_of_commits_has_no_gaps_whoever_writes(url: str) -> None:
    ledgers = [open_at(url) for _ in range(3)]

    def write(ledger: GroupLedger, name: str) -> None:
        futures = [
            ledger.submit(f"s{number % 7}", ANY, [Draft(Sealed(), f"{name}-{number}")])
            for number in range(400)
        ]
        for future in futures:
            future.result()

    threads = [
        threading.Thread(target=write, args=(ledger, str(n))) for n, ledger in enumerate(ledgers)
    ]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while any(thread.is_alive() for thread in threads) or len(seen) < 1200:
        seen += [record.index for record in ledgers[0].records(len(seen))]
    for thread in threads:
        thread.join()
    assert seen == list(range(1200))
    times = [stamp.at for n in range(7) for _, stamp in ledgers[1].stream(f"s{n}")]
    assert len(times) == 1200
    for ledger in ledgers:
        ledger.close()


def test_the_same_key_in_two_processes_is_one_act(url: str) -> None:
    one, two = open_at(url), open_at(url)
    draft = Draft(Sealed(text="x"), "key")
    assert one.append("s", ANY, [draft]) == two.append("s", ANY, [draft])
    assert one.size() == 1
    one.close()
    two.close()


def test_a_reader_learns_of_growth_without_asking(url: str) -> None:
    one, two = open_at(url), open_at(url)
    grown = threading.Event()
    two.on_growth(lambda size: grown.set() if size == 1 else None)
    one.append("s", ANY, [Draft(Sealed(), "a")])
    assert grown.wait(10)
    assert two.checkpoint().split("\n")[:3] == one.checkpoint().split("\n")[:3]
    one.close()
    two.close()


def test_a_connection_that_is_cut_costs_no_act(url: str, postgres: Server) -> None:
    ledger = open_at(url)
    for number in range(30):
        future = ledger.submit("s", ANY, [Draft(Sealed(), f"k{number}")])
        if number % 10 == 3:
            postgres.cut(url)
        assert future.result(30)[0].height == number
    assert len(kept(ledger, "s")) == 30
    ledger.close()


def test_a_database_that_lost_what_we_acknowledged_stops_the_writer(
    url: str, postgres: Server
) -> None:
    ledger = open_at(url)
    ledger.append("s", ANY, [Draft(Sealed(), "a")])
    postgres.run(url, "UPDATE head SET size = 0")
    with pytest.raises(HeadMoved):
        ledger.append("s", ANY, [Draft(Sealed(), "b")])
    ledger.close()


def test_a_database_that_may_forget_is_refused(url: str) -> None:
    careless = url + "&options=-csynchronous_commit%3Doff"
    with pytest.raises(StoreUnsafe):
        PostgresStore(careless)


def test_entries_cannot_be_changed_in_the_database(url: str, postgres: Server) -> None:
    ledger = open_at(url)
    ledger.append("s", ANY, [Draft(Sealed(), "a")])
    for sql in ("DELETE FROM entry", "UPDATE entry SET leaf = ''", "TRUNCATE entry CASCADE"):
        with pytest.raises(asyncpg.RaiseError, match="never changed"):
            postgres.run(url, sql)
    ledger.close()
