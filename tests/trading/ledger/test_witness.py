"""The witness answers as c2sp.org/tlog-witness says, and is not fooled by a cheating log."""

from pathlib import Path

import pytest

from trading.kernel.instant import FrozenClock
from trading.ledger.checkpoint import Checkpoint, sign_checkpoint
from trading.ledger.entry import leaf_hash
from trading.ledger.note import Note, parse_signature_lines
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.tree import Tree
from trading.ledger.witness import Witness, write_request

ORIGIN = "log.example"


@pytest.fixture
def log() -> NoteKey:
    return NoteKey.generate(ORIGIN, KeyType.ED25519)


@pytest.fixture
def witness(tmp_path: Path, log: NoteKey) -> Witness:
    from centre import START

    keys = [
        NoteKey.generate("w.example", KeyType.COSIGN_MLDSA44),
        NoteKey.generate("w.example", KeyType.COSIGN_ED25519),
    ]
    return Witness(keys, [log.verifier], tmp_path, FrozenClock(START))


def tree_of(*leaves: bytes) -> Tree:
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    return tree


def note_of(log: NoteKey, tree: Tree, origin: str = ORIGIN) -> str:
    return str(sign_checkpoint(Checkpoint(origin, tree.size, tree.root()), [log], 0))


def test_it_cosigns_growth_with_both_keys_and_dates_it(witness: Witness, log: NoteKey) -> None:
    tree = tree_of(b"a", b"b")
    answer = witness.add_checkpoint(write_request(0, [], note_of(log, tree)))
    assert answer.status == 200
    lines = parse_signature_lines(answer.body)
    assert {len(line.signature) for line in lines} == {8 + 2420, 8 + 64}
    tree.append(leaf_hash(b"c"))
    grown = witness.add_checkpoint(write_request(2, tree.consistency(2, 3), note_of(log, tree)))
    assert grown.status == 200
    assert witness.latest(ORIGIN).startswith(f"{ORIGIN}\n3\n")


def test_it_cosigns_the_same_head_again(witness: Witness, log: NoteKey) -> None:
    note = note_of(log, tree_of(b"a"))
    assert witness.add_checkpoint(write_request(0, [], note)).status == 200
    assert witness.add_checkpoint(write_request(1, [], note)).status == 200


def test_a_rewritten_history_is_refused(witness: Witness, log: NoteKey) -> None:
    witness.add_checkpoint(write_request(0, [], note_of(log, tree_of(b"a", b"b"))))
    forged = tree_of(b"a", b"X", b"c")
    proof = tree_of(b"a", b"b", b"c").consistency(2, 3)
    answer = witness.add_checkpoint(write_request(2, proof, note_of(log, forged)))
    assert answer.status == 422
    same_size = witness.add_checkpoint(write_request(2, [], note_of(log, tree_of(b"a", b"X"))))
    assert same_size.status == 422
    assert witness.latest(ORIGIN).startswith(f"{ORIGIN}\n2\n")


def test_a_shrunk_log_learns_the_size_the_witness_has_seen(witness: Witness, log: NoteKey) -> None:
    witness.add_checkpoint(write_request(0, [], note_of(log, tree_of(b"a", b"b", b"c"))))
    answer = witness.add_checkpoint(write_request(0, [], note_of(log, tree_of(b"a"))))
    assert (answer.status, answer.body) == (409, "3\n")


def test_statuses_of_the_specification(witness: Witness, log: NoteKey) -> None:
    tree = tree_of(b"a")
    note = note_of(log, tree)
    stranger = NoteKey.generate("other.example", KeyType.ED25519)
    unsigned = note_of(NoteKey.generate(ORIGIN, KeyType.ED25519), tree)
    spoiled = str(Note.parse(note)).replace(ORIGIN + "\n1", ORIGIN + "\n2")
    empty = str(sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), [log], 0))
    cases = {
        404: write_request(0, [], note_of(stranger, tree, "other.example")),
        403: write_request(0, [], unsigned),
        400: write_request(5, [], note),
        422: write_request(0, [bytes(32)], note),
    }
    assert {s: witness.add_checkpoint(body).status for s, body in cases.items()} == {
        s: s for s in cases
    }
    assert witness.add_checkpoint(write_request(0, [], spoiled)).status == 403
    assert witness.add_checkpoint(write_request(0, [], empty)).status == 422


@pytest.mark.parametrize(
    "body", ["", "old\n\n", "old 01\n\nx", "old 1\nnot-base64\n\nx", "old 0\n\nno note", "old 0"]
)
def test_malformed_requests_are_answered_400(witness: Witness, body: str) -> None:
    assert witness.add_checkpoint(body).status == 400


def test_more_than_63_proof_lines_are_refused(witness: Witness, log: NoteKey) -> None:
    body = write_request(1, [bytes(32)] * 64, note_of(log, tree_of(b"a")))
    assert witness.add_checkpoint(body).status == 400
