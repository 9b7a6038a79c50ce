"""收到的投标 a sealed bid as the ledger knows it, and its place in a tender."""

from datetime import datetime

import msgspec

from trading.envelope.layout import Prefix

__all__ = ["Received", "place_of"]


class Received(msgspec.Struct, frozen=True):
    """A sealed bid as the ledger knows it."""

    eid: str
    prefix: Prefix
    index: int
    at: datetime

    @property
    def place(self) -> tuple[bytes, int, int]:
        """Pseudonym, lot and stage: a later envelope with the same place replaces this one."""
        return place_of(self.prefix)


def place_of(prefix: Prefix) -> tuple[bytes, int, int]:
    return prefix.header.vk, prefix.header.lot, prefix.header.stage
