"""Several processes on one PostgreSQL: one order, one deadline, one head, whatever their clocks."""

import threading
from datetime import datetime, timedelta

import asyncpg
import pytest
from database import Server

from trading.kernel.errors import HeadMoved, LostRace, StoreUnsafe, TooLate
from trading.kernel.instant import SystemClock
from trading.ledger.committer import GroupLedger
from trading.ledger.fact import Fact
from trading.ledger.port import ANY, Draft
from trading.ledger.signature import KeyType, NoteKey
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


def race(url: str, deadline: datetime, skews: tuple[float, ...]) -> tuple[int, list[datetime]]:
    """Everybody seals until refused, one closes; how many the closer counted, and all times."""
    ledgers = [open_at(url, skew) for skew in skews]

    def seal(ledger: GroupLedger, name: str) -> None:
        for number in range(10_000):
            draft = Draft(Sealed(), f"{name}-{number}", before=deadline)
            try:
                ledger.append("race", ANY, [draft])
            except TooLate:
                return

    threads = [
        threading.Thread(target=seal, args=(ledger, f"{n}-{k}"))
        for n, ledger in enumerate(ledgers)
        for k in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = close(ledgers[0])
    facts = ledgers[-1].stream("race")
    for ledger in ledgers:
        ledger.close()
    return counted, [stamp.at for fact, stamp in facts if isinstance(fact, Sealed)]


def close(ledger: GroupLedger) -> int:
    while True:
        counted = len(ledger.stream("race"))
        try:
            ledger.append("race", counted, [Draft(Ended(count=counted), "ended")])
        except LostRace:
            continue
        return counted


def test_skewed_clocks_let_nobody_in_late(url: str) -> None:
    deadline = now() + timedelta(seconds=1.5)
    counted, times = race(url, deadline, (-2.0, 0.0, 2.0))
    assert times
    assert max(times) < deadline
    assert counted == len(times)


def test_with_each_process_deciding_by_its_own_clock_bids_come_late(url: str) -> None:
    """The negative control: the same race, the database's clock ignored."""
    deadline = now() + timedelta(seconds=1)
    ledgers = [open_at(url, skew) for skew in (-2.0, 0.0)]
    for ledger in ledgers:
        writing = ledger.store._writing
        begin = writing.begin

        async def blind(keys, claims, begin=begin, ledger=ledger):
            opening = await begin(keys, claims)
            return type(opening)(
                opening.head, opening.known, opening.claimed, ledger._clock.read().at
            )

        writing.begin = blind
    late, number = 0, 0
    while now() < deadline + timedelta(seconds=0.3):
        try:
            ledgers[0].append("race", ANY, [Draft(Sealed(), f"k{number}", before=deadline)])
        except TooLate:
            break
        number += 1
        late += now() > deadline
    assert late > 0
    for ledger in ledgers:
        ledger.close()


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
    assert len(ledger.stream("s")) == 30
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
