"""A database administrator edits one thing; verification turns red and names it.

Every case is run against a copy of one finished tender, as an export and as a live data folder.
The administrator may recompute the manifest; nobody can recompute a witness.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import AStory
from centre import TestCentre

from trading.audit import Audit
from trading.kernel.errors import Broken, Refusal
from trading.ledger.archive import open_archive
from trading.ledger.chain import read_line, write_line
from trading.ledger.entry import leaf_data
from trading.ledger.port import Record

Edit = Callable[[Path], None]


class Finished:
    """One tender from notice to contract, with a refusal, a question and an erased contact."""

    def __init__(self, folder: Path) -> None:
        self.centre = TestCentre(folder)
        index = self.centre.registrar.describe(self.centre.owner, "张三 13800000000")
        story = AStory(self.centre).bidding()
        self.centre.purchaser.ask(story.tender, "现场踏勘时间？")
        self.centre.registrar.erase(index, "本人要求")
        story.with_three()
        with pytest.raises(Refusal):
            self.centre.bidder.hand_in(story.tender, [b"%PDF-1.7 not sealed" + bytes(500)])
        story.closed().shared().opened().ranked().publicised().awarded().contracted()
        self.story = story
        self.export = self.centre.export()
        self.centre.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return Finished(tmp_path_factory.mktemp("finished"))


def verify(finished: Finished, path: Path) -> None:
    with open_archive(path) as archive:
        Audit(archive, finished.centre.policy).run(lambda _: None)


def index_of(path: Path, tag: str) -> int:
    lines = (path / "entries.jsonl").read_bytes().splitlines(keepends=True)
    return next(i for i, line in enumerate(lines) if f'"type":"{tag}"'.encode() in line)


def rewrite(path: Path, index: int, change: Callable[[bytes], bytes], *, releaf: bool) -> None:
    """Change one entry; with `releaf` the administrator recomputes its leaf as well."""
    file = path / "entries.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    old = read_line(lines[index], index)
    raw = change(old.raw)
    assert raw != old.raw
    leaf = leaf_data(old.salt, raw) if releaf else old.leaf
    lines[index] = write_line(Record(index, leaf, old.salt, raw))
    file.write_bytes(b"".join(lines))


def relist(path: Path) -> None:
    """Recompute the manifest, as somebody who may write files would."""
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"] = {
        str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(path.rglob("*"))
        if p.is_file() and p.name != "manifest.json"
    }
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (path / "manifest.json").write_text(text + "\n")


FIELDS = [
    ("tender.drafted/1", "某县交通局", "某县水利局"),
    ("tender.drafted/1", "lowest-reviewed-price", "government-price-score"),
    ("tender.published/1", "2026-03-27", "2026-03-28"),
    ("committee.formed/1", '"threshold":3', '"threshold":2'),
    ("question.asked/1", "踏勘", "开标"),
    ("envelope.received/1", "4b464531", "4b464532"),
    ("envelope.refused/1", "KF-301", "KF-302"),
    ("bidding.closed/1", '"envelopes":["', '"envelopes":["00'),
    ("share.given/1", '"trustee":1', '"trustee":2'),
    ("envelope.opened/1", '"price":', '"price":1'),
    ("envelope.opened/1", "公司", "集团"),
    ("opening.recorded/1", '"opened":3', '"opened":2'),
    ("candidates.recommended/1", '"rank":1', '"rank":2'),
    ("award.decided/1", '"ground":""', '"ground":"x"'),
    ("contract.signed/1", '"amount":', '"amount":9'),
    ("party.enrolled/1", '"name":"owner"', '"name":"other"'),
    ("entry.erased/1", '"index":', '"index":1'),
]


@pytest.mark.parametrize(("tag", "old", "new"), FIELDS)
@pytest.mark.parametrize("releaf", [False, True], ids=["entry", "entry-and-leaf"])
def test_a_changed_field_names_its_entry(
    finished: Finished, tmp_path: Path, tag: str, old: str, new: str, releaf: bool
) -> None:
    copy = shutil.copytree(finished.export, tmp_path / "copy")
    index = index_of(copy, tag)
    rewrite(copy, index, lambda raw: raw.replace(old.encode(), new.encode(), 1), releaf=releaf)
    relist(copy)
    with pytest.raises(Broken) as broken:
        verify(finished, copy)
    named = broken.value.facts.get("index")
    # With its leaf recomputed, the entry no longer fits the chain of whoever follows it, or a root.
    if releaf:
        assert named is None or int(str(named)) >= index or tag == "entry.erased/1"
    else:
        assert named == index


def _entries(change: Callable[[list[bytes]], list[bytes]]) -> Edit:
    def edit(path: Path) -> None:
        file = path / "entries.jsonl"
        file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
        relist(path)

    return edit


def _file(pattern: str, change: Callable[[bytes], bytes], *, listed: bool = True) -> Edit:
    def edit(path: Path) -> None:
        file = min(path.glob(pattern))
        file.write_bytes(change(file.read_bytes()))
        if listed:
            relist(path)

    return edit


def _drop(pattern: str, which: int = 0) -> Edit:
    def edit(path: Path) -> None:
        sorted(path.glob(pattern))[which].unlink()
        relist(path)

    return edit


def _add(name: str, content: bytes) -> Edit:
    def edit(path: Path) -> None:
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(content)
        relist(path)

    return edit


def _flip(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _swap_checkpoints(path: Path) -> None:
    first, second = sorted((path / "checkpoints").iterdir())[:2]
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)
    relist(path)


def _strip_witness(data: bytes) -> bytes:
    lines = data.decode().split("\n")
    return "\n".join([line for line in lines if "w1.example" not in line]).encode()


EXPORT_EDITS: dict[str, Edit] = {
    "last entry deleted": _entries(lambda lines: lines[:-1]),
    "first entry deleted": _entries(lambda lines: lines[1:]),
    "entry in the middle deleted": _entries(lambda lines: lines[:9] + lines[10:]),
    "entry repeated": _entries(lambda lines: [*lines[:9], lines[8], *lines[9:]]),
    "entries swapped": _entries(lambda lines: [*lines[:7], lines[8], lines[7], *lines[9:]]),
    "entry appended": _entries(lambda lines: [*lines, lines[-1]]),
    "all entries deleted": _entries(lambda _: []),
    "entry hidden as erased": _entries(
        lambda lines: [
            *lines[:8],
            write_line(Record(8, read_line(lines[8], 8).leaf, b"", b"")),
            *lines[9:],
        ]
    ),
    "salt changed": _entries(
        lambda lines: [
            *lines[:8],
            write_line(Record(8, (r := read_line(lines[8], 8)).leaf, bytes(32), r.raw)),
            *lines[9:],
        ]
    ),
    "blank line": _entries(lambda lines: [*lines, b"\n"]),
    "envelope prefix": _file("envelopes/*", _flip(200)),
    "envelope body": _file("envelopes/*", _flip(60_000)),
    "envelope cut": _file("envelopes/*", lambda data: data[:-1]),
    "envelope missing": _drop("envelopes/*"),
    "envelope added": _add("envelopes/" + "0" * 64 + ".kfe", b"KFE1"),
    "release price": _file("ocds/*", lambda data: data.replace(b"98000", b"97000")),
    "release gone": _drop("ocds/*"),
    "tile": _file("tile/0/*/*", _flip(5)),
    "tile missing": _drop("tile/0/*/*"),
    "tile added": _add("tile/9/000", bytes(8192)),
    "bundle": _file("tile/entries/*/*", _flip(5)),
    "checkpoint root": _file("checkpoints/*", _flip(40)),
    "checkpoint without a witness": _file("checkpoints/*", _strip_witness),
    "newest checkpoint deleted": _drop("checkpoints/*", -1),
    "checkpoints swapped": _swap_checkpoints,
    "checkpoint with another line": _file("checkpoints/*", lambda data: data + b"x"),
    "manifest": _file("manifest.json", _flip(30), listed=False),
    "manifest spacing": _file("manifest.json", lambda data: data + b" ", listed=False),
    "stray file": _add("note.txt", b"hello"),
    "unlisted byte": _file("policy.txt", lambda data: data + b"#", listed=False),
}


@pytest.mark.parametrize("name", EXPORT_EDITS)
def test_an_edited_export_is_red(finished: Finished, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(finished.export, tmp_path / "copy")
    EXPORT_EDITS[name](copy)
    with pytest.raises(Broken) as broken:
        verify(finished, copy)
    assert broken.value.code.startswith("KF-6")
    assert broken.value.facts


def _sql(*statements: str) -> Edit:
    def edit(path: Path) -> None:
        with sqlite3.connect(path / "ledger.db") as db:
            for (trigger,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                db.execute(f"DROP TRIGGER {trigger}")
            for statement in statements:
                db.execute(statement)
        db.close()

    return edit


ROW_EDITS: dict[str, Edit] = {
    "raw": _sql("UPDATE entry SET raw = CAST(replace(raw, 'T', 't') AS BLOB) WHERE idx = 6"),
    "salt": _sql("UPDATE entry SET salt = zeroblob(32) WHERE idx = 6"),
    "leaf": _sql("UPDATE entry SET leaf = zeroblob(33) WHERE idx = 6"),
    "row deleted": _sql("DELETE FROM entry WHERE idx = 6"),
    "last row deleted": _sql("DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)"),
    "tail and head": _sql(
        "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
        "UPDATE head SET size = size - 1",
    ),
    "hidden as erased": _sql("UPDATE entry SET raw = NULL, salt = NULL WHERE idx = 6"),
    "id column": _sql("UPDATE entry SET id = 'x' WHERE idx = 6"),
    "height column": _sql("UPDATE entry SET height = 999 WHERE idx = 6"),
    "stream column": _sql("UPDATE entry SET sid = 1 - sid + 100 WHERE idx = 6"),
    "stream renamed": _sql("UPDATE stream SET name = 'tender:x' WHERE name LIKE 'tender:%'"),
    "head root": _sql("UPDATE head SET root = zeroblob(32)"),
    "head time": _sql("UPDATE head SET at = '2026-01-01T00:00:00+00:00'"),
    "head note": _sql("UPDATE head SET note = replace(note, 'kaifeng', 'kaifenq')"),
    "head deleted": _sql("DELETE FROM head"),
    "checkpoint note": _sql("UPDATE cosigned SET note = replace(note, '\n', '\n\n') WHERE n = 2"),
    "trigger dropped": _sql(),
    "stray table": _sql("CREATE TABLE x (y TEXT)"),
    "all checkpoints deleted": _sql("DELETE FROM cosigned"),
    "newest checkpoints deleted": _sql("DELETE FROM cosigned WHERE n > 1 AND n < 4"),
    "checkpoint size": _sql("UPDATE cosigned SET size = 3 WHERE n = 4"),
}


@pytest.mark.parametrize("name", ROW_EDITS)
def test_an_edited_row_is_red(finished: Finished, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(finished.centre.data, tmp_path / "copy")
    ROW_EDITS[name](copy)
    with pytest.raises(Broken) as broken:
        verify(finished, copy)
    assert broken.value.code.startswith("KF-6")
    if "row" in name or "column" in name or name in ("raw", "salt", "leaf", "hidden as erased"):
        assert "index" in broken.value.facts or "size" in broken.value.facts


def test_the_unedited_copies_are_green(finished: Finished, tmp_path: Path) -> None:
    """The negative control of every case above."""
    verify(finished, shutil.copytree(finished.export, tmp_path / "export"))
    verify(finished, shutil.copytree(finished.centre.data, tmp_path / "data"))


def test_every_byte_of_every_file_is_covered(finished: Finished, tmp_path: Path) -> None:
    """One changed byte in each file, at its start, middle and end, with the manifest as it was."""
    copy = shutil.copytree(finished.export, tmp_path / "copy")
    for path in sorted(p for p in copy.rglob("*") if p.is_file()):
        data = path.read_bytes()
        for place in {0, len(data) // 2, len(data) - 1}:
            path.write_bytes(_flip(place)(data))
            with pytest.raises(Broken):
                verify(finished, copy)
        path.write_bytes(data)
    verify(finished, copy)
