"""Who is enrolled 名册, as the ledger says it, kept warm for the edge."""

import threading

import msgspec

from trading.facts.party import STREAM, PartyEnrolled
from trading.kernel.party import Role
from trading.ledger.port import Ledger

__all__ = ["Caller", "Parties"]


class Caller(msgspec.Struct, frozen=True):
    """Whoever signed the request."""

    party: str
    roles: frozenset[Role]
    key: bytes


class Parties:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, PartyEnrolled] = {}
        self._height, self._size = 0, -1
        self._lock = threading.Lock()

    def __getitem__(self, party: str) -> PartyEnrolled | None:
        self._look()
        return self._known.get(party)

    def keys(self) -> dict[str, bytes]:
        """Public key by party."""
        self._look()
        return {party: bytes.fromhex(fact.key) for party, fact in self._known.items()}

    def caller(self, party: str) -> Caller:
        fact = self._known[party]
        return Caller(party, frozenset(fact.roles), bytes.fromhex(fact.key))

    def _look(self) -> None:
        with self._lock:
            size = self._ledger.size()
            if size == self._size:
                return
            for fact, stamp in self._ledger.stream(STREAM, self._height):
                if isinstance(fact, PartyEnrolled):
                    self._known.setdefault(fact.party, fact)
                self._height = stamp.height + 1
            self._size = size
