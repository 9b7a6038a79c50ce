"""Canonical JSON (RFC 8785) for values without floats, and the digests taken over it.

Keys are ASCII identifiers, so sorting by code point equals RFC 8785's sorting by UTF-16 unit;
integers beyond 2**53 and floats never occur in a fact (an architecture test bans the annotation).
"""

import hashlib

import msgspec

_HEX = frozenset("0123456789abcdef")
_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    return _ENCODER.encode(value)


def is_digest(text: str) -> bool:
    """32 bytes in lower-case hex digits: a hash, a salt, a secret."""
    return len(text) == 64 and not set(text) - _HEX


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
