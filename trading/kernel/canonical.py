"""Canonical JSON (RFC 8785) for values without floats, and the digests taken over it.

Keys are ASCII identifiers, so sorting by code point equals RFC 8785's sorting by UTF-16 unit;
integers beyond 2**53 and floats never occur in a fact (an architecture test bans the annotation).
"""

import hashlib

import msgspec

_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    return _ENCODER.encode(value)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()
