"""导出 an export: all that a stranger needs to verify the ledger offline, as plain files.

Entries in the order of the ledger, cosigned checkpoints, tiles, envelopes of closed tenders, OCDS
releases, the trust policy, and a manifest over every file.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from trading.facts.bidding import BiddingClosed
from trading.kernel.canonical import canonical
from trading.kernel.errors import FileUnreadable
from trading.kernel.files import durable_write, read_chunks
from trading.kernel.objects import Objects
from trading.ledger.archive import (
    CHARTER,
    CHECKPOINTS,
    ENTRIES,
    ENVELOPES,
    MANIFEST,
    POLICY,
    RELEASES,
    ExportManifest,
)
from trading.ledger.chain import write_line
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.entry import Stamp, leaf_hash, read_entry, stamped
from trading.ledger.fact import Fact
from trading.ledger.note import Note
from trading.ledger.port import Ledger
from trading.ledger.publish import Publisher
from trading.ledger.tiles import bundle, entries_path, tile_files
from trading.ledger.tree import Tree
from trading.ocds import package, releases

__all__ = ["Trust", "write_export"]

_WIDTH = 256


class Trust(msgspec.Struct, frozen=True):
    """What verifiers rely on, as texts: the trust policy and the trustees' charter."""

    policy: str
    charter: str


def write_export(
    out: Path, ledger: Ledger, publisher: Publisher, trust: Trust, objects: Objects
) -> int:
    """Write to `out`, which must be empty or absent; the number of entries."""
    if out.exists() and any(out.iterdir()):
        raise FileUnreadable(path=out, problem="目录非空 / the folder is not empty")
    head = publisher.publish().checkpoint
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    facts, leaves = _write_entries(partial / ENTRIES, ledger, head.size)
    _write_tiles(partial, leaves)
    for number, note in enumerate(ledger.cosigned(), 1):
        if Checkpoint.parse(Note.parse(note).text).size <= head.size:
            durable_write(partial / CHECKPOINTS / f"{number:06d}", [note.encode()])
    for eid in _published_envelopes(facts):
        durable_write(partial / ENVELOPES / f"{eid}.kfe", objects.chunks(eid))
    published = facts[-1][1].at if facts else publisher.publish().median
    durable_write(partial / RELEASES, [package(releases(facts), published), b"\n"])
    durable_write(partial / POLICY, [trust.policy.encode()])
    durable_write(partial / CHARTER, [trust.charter.encode()])
    manifest = ExportManifest(_digests(partial), head.origin, published.isoformat(), head.size)
    durable_write(partial / MANIFEST, [canonical(manifest), b"\n"])
    if out.exists():
        out.rmdir()
    partial.rename(out)
    return head.size


def _write_entries(
    path: Path, ledger: Ledger, size: int
) -> tuple[list[tuple[Fact, Stamp]], list[bytes]]:
    facts: list[tuple[Fact, Stamp]] = []
    leaves: list[bytes] = []

    def lines() -> Iterator[bytes]:
        for record in ledger.records(0, size):
            leaves.append(record.leaf)
            if record.raw:
                entry = read_entry(record.raw, record.index)
                facts.append(stamped(entry, record.index, leaf_hash(record.leaf)))
            yield write_line(record)

    durable_write(path, lines())
    return facts, leaves


def _write_tiles(folder: Path, leaves: list[bytes]) -> None:
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
    for name, content in tile_files(tree):
        durable_write(folder / name, [content])
    for start in range(0, len(leaves), _WIDTH):
        part = leaves[start : start + _WIDTH]
        durable_write(folder / entries_path(start // _WIDTH, len(part)), [bundle(part)])


def _published_envelopes(facts: Iterable[tuple[Fact, Stamp]]) -> list[str]:
    """Envelopes that counted at a closing. Withdrawn and replaced ones stay sealed for ever."""
    return [eid for fact, _ in facts if isinstance(fact, BiddingClosed) for eid in fact.envelopes]


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256()
            for chunk in read_chunks(path):
                digest.update(chunk)
            found[str(path.relative_to(folder))] = digest.hexdigest()
    return found
