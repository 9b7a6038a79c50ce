"""Inclusion proofs and receipts: made and checked, beside pymerkle and the bare signatures."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.ledgers import Institutions, new_ledger
from bench.table import Row, Sizes, advance, amount, measured, median, progress, rate, show
from pymerkle import InmemoryTree, verify_inclusion

from trading.facts.bidding import EnvelopeReceived
from trading.kernel.ids import SystemIds
from trading.kernel.instant import SystemClock
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.entry import leaf_hash
from trading.ledger.note import Note
from trading.ledger.policy import Policy
from trading.ledger.port import ANY, Draft
from trading.ledger.receipt import check_receipt, write_receipt
from trading.ledger.tree import Tree, check_inclusion

_PROOFS = 4000
_PEER_PROOFS = 400
_STRIDE = 611_953  # prime: visits leaves all over the tree, the same ones in every run
_ENTRIES = 2000
_RECEIPTS = 50


def _alternated(rounds: int, works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each, taken in turns."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(measured(work).wall)
    return {name: median(times) for name, times in found.items()}


def _indices(size: int, count: int) -> list[int]:
    return [n * _STRIDE % size for n in range(count)]


def _tree_rows(size: int, rounds: int) -> Iterator[Row]:
    tree, peer = Tree(), InmemoryTree()
    entries = [n.to_bytes(33, "big") for n in range(size)]
    for entry in entries:
        tree.append(leaf_hash(entry))
    peer.append_entries(entries)
    root, many, few = tree.root(), _indices(size, _PROOFS), _indices(size, _PEER_PROOFS)
    paths = [tree.inclusion(index, size) for index in many]
    theirs = [peer.prove_inclusion(index + 1, size) for index in few]
    state = peer.get_root()
    if state != root:
        raise SystemExit("the two trees differ")

    def check() -> None:
        for index, path in zip(many, paths, strict=True):
            check_inclusion(tree.leaf(index), index, size, path, root)

    def peer_check() -> None:
        for index, proof in zip(few, theirs, strict=True):
            verify_inclusion(peer.get_leaf(index + 1), state, proof)

    works: dict[str, Callable[[], object]] = {
        "make": lambda: [tree.inclusion(index, size) for index in many],
        "peer make": lambda: [peer.prove_inclusion(index + 1, size) for index in few],
        "check": check,
        "peer check": peer_check,
    }
    spent = _alternated(rounds, works)
    for name, what in (("make", "generated"), ("check", "verified")):
        own, other = _PROOFS / spent[name], _PEER_PROOFS / spent[f"peer {name}"]
        aim, met = "≥ 20,000 /s", own >= 20_000
        title = f"inclusion proofs {what}, {size:,} leaves"
        yield Row(title, rate(own), "pymerkle, in memory", rate(other), own / other, aim, met)


def _receipt(folder: Path) -> tuple[str, Policy]:
    """A receipt of an entry in the middle of a ledger, under two witnesses."""
    clock = SystemClock()
    institutions, ids = Institutions(folder, clock), SystemIds(clock)
    with new_ledger(folder, clock, _ENTRIES, institutions.keys) as ledger:
        fact = EnvelopeReceived(prefix=os.urandom(418).hex())
        ledger.append("bench", ANY, [Draft(fact, ids.mint()) for _ in range(_ENTRIES)])
        note = institutions.publisher(ledger).publish().note
        index = _ENTRIES // 3
        record = next(ledger.records(index, index + 1))
        size = Checkpoint.parse(Note.parse(note).text).size
        path = ledger.inclusion(index, size)
    return write_receipt(index, path, note, record.salt + record.raw), institutions.policy


def _receipt_row(folder: Path, rounds: int) -> Row:
    text, policy = _receipt(folder)
    parsed = Note.parse(check_receipt(text, policy).witnessed.note)
    keys = [*policy.logs, *policy.witnesses.values()]
    pairs = [(key, line) for key in keys for line in parsed.signatures if key.signed(line)]

    def bare() -> None:
        for _ in range(_RECEIPTS):
            for key, line in pairs:
                key.check(line, parsed.text)

    spent = _alternated(
        rounds,
        {"own": lambda: [check_receipt(text, policy) for _ in range(_RECEIPTS)], "bare": bare},
    )
    own, limit = spent["own"] / _RECEIPTS, spent["bare"] / _RECEIPTS
    return Row(
        f"receipt of {len(text):,} bytes verified offline",
        amount(own),
        "its signatures alone",
        amount(limit),
        own / limit,
        "≤ 50 ms",
        own <= 0.05,
    )


def run(folder: Path, sizes: Sizes) -> None:
    rows: list[Row] = []
    with progress() as bar:
        steps = [partial(_tree_rows, size, sizes.rounds) for size in sizes.leaves]
        task = bar.add_task("proofs", total=len(steps) + 1)
        for step in steps:
            rows += step()
            advance(bar, task)
        rows.append(_receipt_row(folder, sizes.rounds))
    show("2  包含证明与回执 inclusion proofs and receipts (medians)", rows)
