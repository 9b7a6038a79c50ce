"""The feed under concurrent writers: a cursor that moves on never leaves anything behind."""

import threading
from pathlib import Path

import pytest
from database import Server

from trading.kernel.instant import SystemClock
from trading.ledger.committer import GroupLedger
from trading.ledger.fact import Fact
from trading.ledger.port import ANY, Draft
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store_postgres import PostgresStore
from trading.ledger.store_sqlite import SqliteStore

KEYS = [NoteKey("kaifeng.example/feed", KeyType.ED25519, b"1" * 32)]
WRITES, WRITERS, AT_ONCE = 100_000, 4, 50


class Written(Fact, frozen=True, tag="test.written/1"):
    commutes = True
    number: int


@pytest.fixture(params=["sqlite", "postgres"])
def ledgers(request: pytest.FixtureRequest, tmp_path: Path):
    """Two processes' worth on PostgreSQL, one on the embedded store."""
    if request.param == "sqlite":
        made = [GroupLedger(SqliteStore(tmp_path / "ledger.db"), KEYS, SystemClock())]
    else:
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
        made = [GroupLedger(PostgresStore(url), KEYS, SystemClock()) for _ in range(2)]
    yield made
    for ledger in made:
        ledger.close()


def write(ledger: GroupLedger, name: str) -> None:
    for start in range(0, WRITES // WRITERS, AT_ONCE):
        drafts = [Draft(Written(number=n), f"{name}-{n}") for n in range(start, start + AT_ONCE)]
        ledger.append(f"stream-{name}", ANY, drafts)


def test_nothing_is_missed_in_a_hundred_thousand_concurrent_writes(
    ledgers: list[GroupLedger],
) -> None:
    threads = [
        threading.Thread(target=write, args=(ledgers[n % len(ledgers)], str(n)))
        for n in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    seen: list[bytes] = []
    while len(seen) < WRITES:
        page = list(ledgers[-1].records(len(seen), min(ledgers[-1].size(), len(seen) + 1000)))
        assert [record.index for record in page] == list(range(len(seen), len(seen) + len(page)))
        seen += [record.leaf for record in page]
    for thread in threads:
        thread.join()
    assert len(set(seen)) == WRITES
    assert [r.leaf for r in ledgers[0].records(0, WRITES)] == seen
