"""Vectors of other projects: RFC 6962 proofs, a Tessera log, the signed-note example."""

import base64
import json
from pathlib import Path

import pytest

from trading.kernel.errors import Broken, ProofBroken
from trading.ledger.checkpoint import Checkpoint, verify_log_signature
from trading.ledger.entry import leaf_hash
from trading.ledger.note import Note
from trading.ledger.signature import VerifierKey
from trading.ledger.tiles import bundle, entries_path, split_bundle, tile_files
from trading.ledger.tree import EMPTY_ROOT, Tree, check_consistency, check_inclusion

TESSERA = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
RFC6962_LEAVES = [b"", b"\0", b"\x10", b" !", b"01", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
RFC6962_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text) if text else b""


def _refuses(check: object, *arguments: object) -> bool:
    try:
        check(*arguments)  # type: ignore[operator]
    except ProofBroken:
        return True
    return False


def test_every_inclusion_vector(shared) -> None:
    files = sorted(shared("vectors", "ledger", "merkle", "inclusion").rglob("*.json"))
    wrong = []
    for path in files:
        v = json.loads(path.read_text())
        proof = [_bytes(item) for item in v["proof"] or []]
        refused = _refuses(
            check_inclusion,
            _bytes(v["leafHash"]),
            v["leafIdx"],
            v["treeSize"],
            proof,
            _bytes(v["root"]),
        )
        if refused != v["wantErr"]:
            wrong.append(path.name)
    assert len(files) >= 90
    assert wrong == []


def test_every_consistency_vector(shared) -> None:
    files = sorted(shared("vectors", "ledger", "merkle", "consistency").rglob("*.json"))
    wrong = []
    for path in files:
        v = json.loads(path.read_text())
        proof = [_bytes(item) for item in v["proof"] or []]
        refused = _refuses(
            check_consistency,
            v["size1"],
            v["size2"],
            proof,
            _bytes(v["root1"]),
            _bytes(v["root2"]),
        )
        if refused != v["wantErr"]:
            wrong.append(f"{path.parent.name}/{path.name}")
    assert len(files) >= 90
    assert wrong == []


def test_rfc6962_root_of_eight_leaves() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT
    for leaf in RFC6962_LEAVES:
        tree.append(leaf_hash(leaf))
    assert tree.root().hex() == RFC6962_ROOT


def test_tessera_log_checkpoints_tiles_and_bundles(shared) -> None:
    log: Path = shared("vectors", "ledger", "tessera-testlog", "log")
    key = VerifierKey.parse(TESSERA)
    checked = 0
    for path in sorted(log.glob("checkpoint*")):
        checkpoint = verify_log_signature(Note.parse(path.read_text()), [key])
        tree, entries = Tree(), []
        if checkpoint.size:
            raw = (log / entries_path(0, checkpoint.size)).read_bytes()
            entries = split_bundle(raw)
            assert bundle(entries) == raw
        for entry in entries:
            tree.append(leaf_hash(entry))
        assert tree.root() == checkpoint.root
        for name, content in tile_files(tree):
            assert (log / name).read_bytes() == content
        checked += 1
    assert checked == 17


def test_a_tessera_checkpoint_with_another_root_is_refused(shared) -> None:
    text = shared("vectors", "ledger", "tessera-testlog", "log", "checkpoint.7").read_text()
    other = shared("vectors", "ledger", "tessera-testlog", "log", "checkpoint.8").read_text()
    forged = text.replace(text.split("\n")[2], other.split("\n")[2])
    with pytest.raises(Broken):
        verify_log_signature(Note.parse(forged), [VerifierKey.parse(TESSERA)])


def test_signed_note_example_of_the_specification() -> None:
    note = Note.parse(
        "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2"
        "ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    assert key.check(note.signatures[0], note.text) == 0
    with pytest.raises(Broken):
        key.check(note.signatures[0], note.text + "x\n")


@pytest.mark.parametrize("size", [0, 1, 2, 7, 255, 256, 257, 600])
def test_proofs_of_every_tree_lead_where_they_should(size: int) -> None:
    tree = Tree()
    for number in range(size):
        tree.append(leaf_hash(b"%d" % number))
    for index in range(0, size, 13):
        check_inclusion(tree.leaf(index), index, size, tree.inclusion(index, size), tree.root())
    for old in range(1, size + 1, 17):
        check_consistency(old, size, tree.consistency(old, size), tree.root(old), tree.root())


def test_tile_paths_are_those_of_the_specification() -> None:
    from trading.ledger.tiles import tile_path

    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 0, 70) == "tile/entries/000.p/70"


def test_a_checkpoint_has_exactly_three_lines() -> None:
    root = base64.b64encode(bytes(32)).decode()
    assert Checkpoint.parse(f"log\n7\n{root}\n").size == 7
    for bad in (f"log\n07\n{root}\n", f"log\n7\n{root}\nextension\n", f"\n7\n{root}\n", "log\n7\n"):
        with pytest.raises(Broken):
            Checkpoint.parse(bad)
