"""Facts about parties, and the erasure of what they may ask to be forgotten."""

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = ["STREAM", "EntryErased", "PartyEnrolled", "PersonDescribed"]

STREAM = "parties"
_ANYONE = frozenset(Role)


class PartyEnrolled(Fact, frozen=True, tag="party.enrolled/1"):
    """A party's name, roles and Ed25519 key (hex); signed by that key itself."""

    by = _ANYONE
    party: str
    name: str
    roles: tuple[Role, ...]
    key: str


class PersonDescribed(Fact, frozen=True, tag="person.described/1"):
    """Contact of a natural person: the only kind of fact that can be erased."""

    by = _ANYONE
    personal = True
    party: str
    contact: str


class EntryErased(Fact, frozen=True, tag="entry.erased/1"):
    """Salt and preimage of entry `index` are deleted; its leaf and all proofs stay."""

    index: int
    ground: str
    article: str
