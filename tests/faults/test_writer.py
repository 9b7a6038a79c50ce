"""The writer: races are errors, keys make acts idempotent, time must progress, nothing hangs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trading.kernel.errors import (
    ClaimTaken,
    Fatal,
    HeadMoved,
    KeyReused,
    LostRace,
    StoreBusy,
    StoreDamaged,
    TooLate,
    WriterStopped,
)
from trading.kernel.instant import FrozenClock
from trading.ledger.committer import GroupLedger
from trading.ledger.fact import Fact
from trading.ledger.port import ANY, Draft
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store import Head, Rows
from trading.ledger.store_postgres import PostgresStore
from trading.ledger.store_sqlite import SqliteStore

ORIGIN = "kaifeng.example/writer"
KEYS = [
    NoteKey(ORIGIN, KeyType.ED25519, b"1" * 32),
    NoteKey(ORIGIN, KeyType.COSIGN_MLDSA44, b"2" * 32),
]
START = datetime(2026, 1, 1, tzinfo=UTC)


class Noted(Fact, frozen=True, tag="test.noted/1"):
    text: str = ""


class Posted(Fact, frozen=True, tag="test.posted/1"):
    """Many may be posted side by side."""

    commutes = True
    text: str = ""


def draft(key: str, text: str = "", **more: object) -> Draft:
    return Draft(Noted(text=text), key, **more)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture(params=["sqlite", "postgres"])
def new_ledger(request, tmp_path: Path, clock: FrozenClock):
    """Makes ledgers on one and the same store, in as many processes as it allows."""
    url = request.getfixturevalue("postgres").database() if request.param == "postgres" else ""
    made: list[GroupLedger] = []

    def make() -> GroupLedger:
        store = PostgresStore(url) if url else SqliteStore(tmp_path / "ledger.db")
        made.append(GroupLedger(store, KEYS, clock))
        return made[-1]

    yield make
    for ledger in made:
        ledger.close()


@pytest.fixture
def ledger(new_ledger) -> GroupLedger:
    return new_ledger()


@pytest.fixture
def embedded(tmp_path: Path, clock: FrozenClock):
    with GroupLedger(SqliteStore(tmp_path / "ledger.db"), KEYS, clock) as made:
        yield made


def test_a_lost_race_is_an_error_and_never_an_overwrite(ledger: GroupLedger) -> None:
    ledger.append("s", 0, [draft("a")])
    with pytest.raises(LostRace) as lost:
        ledger.append("s", 0, [draft("b")])
    assert lost.value.facts["actual"] == 1
    assert ledger.size() == 1


def test_two_writers_at_one_height_one_wins(ledger: GroupLedger) -> None:
    def attempt(number: int) -> bool:
        try:
            ledger.append("s", 0, [draft(f"k{number}")])
        except LostRace:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(32))) == 1


def test_the_same_key_and_content_is_one_act(ledger: GroupLedger) -> None:
    first = ledger.append("s", 0, [draft("a", "x")])
    assert ledger.append("s", 0, [draft("a", "x")]) == first
    assert ledger.size() == 1


@pytest.mark.parametrize(
    "again",
    [
        ("s", [draft("a", "y")]),
        ("other", [draft("a", "x")]),
        ("s", [draft("a", "x", actor="bob")]),
        ("s", [draft("b"), draft("a", "x")]),
        ("s", [draft("c"), draft("c")]),
    ],
)
def test_the_same_key_for_something_else_is_refused(ledger: GroupLedger, again) -> None:
    ledger.append("s", 0, [draft("a", "x")])
    stream, drafts = again
    with pytest.raises(KeyReused):
        ledger.append(stream, ANY, drafts)
    assert ledger.size() == 1
    ledger.append("s", 1, [draft("z")])


def test_one_refusal_in_a_batch_spares_its_neighbours(ledger: GroupLedger) -> None:
    futures = [ledger.submit("new", n % 2 * 5, [draft(f"k{n}")]) for n in range(6)]
    outcomes = [future.exception() for future in futures]
    assert sum(outcome is None for outcome in outcomes) == 1
    assert [f.height for _, f in ledger.stream("new")] == [0]


def test_what_moved_beside_a_decision_makes_it_lose_its_race(ledger: GroupLedger) -> None:
    """But not what commutes, and nothing where nobody has written yet."""
    ledger.append("b", 0, [draft("k0")])
    ledger.append("a", 0, [draft("k1", beside=(("b", 1), ("c", 0)))])
    ledger.append("b", 1, [Draft(Posted(), "p0")])
    ledger.append("a", 1, [draft("k2", beside=(("b", 1),))])
    ledger.append("b", 2, [draft("k3")])
    for height in (0, 1, 2):
        with pytest.raises(LostRace):
            ledger.append("a", 2, [draft("k4", beside=(("b", height),))])
    ledger.append("a", 2, [draft("k4", beside=(("b", 3),))])


def test_acts_that_commute_need_not_know_of_each_other(ledger: GroupLedger) -> None:
    ledger.append("s", 0, [draft("a")])
    for number in range(5):
        ledger.append("s", 1, [Draft(Posted(), f"p{number}")])
    assert [stamp.height for _, stamp in ledger.stream("s")] == list(range(6))


def test_acts_that_commute_give_way_to_what_does_not(ledger: GroupLedger) -> None:
    ledger.append("s", 0, [draft("a")])
    ledger.append("s", 1, [Draft(Posted(), "b")])
    ledger.append("s", 2, [draft("c")])
    with pytest.raises(LostRace):
        ledger.append("s", 2, [Draft(Posted(), "d")])
    with pytest.raises(LostRace):
        ledger.append("s", 2, [draft("e")])
    with pytest.raises(LostRace):
        ledger.append("s", 4, [Draft(Posted(), "f")])
    ledger.append("s", 3, [Draft(Posted(), "d")])


def test_a_claim_is_taken_once_and_by_the_whole_request(ledger: GroupLedger) -> None:
    ledger.append("s", ANY, [Draft(Posted(), "a", claims=("token:1", "enc:1"))])
    futures = [
        ledger.submit("s", ANY, [Draft(Posted(), f"b{n}", claims=("enc:2",))]) for n in range(5)
    ]
    assert sum(future.exception() is None for future in futures) == 1
    with pytest.raises(ClaimTaken):
        ledger.append("s", ANY, [Draft(Posted(), "c", claims=("enc:3", "token:1"))])
    ledger.append("s", ANY, [Draft(Posted(), "d", claims=("enc:3",))])
    assert ledger.append("s", ANY, [Draft(Posted(), "d", claims=("enc:3",))])[0].height == 2


def test_the_deadline_is_checked_at_the_commit(embedded: GroupLedger, clock: FrozenClock) -> None:
    deadline = clock.at + timedelta(seconds=1)
    embedded.append("s", ANY, [draft("a", before=deadline)])
    clock.advance(timedelta(seconds=1))
    with pytest.raises(TooLate):
        embedded.append("s", ANY, [draft("b", before=deadline)])
    assert embedded.size() == 1


def test_time_that_does_not_progress_stops_the_writer(
    embedded: GroupLedger, clock: FrozenClock
) -> None:
    ledger = embedded
    ledger.append("s", ANY, [draft("a")])
    clock.advance(timedelta(hours=-1))
    with pytest.raises(Fatal) as fatal:
        ledger.append("s", ANY, [draft("b")])
    assert fatal.value.code == "KF-702"
    clock.advance(timedelta(hours=2))
    with pytest.raises(WriterStopped):
        ledger.append("s", ANY, [draft("c")])


def test_a_head_that_somebody_moved_stops_the_writer(embedded: GroupLedger) -> None:
    ledger = embedded
    ledger.append("s", ANY, [draft("a")])
    import sqlite3

    db = sqlite3.connect(ledger.store._path)
    db.execute("UPDATE head SET size = 7")
    db.commit()
    db.close()
    with pytest.raises(HeadMoved):
        ledger.append("s", ANY, [draft("b")])


def test_a_second_process_on_the_same_store_is_refused(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    with pytest.raises(StoreBusy):
        SqliteStore(tmp_path / "ledger.db")
    store.close()
    SqliteStore(tmp_path / "ledger.db").close()


@pytest.mark.parametrize("damage", ["UPDATE entry SET leaf = zeroblob(33)", "DELETE FROM head"])
def test_a_damaged_store_does_not_start(tmp_path: Path, clock: FrozenClock, damage: str) -> None:
    import sqlite3

    path = tmp_path / "ledger.db"
    with GroupLedger(SqliteStore(path), KEYS, clock) as ledger:
        ledger.append("s", ANY, [draft("a")])
    db = sqlite3.connect(path)
    db.execute("DROP TRIGGER entry_unchanged")
    db.execute(damage)
    db.commit()
    db.close()
    store = SqliteStore(path)
    with pytest.raises(StoreDamaged):
        GroupLedger(store, KEYS, clock)
    store.close()


def test_entries_cannot_be_changed_through_our_own_connection(embedded: GroupLedger) -> None:
    import sqlite3

    ledger = embedded

    ledger.append("s", ANY, [draft("a")])
    for sql in (
        "DELETE FROM entry",
        "UPDATE entry SET leaf = zeroblob(33)",
        "UPDATE entry SET raw = zeroblob(3), salt = NULL",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            ledger.store._db.execute(sql)


def test_a_restart_goes_on_where_it_stopped(new_ledger) -> None:
    for number in range(3):
        ledger = new_ledger()
        stamps = ledger.append("s", number, [draft(f"k{number}")])
        assert stamps[0].index == number
        head = ledger.checkpoint().partition("\n\n")[0]
        ledger.close()
    ledger = new_ledger()
    assert ledger.checkpoint().startswith(head)
    assert [stamp.height for _, stamp in ledger.stream("s")] == [0, 1, 2]


def test_what_cannot_be_written_is_refused_and_the_writer_lives(ledger: GroupLedger) -> None:
    for stream, key in (("\ud800", "a"), ("s", "\ud800")):
        with pytest.raises(UnicodeEncodeError):
            ledger.submit(stream, ANY, [draft(key)])
    assert ledger.append("s", ANY, []) == ()
    future = ledger.submit("s", ANY, [draft("b")])
    assert not future.cancel()
    assert future.result()[0].index == 0


def test_nothing_hangs_after_the_ledger_is_closed(tmp_path: Path, clock: FrozenClock) -> None:
    ledger = GroupLedger(SqliteStore(tmp_path / "ledger.db"), KEYS, clock)
    ledger.close()
    with pytest.raises(WriterStopped):
        ledger.submit("s", ANY, [draft("a")]).result(timeout=5)


def test_concurrent_streams_get_one_order_without_gaps(ledger: GroupLedger) -> None:
    def work(name: str) -> None:
        for number in range(25):
            ledger.append(name, number, [draft(f"{name}-{number}")])

    threads = [threading.Thread(target=work, args=(f"s{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.size() == 150
    indices = sorted(s.index for n in range(6) for _, s in ledger.stream(f"s{n}"))
    assert indices == list(range(150))


def test_a_head_is_stored_once(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "ledger.db")
    head = Head(0, b"r", START, "n")
    store.begin([], [])
    store.commit(None, head, Rows())
    store.begin([], [])
    with pytest.raises(HeadMoved):
        store.commit(None, head, Rows())
    store.close()
