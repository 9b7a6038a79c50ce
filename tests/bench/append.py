"""Durable append: batches of 256 through the sequencer, beside pymerkle and bare SQLite."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
from bench.ledgers import new_ledger
from bench.table import Row, Sizes, advance, measured, median, progress, rate, show
from pymerkle import SqliteTree

from trading.facts.bidding import EnvelopeReceived
from trading.facts.notice import QuestionAsked
from trading.kernel.ids import SystemIds
from trading.kernel.instant import SystemClock
from trading.ledger.fact import Fact
from trading.ledger.port import ANY, Draft

BATCH = 256
_SCHEMA = """
CREATE TABLE entry (
    idx INTEGER PRIMARY KEY, sid INTEGER NOT NULL, height INTEGER NOT NULL, id TEXT NOT NULL UNIQUE,
    leaf BLOB NOT NULL, salt BLOB, raw BLOB, UNIQUE (sid, height)) STRICT
"""
_INSERT = "INSERT INTO entry (idx, sid, height, id, leaf, salt, raw) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SLOW = 2  # batches that are enough for a contender with one commit an entry
_STREAM = "bench"


class Kind(msgspec.Struct, frozen=True):
    """One fact to append, and the size of the entry it becomes."""

    name: str
    fact: Fact
    size: int


class Contender(msgspec.Struct, frozen=True):
    """Appends so many entries in a fresh folder; answers the seconds it took."""

    run: Callable[[Path, Kind, int], float]
    batches: int


def _drafts(kind: Kind, count: int) -> list[Draft]:
    ids = SystemIds(SystemClock())
    return [Draft(kind.fact, ids.mint()) for _ in range(count)]


def _whole_batches(folder: Path, kind: Kind, count: int) -> float:
    drafts = _drafts(kind, count)
    with new_ledger(folder, SystemClock(), BATCH) as ledger:

        def work() -> None:
            for start in range(0, count, BATCH):
                ledger.append(_STREAM, ANY, drafts[start : start + BATCH])

        return measured(work).wall


def _single_drafts(folder: Path, kind: Kind, count: int) -> float:
    drafts = _drafts(kind, count)
    with new_ledger(folder, SystemClock(), BATCH) as ledger:

        def work() -> None:
            answers = [ledger.submit(_STREAM, ANY, [draft]) for draft in drafts]
            for answer in answers:
                answer.result()

        return measured(work).wall


def _bare_sqlite(folder: Path, kind: Kind, count: int) -> float:
    ids = SystemIds(SystemClock())
    leaf, salt, raw = os.urandom(33), os.urandom(32), os.urandom(kind.size)
    rows = [(n, 1, n, ids.mint(), leaf, salt, raw) for n in range(count)]
    db = sqlite3.connect(folder / "bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute(_SCHEMA)

    def work() -> None:
        for start in range(0, count, BATCH):
            db.execute("BEGIN IMMEDIATE")
            db.executemany(_INSERT, rows[start : start + BATCH])
            db.execute("COMMIT")

    spent = measured(work).wall
    db.close()
    return spent


def _pymerkle_each(folder: Path, kind: Kind, count: int) -> float:
    raw = os.urandom(kind.size)
    with SqliteTree(str(folder / "pymerkle.db")) as tree:
        return measured(lambda: [tree.append_entry(raw) for _ in range(count)]).wall


def _pymerkle_batches(folder: Path, kind: Kind, count: int) -> float:
    raws = [os.urandom(kind.size)] * BATCH
    with SqliteTree(str(folder / "pymerkle.db")) as tree:
        return measured(
            lambda: [tree.append_entries(raws) for _ in range(count // BATCH)],
        ).wall


def _kinds(folder: Path) -> list[Kind]:
    """Facts of two sizes; the size of the stored entry is read back from a real ledger."""
    facts: list[tuple[str, Fact]] = [
        ("question asked", QuestionAsked(question="q-000001", text="工期是否含雨季？" * 4)),
        ("envelope received", EnvelopeReceived(prefix=os.urandom(418).hex())),
    ]
    kinds = []
    with new_ledger(folder, SystemClock(), BATCH) as ledger:
        for name, fact in facts:
            kind = Kind(name, fact, 0)
            ledger.append(_STREAM, ANY, _drafts(kind, 1))
            *_, last = ledger.records()
            kinds.append(Kind(f"{name}, {len(last.raw)} B", fact, len(last.raw)))
    return kinds


def run(folder: Path, sizes: Sizes) -> None:
    contenders = {
        "whole": Contender(_whole_batches, sizes.batches),
        "single": Contender(_single_drafts, sizes.batches),
        "bare": Contender(_bare_sqlite, sizes.batches),
        "each": Contender(_pymerkle_each, _SLOW),
        "many": Contender(_pymerkle_batches, sizes.batches),
    }
    kinds = _kinds(folder / "sizes")
    rows: list[Row] = []
    with progress() as bar:
        task = bar.add_task("append", total=sizes.rounds * len(kinds) * len(contenders))
        for kind in kinds:
            speeds: dict[str, list[float]] = {name: [] for name in contenders}
            for turn in range(sizes.rounds):
                for name, contender in contenders.items():
                    place = folder / f"{name}-{kind.size}-{turn}"
                    place.mkdir()
                    count = contender.batches * BATCH
                    speeds[name].append(count / contender.run(place, kind, count))
                    advance(bar, task)
            rows += _rows(kind, speeds)
    show("1  持久追加 durable append, 256 a batch, SQLite (medians; ratios within a round)", rows)


def _rows(kind: Kind, speeds: dict[str, list[float]]) -> list[Row]:
    """Ratios are taken inside each round, where the disk was as busy for both."""

    def against(own: str, other: str) -> float:
        return median([a / b for a, b in zip(speeds[own], speeds[other], strict=True)])

    middle = {name: rate(median(found)) for name, found in speeds.items()}
    rows = []
    for own, what in (("whole", "requests of 256"), ("single", "256 single submits")):
        name, figure = f"{what} ({kind.name})", middle[own]
        each, bare = against(own, "each"), against(own, "bare")
        met = median(speeds[own]) >= 20_000
        rows += [
            Row(name, figure, aim="≥ 20,000 /s", met=met),
            Row(
                name, figure, "pymerkle, a commit each", middle["each"], each, "≥ 100x", each >= 100
            ),
            Row(
                name,
                figure,
                "bare SQLite, 256 a commit",
                middle["bare"],
                bare,
                "≥ 0.50x",
                bare >= 0.5,
            ),
        ]
    many, name = against("whole", "many"), f"requests of 256 ({kind.name})"
    return [*rows, Row(name, middle["whole"], "pymerkle, 256 a commit", middle["many"], many)]
