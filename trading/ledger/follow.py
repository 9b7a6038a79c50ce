"""Followers: everything that is derived from the ledger reads it from its own cursor.

`handle` must be idempotent: after a crash a page may come twice, never not at all.
"""

from collections.abc import Sequence
from typing import Protocol

from trading.ledger.committer import GroupLedger
from trading.ledger.entry import Stamp, leaf_hash, read_entry, stamped
from trading.ledger.fact import Fact

__all__ = ["Follower", "Following"]

_PAGE = 500


class Follower(Protocol):
    name: str

    def handle(self, page: Sequence[tuple[Fact, Stamp]]) -> None: ...


class Following:
    """One follower on its way along the ledger, page by page."""

    def __init__(self, ledger: GroupLedger, follower: Follower) -> None:
        self._ledger, self._store, self._follower = ledger, ledger.store, follower

    @property
    def lag(self) -> int:
        """Entries not yet handled."""
        return self._ledger.size() - self._store.cursor(self._follower.name)

    def catch_up(self, most: int = 10_000) -> int:
        """Handle up to `most` entries in order; returns how many."""
        cursor = self._store.cursor(self._follower.name)
        end = min(self._ledger.size(), cursor + most)
        for start in range(cursor, end, _PAGE):
            stop = min(end, start + _PAGE)
            self._follower.handle(self._page(start, stop))
            self._store.move_cursor(self._follower.name, stop)
        return end - cursor

    def _page(self, start: int, stop: int) -> list[tuple[Fact, Stamp]]:
        """Erased entries are left out."""
        return [
            stamped(read_entry(record.raw, record.index), record.index, leaf_hash(record.leaf))
            for record in self._ledger.records(start, stop)
            if record.raw
        ]
