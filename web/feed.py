"""公开流 the feed: every entry once, in the order of its commit, as much of it as may be read now.

What an entry says never changes, only whether it is shown. So both of its forms are kept, and a
page is put together from them by the phases of the tenders it is about.
"""

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from trading.disclosure import is_shown, tender_of
from trading.ledger.entry import leaf_hash, read_entry, stamped
from trading.ledger.fact import Fact
from trading.ledger.port import Ledger, Record
from trading.tender import Phase

__all__ = ["PAGE", "Feed", "FeedPages", "Item"]

PAGE = 1000
_KEPT = 4 * PAGE


class Item(msgspec.Struct, frozen=True):
    """One entry, in the order of its commit. Sealed ones show their leaf alone until later."""

    index: int
    leaf: str
    salt: str = ""
    entry: Any = None  # its very bytes, which the leaf commits to


class Feed(msgspec.Struct, frozen=True):
    """`next` is the cursor to go on from; the same as asked when there is nothing new."""

    items: list[Item]
    next: int
    size: int


class _Line(msgspec.Struct, frozen=True):
    """Both forms of an entry; `fact` decides between them, None when it is never shown."""

    hidden: Item
    shown: Item
    tender: str = ""
    fact: Fact | None = None


class FeedPages:
    """`phase_of` a tender, None if there is none by that name; `kept` lines stay in memory."""

    def __init__(
        self, ledger: Ledger, phase_of: Callable[[str], Phase | None], kept: int = _KEPT
    ) -> None:
        self._ledger, self._phase_of, self._most = ledger, phase_of, kept
        self._kept: dict[int, _Line] = {}
        self._lock = threading.Lock()

    def page(self, cursor: int, limit: int) -> Feed:
        """What is behind a cursor never changes place."""
        size = self._ledger.size()
        lines = self._lines(min(cursor, size), min(size, cursor + limit))
        tenders = {line.tender for line in lines if line.tender}
        phases = {tender: self._phase_of(tender) for tender in tenders}
        items = [_told(line, phases.get(line.tender)) for line in lines]
        return Feed(items, cursor + len(items), size)

    def _lines(self, start: int, end: int) -> list[_Line]:
        with self._lock:
            found = {index: self._kept[index] for index in range(start, end) if index in self._kept}
        missing = [index for index in range(start, end) if index not in found]
        if missing:
            for record in self._ledger.records(missing[0], missing[-1] + 1):
                found[record.index] = self._keep(_line(record))
        return [found[index] for index in range(start, end)]

    def _keep(self, line: _Line) -> _Line:
        with self._lock:
            self._kept[line.hidden.index] = line
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return line


def _line(record: Record) -> _Line:
    """Personal facts are never kept: they may be erased."""
    hidden = Item(record.index, record.leaf.hex())
    if not record.raw:
        return _Line(hidden, hidden)
    entry = read_entry(record.raw, record.index)
    fact, _ = stamped(entry, record.index, leaf_hash(record.leaf))
    if fact.personal:
        return _Line(hidden, hidden)
    shown = Item(record.index, record.leaf.hex(), record.salt.hex(), msgspec.Raw(record.raw))
    return _Line(hidden, shown, tender_of(entry.stream), fact)


def _told(line: _Line, phase: Phase | None) -> Item:
    return line.shown if line.fact and is_shown(line.fact, phase) else line.hidden
