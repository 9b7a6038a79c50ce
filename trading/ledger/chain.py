"""Walking a ledger: each record against its leaf, its stream, its time; the tree grows with it.

Trustees, inspectors and `kaifeng verify` all read the ledger through this one walk.
"""

from datetime import datetime

import msgspec

from trading.kernel.errors import EntryBroken
from trading.ledger.entry import (
    GENESIS,
    LASTING,
    PERSONAL,
    SALT,
    Entry,
    Stamp,
    leaf_data,
    leaf_hash,
    read_entry,
    stamped,
)
from trading.ledger.fact import Fact
from trading.ledger.port import Record
from trading.ledger.tree import Tree

__all__ = ["Chain", "Link", "read_line", "write_line"]


class Link(msgspec.Struct, frozen=True):
    """One record that holds."""

    entry: Entry
    fact: Fact
    stamp: Stamp


class _Tip(msgspec.Struct, frozen=True):
    height: int
    leaf: str
    index: int


class Chain:
    """State of the walk; `erased` are the leaves whose preimage is gone, by leaf hash."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.erased: dict[str, int] = {}
        self._tips: dict[str, _Tip] = {}
        self._last: datetime | None = None
        self._keys: set[str] = set()

    def add(self, record: Record) -> Link | None:
        """The next record, or None if it was erased; EntryBroken names what is wrong."""
        index = self.tree.size
        # (1) in its place, with a leaf of the right form
        if record.index != index:
            raise EntryBroken(
                index=index,
                problem=f"此处是第 {record.index} 条记录"
                f" / entry {record.index} stands in its place",
            )
        if len(record.leaf) != 33 or record.leaf[0] not in (LASTING, PERSONAL):
            raise EntryBroken(index=index, problem="叶子不符 / leaf")
        personal = record.leaf[0] == PERSONAL
        leaf = leaf_hash(record.leaf)
        self.tree.append(leaf)
        if not record.raw and not record.salt:
            if not personal:
                raise EntryBroken(index=index, problem="内容缺失 / its content is withheld")
            self.erased[leaf.hex()] = index
            return None
        # (2) salt and entry are what the leaf commits to
        committed = leaf_data(record.salt, record.raw, personal=personal)
        if len(record.salt) != SALT or committed != record.leaf:
            raise EntryBroken(
                index=index, problem="盐或记录与叶子不符 / salt or entry differs from the leaf"
            )
        entry = read_entry(record.raw, index)
        self._follow(entry, index, leaf.hex())
        fact, stamp = stamped(entry, index, leaf)
        if fact.personal != personal:
            raise EntryBroken(index=index, problem="叶子类型 / leaf type")
        return Link(entry, fact, stamp)

    def _follow(self, entry: Entry, index: int, leaf: str) -> None:
        # (3) ledger time never steps back
        if self._last and entry.at < self._last:
            raise EntryBroken(
                index=index, problem="时间早于上一条 / its time lies before the previous entry's"
            )
        self._last = entry.at
        # (4) no id stands twice
        if entry.id in self._keys:
            raise EntryBroken(index=index, problem="编号重复 / its id stands twice")
        self._keys.add(entry.id)
        # (5) the stream's next height, chained to its previous entry
        tip = self._tips.get(entry.stream, _Tip(-1, GENESIS, -1))
        chained = entry.prev == tip.leaf and entry.height == tip.height + 1
        if not chained and not self._bridges(entry, tip):
            raise EntryBroken(
                index=index,
                problem=f"与流 {entry.stream} 不衔接 / it does not continue stream {entry.stream}",
            )
        self._tips[entry.stream] = _Tip(entry.height, leaf, index)

    def _bridges(self, entry: Entry, tip: _Tip) -> bool:
        """The entries between were erased; the chain runs through their leaves."""
        return self.erased.get(entry.prev, -1) > tip.index and entry.height > tip.height + 1


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entry: msgspec.Raw
    index: int
    leaf: str
    salt: str


_LINE = msgspec.json.Decoder(_Line)


def write_line(record: Record) -> bytes:
    """One line of an export: {"entry": ..., "index": n, "leaf": hex, "salt": hex}."""
    entry = record.raw or b"null"
    tail = f',"index":{record.index},"leaf":"{record.leaf.hex()}","salt":"{record.salt.hex()}"}}\n'
    return b'{"entry":' + entry + tail.encode()


def read_line(line: bytes, index: int) -> Record:
    """The record of a line; a line that is not exactly what we write is EntryBroken."""
    try:
        read = _LINE.decode(line)
        raw = b"" if bytes(read.entry) == b"null" else bytes(read.entry)
        record = Record(read.index, bytes.fromhex(read.leaf), bytes.fromhex(read.salt), raw)
    except (msgspec.MsgspecError, ValueError) as error:
        raise EntryBroken(index=index, problem=error) from error
    if write_line(record) != line:
        raise EntryBroken(
            index=index, problem="不是唯一的规范写法 / the line is not in its one spelling"
        )
    return record
