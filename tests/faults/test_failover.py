"""The database fails under load: nothing acknowledged is lost, and the ledger goes on by itself.

Clients are acknowledged or do not know; who does not know asks again under the same key.
"""

import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest
from acting import STREAM, draft
from database import Server
from history import check_history, go_without, kept, stored_in
from pair import PATIENCE, Interrupted, Node, Pair, Wire, ask, missing, url_of, wait_until

from trading.kernel.errors import HeadMoved, Refusal, StoreUnreachable
from trading.kernel.instant import SystemClock
from trading.ledger.committer import GroupLedger
from trading.ledger.entry import Stamp
from trading.ledger.port import ANY
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store import Head, Rows
from trading.ledger.store_postgres import PostgresStore
from web.migrate import migrate

ORIGIN = "kaifeng.example/failover"
KEYS = [
    NoteKey(ORIGIN, KeyType.ED25519, b"1" * 32),
    NoteKey(ORIGIN, KeyType.COSIGN_MLDSA44, b"2" * 32),
]
MIGRATE = """import sys
from web.migrate import migrate
print(flush=True)
migrate(sys.stdin.readline().strip())"""

NO_HEAD_ONCE = """DO $do$ BEGIN
    CREATE SEQUENCE time;
    CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('time') = 1 THEN RAISE 'shutting down' USING ERRCODE = '57P01'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER refuse_once BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION refuse_once();
END $do$"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """The files of a migrated server that does not run."""
    if lack := missing():
        go_without(lack)
    with tempfile.TemporaryDirectory(prefix="kaifeng-pg-") as folder:
        Server(Path(folder) / "data").stop()
        yield Path(folder) / "data"


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short name, as sockets demand, and open to the database's user."""
    with tempfile.TemporaryDirectory(prefix="kaifeng-pg-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def node(folder: Path, cluster: Path) -> Iterator[Node]:
    made = Node(folder / "one")
    try:
        made.copy(cluster)
        made.start()
        yield made
    finally:
        made.kill()


@pytest.fixture
def pair(request: pytest.FixtureRequest, folder: Path, cluster: Path) -> Iterator[Pair]:
    made = Pair(folder)
    try:
        made.start(cluster, synchronous=getattr(request, "param", True))
        yield made
    finally:
        made.stop()


def open_at(url: str) -> GroupLedger:
    return GroupLedger(PostgresStore(url), KEYS, SystemClock())


def append(ledger: GroupLedger, key: str) -> Stamp:
    return ledger.submit(STREAM, ANY, [draft(key)]).result(PATIENCE)[0]


def stamps_in(ledger: GroupLedger) -> dict[str, Stamp]:
    return {fact.question: stamp for fact, stamp in kept(ledger, STREAM)}


class Clients:
    """Threads that append act after act, and remember what they were told."""

    def __init__(self, *ledgers: GroupLedger) -> None:
        self.acked: dict[str, Stamp] = {}
        self.unknown: list[str] = []
        self._times: list[float] = []
        self._leaving = threading.Event()
        self._threads = [
            threading.Thread(target=self._act, args=(ledger, number), daemon=True)
            for number, ledger in enumerate(ledgers * 3)
        ]

    def _act(self, ledger: GroupLedger, name: int) -> None:
        for number in itertools.count():
            key = f"{name}-{number}"
            try:
                stamp = append(ledger, key)
            except Refusal:
                self.unknown.append(key)
            else:
                self.acked[key] = stamp
                self._times.append(time.monotonic())
            if ledger.stopped or self._leaving.wait(0.002):
                return

    @property
    def started(self) -> list[str]:
        return [*self.acked, *self.unknown]

    @property
    def outage(self) -> float:
        """The longest time without any acknowledgement, in seconds."""
        return max(later - now for now, later in itertools.pairwise(sorted(self._times)))

    def reach(self, more: int) -> None:
        goal = len(self.acked) + more
        wait_until(lambda: len(self.acked) >= goal, f"{more} more acts")

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        for thread in self._threads:
            thread.join(PATIENCE)


def problems_of(ledger: GroupLedger, clients: Clients) -> list[str]:
    stored = stamps_in(ledger)
    return check_history(clients.started, list(clients.acked), stored_in(ledger)) + [
        f"{key} was acknowledged with another stamp"
        for key, stamp in clients.acked.items()
        if stored.get(key, stamp) != stamp
    ]


def settle(url: str, clients: Clients) -> list[str]:
    """Problems that a new process finds, also after all who do not know have asked again."""
    with open_at(url) as ledger:
        problems = problems_of(ledger, clients)
        for key in clients.unknown:
            append(ledger, key)
        started = clients.started
        assert ledger.size() == len(started)
        return problems + check_history(started, started, stored_in(ledger))


def report(text: str) -> None:
    sys.stdout.write(f"{text}\n")


# -- the primary dies -----------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["in step", "stalled", "late"])
def test_a_standby_takes_over_and_nothing_acknowledged_is_lost(pair: Pair, moment: str) -> None:
    """Late, it is promoted only after a client has been told that the database is away."""
    with open_at(pair.url) as one, open_at(pair.url) as two:
        with Clients(one, two) as clients:
            clients.reach(200)
            if moment == "stalled":
                pair.stall_replication()
                wait_until(pair.is_blocked, "a commit that waits for the standby")
            pair.kill_primary()
            if moment == "late":
                wait_until(lambda: clients.unknown, "a client that does not know")
            pair.promote()
            clients.reach(200)
        assert problems_of(one, clients) == []
    assert settle(pair.url, clients) == []
    told = f"{len(clients.acked)} acknowledged, {len(clients.unknown)} unknown"
    report(f"{moment}: {told}, 0 lost, {clients.outage:.2f} s without an acknowledgement")


@pytest.mark.parametrize("pair", [False], ids=["asynchronous"], indirect=True)
def test_with_an_asynchronous_standby_acknowledged_acts_are_lost(pair: Pair) -> None:
    """The negative control: the same checker. The ledger itself notices, and refuses to go on."""
    with open_at(pair.url) as ledger:
        with Clients(ledger) as clients:
            clients.reach(50)
            pair.stall_replication()
            clients.reach(200)
            last = list(clients.acked)[-1]
            pair.kill_primary()
            pair.promote()
            wait_until(lambda: ledger.stopped, "the ledger stops")
        assert isinstance(ledger.stopped, HeadMoved)
        problems = problems_of(ledger, clients)
        assert f"{last} was acknowledged and is lost" in problems
        lost = sum(problem.endswith("is lost") for problem in problems)
        report(f"asynchronous: {lost} of {len(clients.acked)} acknowledged are lost")


def test_a_primary_that_comes_back_acknowledges_nothing(pair: Pair) -> None:
    """Its standby rules by now, and may know nothing of what the old one still finds."""
    with open_at(pair.url) as ledger:
        append(ledger, "a")
        pair.stall_replication()
        future = ledger.submit(STREAM, ANY, [draft("b")])
        wait_until(pair.is_blocked, "a commit that waits for the standby")
        pair.kill_primary()
        pair.promote()
        assert future.result(PATIENCE)[0].index == 1
    pair.primary.start()
    with open_at(pair.primary.url) as other:
        told = other.submit(STREAM, ANY, [draft("b")])
        wait_until(lambda: told.done() or pair.is_blocked(), "an answer, or none")
        assert not told.done()
        pair.kill_primary()


def test_a_primary_that_falls_silent_is_replaced(pair: Pair) -> None:
    pair.primary.freeze()
    pair.promote()
    with open_at(pair.url) as ledger:
        assert append(ledger, "a").index == 0


# -- the standby dies -----------------------------------------------------------------------------


def test_without_its_standby_nothing_is_acknowledged_and_nothing_is_lost(pair: Pair) -> None:
    with open_at(pair.url) as ledger:
        before = append(ledger, "a")
        pair.standby.kill()
        first = ledger.submit(STREAM, ANY, [draft("b")])
        wait_until(pair.is_blocked, "a commit that waits for the standby")
        second = ledger.submit(STREAM, ANY, [draft("c")])
        assert isinstance(first.exception(PATIENCE), StoreUnreachable)
        assert not second.done()
        assert stamps_in(ledger) == {"a": before}
        pair.start_standby()
        stamps = {"a": before, "b": append(ledger, "b"), "c": second.result(PATIENCE)[0]}
        assert [append(ledger, key) for key in stamps] == list(stamps.values())
        assert stamps_in(ledger) == stamps
        assert sorted(stamp.index for stamp in stamps.values()) == [0, 1, 2]


def test_growth_is_heard_although_the_standby_is_named_first(pair: Pair) -> None:
    other = url_of(pair.standby.sockets, pair.primary.sockets)
    with open_at(pair.url) as one, open_at(other) as two:
        grown = threading.Event()
        two.on_growth(lambda _: grown.set())
        append(one, "a")
        refused = "cannot execute LISTEN during recovery"
        wait_until(lambda: grown.is_set() or refused in pair.standby.log, "any news")
        assert grown.is_set()


# -- one server restarts, or its connections are cut ----------------------------------------------


def test_a_database_that_restarts_under_load_costs_no_act(node: Node) -> None:
    with open_at(node.url) as one, open_at(node.url) as two:
        with Clients(one, two) as clients:
            for _ in range(3):
                clients.reach(100)
                node.restart()
            clients.reach(100)
        assert problems_of(two, clients) == []
    assert settle(node.url, clients) == []
    report(f"restart: {clients.outage:.2f} s without an acknowledgement")


class Trusting(Interrupted):
    """The protection taken away: whoever has sent a commit thinks that it was done."""

    def commit(self, old: Head | None, new: Head, rows: Rows) -> None:
        with suppress(StoreUnreachable):
            super().commit(old, new, rows)


@pytest.mark.parametrize("event", ["restart", "cut"])
def test_who_trusts_a_broken_connection_acknowledges_what_is_lost(node: Node, event: str) -> None:
    """The negative control of the two around it: the same clients and the same checker."""
    store = Trusting(node.url)
    with GroupLedger(store, KEYS, SystemClock()) as ledger:
        with Clients(ledger) as clients:
            clients.reach(50)
            store.happens = [node.restart if event == "restart" else store.lose_connection]
            wait_until(lambda: ledger.stopped, "the ledger stops")
        assert isinstance(ledger.stopped, HeadMoved)
        problems = problems_of(ledger, clients)
    assert problems
    assert all(problem.endswith("was acknowledged and is lost") for problem in problems)


@pytest.mark.parametrize("withheld", [True, False], ids=["unanswered", "answered"])
def test_a_connection_cut_at_any_answer_stores_once_and_tells_the_true_stamp(
    node: Node, folder: Path, withheld: bool
) -> None:
    wire = Wire(node, folder)
    told: dict[str, Stamp] = {}
    with open_at(wire.url) as ledger:
        for number in range(1, 100):
            wire.cut_at(number, withheld=withheld)
            told[f"act-{number}"] = append(ledger, f"act-{number}")
            if len(wire.cuts) < number:
                break
        assert stamps_in(ledger) == told
        assert ledger.size() == len(told)
    wire.close()
    assert [question for question in wire.cuts if b"COMMIT" in question]
    with open_at(node.url) as again:
        assert sorted(stored_in(again)) == sorted((key, told[key].height) for key in told)
        assert sorted(stamp.height for stamp in told.values()) == list(range(len(told)))


def test_who_lost_its_locks_writes_nothing_while_another_writes(node: Node) -> None:
    store = Interrupted(node.url)
    with GroupLedger(store, KEYS, SystemClock()) as one, open_at(node.url) as two:
        append(one, "a")
        store.happens = [store.lose_connection, lambda: append(two, "b")]
        assert append(one, "c").height == 2
        assert append(two, "d").height == 3


def test_a_batch_that_fails_half_way_leaves_nothing_behind(node: Node) -> None:
    """An act that is found and is not under the head would be acknowledged."""

    store = Interrupted(node.url)
    with GroupLedger(store, KEYS, SystemClock()) as ledger:
        append(ledger, "a")
        ask(node.url, NO_HEAD_ONCE)
        store.happens = [store.lose_connection]
        assert append(ledger, "b").index < ledger.size()


# -- the schema -----------------------------------------------------------------------------------


def test_processes_that_migrate_at_once_make_one_schema(node: Node) -> None:
    ask(node.url, "CREATE DATABASE empty")
    url = url_of(node.sockets, database="empty")
    command = [sys.executable, "-c", MIGRATE]
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(3)
    ]
    try:
        for child in children:
            assert child.stdout.readline() == "\n"
        for child in children:
            child.stdin.write(f"{url}\n")
            child.stdin.flush()
        errors = [child.communicate(timeout=PATIENCE)[1] for child in children]
    finally:
        for child in children:
            child.kill()
    assert [child.returncode for child in children] == [0, 0, 0], errors
    with open_at(url) as ledger:
        append(ledger, "a")
        migrate(url)
        assert append(ledger, "b").index == 1
    assert len(ask(url, "SELECT * FROM alembic_version")) == 1
