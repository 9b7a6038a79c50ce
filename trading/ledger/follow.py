"""Followers: everything that is derived from the ledger reads it from its own cursor.

`handle` must be idempotent: after a crash an entry may come twice, never not at all.
"""

from typing import Protocol

from trading.ledger.committer import GroupLedger
from trading.ledger.entry import Stamp, leaf_hash, read_entry, stamped
from trading.ledger.fact import Fact

__all__ = ["Follower", "Following"]


class Follower(Protocol):
    name: str

    def handle(self, fact: Fact, stamp: Stamp) -> None: ...


class Following:
    """One follower on its way along the ledger."""

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
        for record in self._ledger.records(cursor, end):
            if record.raw:
                entry = read_entry(record.raw, record.index)
                self._follower.handle(*stamped(entry, record.index, leaf_hash(record.leaf)))
            self._store.move_cursor(self._follower.name, record.index + 1)
        return end - cursor
