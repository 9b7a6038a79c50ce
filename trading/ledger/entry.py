"""Entries: a fact with its place in its stream, its time, its actor, and its salted leaf.

The Merkle leaf is a type byte and `SHA-256(salt || entry)`, so that deleting salt and entry erases
what they said while every proof still holds. The type says in public whether that may happen: 0x01
for an entry that stays, 0x02 for personal data. Nobody can pass off a deed as an erased contact.
`prev` is the leaf hash of the stream's previous entry: the chain, too, survives an erasure.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from trading.kernel.canonical import canonical
from trading.kernel.errors import EntryBroken
from trading.ledger.fact import Fact, read_fact

__all__ = [
    "GENESIS",
    "Entry",
    "Folds",
    "Stamp",
    "act_message",
    "folded",
    "leaf_data",
    "leaf_hash",
    "read_entry",
]

GENESIS = "0" * 64
SALT = 32
LASTING, PERSONAL = 1, 2
_VERSION = 1
_DECODER: msgspec.json.Decoder["Entry"]
_ENCODER = msgspec.json.Encoder(order="sorted")


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The wire form; fields stand in canonical (sorted) order. Digests hex, signature hex or ""."""

    actor: str
    at: datetime
    fact: msgspec.Raw
    height: int
    id: str
    prev: str
    sig: str
    stream: str
    v: int = _VERSION

    def encode(self) -> bytes:
        return _ENCODER.encode(self)


_DECODER = msgspec.json.Decoder(Entry)


class Stamp(msgspec.Struct, frozen=True):
    """What the ledger adds to a fact: where and when it stands, who did it, its leaf."""

    index: int
    at: datetime
    stream: str
    height: int
    actor: str
    leaf: str


class Folds(Protocol):
    """A state that facts lead on; `height` is how many there were."""

    height: int

    def apply(self, fact: Fact, stamp: Stamp) -> None: ...


S = TypeVar("S", bound=Folds)


def folded(facts: Iterable[tuple[Fact, Stamp]], state: S) -> S:
    """The state itself, after the facts of its stream."""
    for fact, stamp in facts:
        state.apply(fact, stamp)
    return state


def act_message(stream: str, key: str, actor: str, fact: bytes) -> bytes:
    """What an actor signs: the fact in its stream, under an id that cannot be used twice."""
    act = {"actor": actor, "fact": msgspec.Raw(fact), "id": key, "stream": stream, "v": _VERSION}
    return b"kaifeng act v1\n" + canonical(act)


def leaf_data(salt: bytes, entry: bytes, *, personal: bool = False) -> bytes:
    kind = PERSONAL if personal else LASTING
    return bytes([kind]) + hashlib.sha256(salt + entry).digest()


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def read_entry(raw: bytes, index: int) -> Entry:
    try:
        entry = _DECODER.decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise EntryBroken(index=index, problem=error) from error
    if entry.v != _VERSION or entry.at.tzinfo is None:
        raise EntryBroken(index=index, problem="版本或时区 / version or time zone")
    return entry


def stamped(entry: Entry, index: int, leaf: bytes) -> tuple[Fact, Stamp]:
    stamp = Stamp(index, entry.at, entry.stream, entry.height, entry.actor, leaf.hex())
    return read_fact(entry.fact, index), stamp
