"""What can be verified: an export, or the data folder of a running centre, read as one archive.

Only reading and form are here; what the records mean is for trading/audit.py.
"""

import base64
import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, Protocol

import msgspec

from trading.kernel.canonical import canonical
from trading.kernel.errors import CheckpointBroken, EntryBroken, FileBroken, InputUnusable
from trading.kernel.files import read_chunks
from trading.ledger.chain import Chain, read_line
from trading.ledger.checkpoint import verify_log_signature
from trading.ledger.entry import Stamp, read_entry
from trading.ledger.fact import Fact
from trading.ledger.note import Note
from trading.ledger.port import Record
from trading.ledger.signature import VerifierKey
from trading.ledger.store_sqlite import SCHEMA
from trading.ledger.tiles import WIDTH, bundle, entries_path, tile_files
from trading.ledger.tree import Tree

__all__ = ["Archive", "ExportManifest", "open_archive"]

ENTRIES = "entries.jsonl"
MANIFEST = "manifest.json"
POLICY = "policy.txt"
CHARTER = "charter.txt"
RELEASES = "ocds/releases.json"
CHECKPOINTS = "checkpoints"
ENVELOPES = "envelopes"
DATABASE = "ledger.db"
_FILES = {ENTRIES, POLICY, CHARTER, RELEASES}
_FOLDERS = (f"{CHECKPOINTS}/", f"{ENVELOPES}/", "tile/")


class ExportManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every file of an export but this one, by its path."""

    files: dict[str, str]
    origin: str
    published: str
    size: int
    v: int = 1


class Archive(Protocol):
    """Must read in constant memory; raises Broken when its form is wrong."""

    has_releases: bool

    def check_files(self) -> int:
        """Every file (or row) is whole; how many there are."""
        ...

    def records(self) -> Iterator[Record]: ...

    def notes(self) -> Iterator[str]: ...

    def policy(self) -> str: ...

    def charter(self) -> str: ...

    def check_head(self, size: int, root: bytes, logs: list[VerifierKey]) -> None:
        """What the archive says of its own newest state is so."""
        ...

    def envelope(self, eid: str) -> Iterator[bytes]: ...

    def envelopes(self) -> set[str]: ...

    def check_tiles(self, tree: Tree, leaves: list[bytes]) -> None: ...

    def releases(self) -> bytes: ...

    def check_published(self, at: datetime) -> None:
        """The archive dates itself by its last entry."""
        ...

    def close(self) -> None: ...


def read_streams(path: Path) -> dict[str, list[tuple[Fact, Stamp]]]:
    """All streams of an export or a data folder, chained but not verified."""
    streams: dict[str, list[tuple[Fact, Stamp]]] = defaultdict(list)
    with open_archive(path) as archive:
        chain = Chain()
        for link in filter(None, map(chain.add, archive.records())):
            streams[link.stamp.stream].append((link.fact, link.stamp))
    return streams


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """InputUnusable unless the path is an export or a data folder."""
    archive: Archive
    if (path / MANIFEST).is_file():
        archive = _Export(path)
    elif (path / DATABASE).is_file():
        archive = _CentreFolder(path)
    else:
        exists = path.exists()
        _unusable(path, "既非导出也非数据目录 / neither" if exists else "不存在 / not there")
    try:
        yield archive
    finally:
        archive.close()


def _unusable(path: Path, problem: str) -> NoReturn:
    raise InputUnusable(path=path, problem=problem)


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = path

    def close(self) -> None:
        """Files are closed where they are read."""

    def policy(self) -> str:
        return self._text(POLICY)

    def charter(self) -> str:
        return self._text(CHARTER)

    def envelope(self, eid: str) -> Iterator[bytes]:
        path = self._path / ENVELOPES / f"{eid}.kfe"
        if not path.is_file():
            raise FileBroken(path=f"{ENVELOPES}/{eid}.kfe", problem="缺失 / missing")
        return read_chunks(path)

    def envelopes(self) -> set[str]:
        folder = self._path / ENVELOPES
        return {path.name.removesuffix(".kfe") for path in folder.glob("*")}

    def _text(self, name: str) -> str:
        try:
            return self._bytes(name).decode()
        except UnicodeDecodeError as error:
            raise FileBroken(path=name, problem=error) from error

    def _bytes(self, name: str) -> bytes:
        try:
            return (self._path / name).read_bytes()
        except PermissionError:
            raise  # not the archive's fault
        except OSError as error:
            raise FileBroken(path=name, problem=error) from error


class _Export(_Folder):
    has_releases = True

    def check_files(self) -> int:
        manifest = self._manifest()
        found = {
            str(path.relative_to(self._path))
            for path in self._path.rglob("*")
            if path.is_symlink() or not path.is_dir()
        } - {MANIFEST}
        for name in sorted(found ^ set(manifest.files)):
            problem = "未列入清单 / not listed" if name in found else "缺失 / missing"
            raise FileBroken(path=name, problem=problem)
        for name in sorted(found):
            if name not in _FILES and not name.startswith(_FOLDERS):
                raise FileBroken(path=name, problem="不属于导出 / no part of an export")
        for name, digest in sorted(manifest.files.items()):
            path = self._path / name
            if path.is_symlink() or not path.is_file() or _digest(path) != digest:
                self._name_entry(name)
                raise FileBroken(path=name, problem="与清单摘要不符 / differs from its digest")
        return len(found) + 1

    def records(self) -> Iterator[Record]:
        with (self._path / ENTRIES).open("rb") as file:
            for index, line in enumerate(file):
                yield read_line(line, index)

    def notes(self) -> Iterator[str]:
        for number, path in enumerate(sorted((self._path / CHECKPOINTS).iterdir()), 1):
            if path.name != f"{number:06d}":
                raise FileBroken(path=f"{CHECKPOINTS}/{path.name}", problem="编号不连续 / a gap")
            yield self._text(f"{CHECKPOINTS}/{path.name}")

    def check_head(self, size: int, root: bytes, logs: list[VerifierKey]) -> None:
        manifest = self._manifest()
        if (manifest.size, manifest.origin, manifest.v) != (size, logs[0].name, 1):
            raise FileBroken(path=MANIFEST, problem="规模或名称不符 / size or origin")

    def check_tiles(self, tree: Tree, leaves: list[bytes]) -> None:
        expected = dict(tile_files(tree))
        for start in range(0, len(leaves), WIDTH):
            part = leaves[start : start + WIDTH]
            expected[entries_path(start // WIDTH, len(part))] = bundle(part)
        listed = {name for name in self._manifest().files if name.startswith("tile/")}
        for name in sorted(listed ^ set(expected)):
            raise FileBroken(path=name, problem="瓦片多余或缺失 / tile too many or missing")
        for name, content in expected.items():
            if self._bytes(name) != content:
                raise FileBroken(path=name, problem="与记录不符 / differs from the entries")

    def releases(self) -> bytes:
        return self._bytes(RELEASES)

    def check_published(self, at: datetime) -> None:
        if self._manifest().published != at.isoformat():
            raise FileBroken(path=MANIFEST, problem="时间不符 / published")

    def _manifest(self) -> ExportManifest:
        try:
            raw = (self._path / MANIFEST).read_bytes()
            manifest = msgspec.json.decode(raw, type=ExportManifest)
        except (OSError, msgspec.MsgspecError) as error:
            raise FileBroken(path=MANIFEST, problem=error) from error
        if canonical(manifest) + b"\n" != raw:
            raise FileBroken(path=MANIFEST, problem="不是规范写法 / not in its one spelling")
        return manifest

    def _name_entry(self, name: str) -> None:
        """When the entries were changed, say which: the first line that no longer fits."""
        if name == ENTRIES:
            chain = Chain()
            for record in self.records():
                chain.add(record)


class _CentreFolder(_Folder):
    """The rows of the embedded store, read without taking part in it."""

    has_releases = False

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._db = sqlite3.connect(f"file:{path / DATABASE}?mode=ro", uri=True)
            self._db.execute("BEGIN")  # one snapshot, while the centre goes on writing
            self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise FileBroken(path=DATABASE, problem=error) from error

    def close(self) -> None:
        self._db.close()

    def check_files(self) -> int:
        names: dict[int, str] = dict(self._rows("SELECT sid, name FROM stream"))
        sql = "SELECT idx, sid, height, id, raw FROM entry ORDER BY idx"
        count = 0
        for position, (index, sid, height, key, raw) in enumerate(self._rows(sql)):
            if index != position:
                raise EntryBroken(index=position, problem="缺失 / missing")
            count += 1
            if not raw:
                continue
            entry = read_entry(raw, index)
            if (entry.stream, entry.height, entry.id) != (names.get(sid), height, key):
                raise EntryBroken(index=index, problem="索引列与记录不符 / columns differ")
        self._check_head(count)
        return count

    def records(self) -> Iterator[Record]:
        sql = "SELECT idx, leaf, salt, raw FROM entry ORDER BY idx"
        for index, leaf, salt, raw in self._rows(sql):
            yield Record(index, leaf, salt or b"", raw or b"")

    def notes(self) -> Iterator[str]:
        rows = self._rows("SELECT n, size, note FROM cosigned ORDER BY n")
        for expected, (number, size, note) in enumerate(rows, 1):
            lines = note.split("\n")
            if number != expected or len(lines) < 3 or lines[1] != str(size):
                raise FileBroken(
                    path=f"{DATABASE}: cosigned {expected}", problem="编号或大小 / number or size"
                )
            yield note

    def check_head(self, size: int, root: bytes, logs: list[VerifierKey]) -> None:
        """The newest head is signed by the log alone until the witnesses have seen it."""
        for (note,) in self._rows("SELECT note FROM head"):
            head = verify_log_signature(Note.parse(note), logs)
            if (head.size, head.root) != (size, root):
                raise CheckpointBroken(size=head.size, problem="与记录不符 / not of these entries")

    def check_tiles(self, tree: Tree, leaves: list[bytes]) -> None:
        """A data folder keeps no tiles; its tables and pages are looked at instead."""
        self._check_schema()

    def releases(self) -> bytes:
        return b""

    def check_published(self, at: datetime) -> None:
        """Nothing is published from a centre's own folder."""

    def _check_head(self, count: int) -> None:
        rows = list(self._rows("SELECT size, root, at, note FROM head"))
        if len(rows) != (1 if count else 0):
            raise FileBroken(path=f"{DATABASE}: head", problem="缺失 / missing")
        for size, root, at, note in rows:
            if size != count:
                raise EntryBroken(index=min(size, count), problem="头部与行数不符 / head, rows")
            lines = note.split("\n")
            last = next(self._rows("SELECT raw FROM entry ORDER BY idx DESC LIMIT 1"))[0]
            at_matches = not last or read_entry(last, size - 1).at.isoformat() == at
            signed = [str(size), base64.b64encode(root).decode()]
            if lines[1:3] != signed or not at_matches:
                raise FileBroken(
                    path=f"{DATABASE}: head", problem="与记录不符 / differs from the entries"
                )

    def _check_schema(self) -> None:
        """Tables and triggers are those that the store makes, nothing more or less."""
        fresh = sqlite3.connect(":memory:")
        fresh.executescript(SCHEMA)
        listing = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        expected, found = list(fresh.execute(listing)), list(self._rows(listing))
        fresh.close()
        for row in expected + found:
            if (row in expected) != (row in found):
                raise FileBroken(path=f"{DATABASE}: {row[1]}", problem="表结构被改 / schema")
        for (verdict,) in self._rows("PRAGMA integrity_check"):
            if verdict != "ok":
                raise FileBroken(path=DATABASE, problem=verdict)

    def _rows(self, sql: str) -> "_Rows":
        return _Rows(self._db, sql)


class _Rows:
    """The rows of a query; a damaged page is FileBroken at the row that needs it."""

    def __init__(self, db: sqlite3.Connection, sql: str) -> None:
        try:
            self._cursor = db.execute(sql)
        except sqlite3.Error as error:
            raise FileBroken(path=DATABASE, problem=error) from error

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        try:
            row: tuple[Any, ...] = next(self._cursor)
        except sqlite3.Error as error:
            raise FileBroken(path=DATABASE, problem=error) from error
        return row


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for chunk in read_chunks(path):
        digest.update(chunk)
    return digest.hexdigest()
