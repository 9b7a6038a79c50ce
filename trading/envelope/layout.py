"""The byte layout of KFE1: a fixed prefix of 418 bytes, big-endian, then the body.

A fixed layout needs no parser at the trust boundary: every byte has one meaning or none.
"""

import struct
import uuid
from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec

from trading.kernel.canonical import sha256
from trading.kernel.errors import Malformed, NotSealed, Oversized

__all__ = ["PREFIX", "Address", "Header", "Prefix", "Stage", "padded_size", "split_prefix"]

MAGIC = b"KFE1"
SUITE = 0x0001
PREFIX = 418
_HEADER = 200
_HEAD = struct.Struct(">4sHI")
_FIELDS = struct.Struct(">16sHBB32s32sI32s32sQ32sQ")
_CONTEXT = 152  # of the header: everything but blen, bhash and t
COKEY_FLAG = 1
_KNOWN_FLAGS = COKEY_FLAG
NO_HASH = bytes(32)
OVERHEAD = 24 + 32  # Cobblestone-256: salt and commitment
_CHUNK, _TAG = 16_384, 16


def split_prefix(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first 418 bytes, or fewer if there are no more, and the body that follows them."""
    pieces, first = iter(chunks), b""
    for piece in pieces:
        first += piece
        if len(first) >= PREFIX:
            break
    return first[:PREFIX], chain([first[PREFIX:]], pieces)


class Stage:
    """The envelope's stage, one byte."""

    TECHNICAL = 1  # 技术标·商务文件
    PRICE = 2  # 报价


class Address(msgspec.Struct, frozen=True):
    """Where an envelope goes: one lot and stage of one tender, under one committee key."""

    tender: str
    lot: int
    stage: int
    kid: bytes
    key: bytes  # Y, an Edwards point


class Header(msgspec.Struct, frozen=True):
    tender: bytes
    lot: int
    stage: int
    flags: int
    kid: bytes
    vk: bytes
    seq: int
    prev: bytes
    ck: bytes
    blen: int
    bhash: bytes
    t: int

    def pack(self) -> bytes:
        return _FIELDS.pack(*msgspec.structs.astuple(self))

    @property
    def context(self) -> bytes:
        return sha256(b"KFE1 ctx", self.pack()[:_CONTEXT])

    @property
    def has_cokey(self) -> bool:
        return bool(self.flags & COKEY_FLAG)


class Prefix(msgspec.Struct, frozen=True):
    header: Header
    enc: bytes
    wct: bytes
    pok: bytes
    sig: bytes

    def pack(self) -> bytes:
        return b"".join([head(), self.header.pack(), self.enc, self.wct, self.pok, self.sig])

    @property
    def eid(self) -> str:
        """The envelope's name; binds the body through its digest in the header."""
        return sha256(self.pack()).hex()

    @classmethod
    def parse(cls, raw: bytes) -> "Prefix":
        """NotSealed without the magic, Malformed for anything the layout does not allow."""
        if raw[:4] != MAGIC:
            raise NotSealed(article="KFE1")
        if len(raw) != PREFIX:
            raise Malformed(
                problem=f"{len(raw)}，应为 {PREFIX} 字节 / {len(raw)} of {PREFIX} bytes"
            )
        _, suite, length = _HEAD.unpack(raw[:10])
        if (suite, length) != (SUITE, _HEADER):
            raise Malformed(
                problem=f"套件 {suite}，头部 {length} 字节"
                f" / suite {suite}, header of {length} bytes"
            )
        header = Header(*_FIELDS.unpack(raw[10:210]))
        if header.flags & ~_KNOWN_FLAGS or header.has_cokey != (header.ck != NO_HASH):
            raise Malformed(problem="标志位 / flags")
        if (header.seq == 0) != (header.prev == NO_HASH):
            raise Malformed(problem="替换序号 / replacement counter")
        return cls(header, raw[210:242], raw[242:290], raw[290:354], raw[354:418])


def head() -> bytes:
    return _HEAD.pack(MAGIC, SUITE, _HEADER)


def wrap_info(header: Header) -> bytes:
    """HPKE's info: magic, suite, header."""
    return MAGIC + SUITE.to_bytes(2, "big") + header.pack()


def signed_message(header: Header, enc: bytes, wct: bytes, pok: bytes) -> bytes:
    return b"KFE1 sig" + wrap_info(header) + enc + wct + pok


def cokey_commitment(cokey: bytes, vk: bytes, tender: bytes, lot: int, stage: int) -> bytes:
    return sha256(b"KFE1 cokey", cokey, vk, tender, struct.pack(">HB", lot, stage))


def tender_bytes(tender: str) -> bytes:
    return uuid.UUID(tender).bytes


def padded_size(length: int, stage: int) -> int:
    """64 KiB for prices; PADMÉ from 1 MiB for documents, at most 12 % more (PETS 2019)."""
    floor = 1 << 16 if stage == Stage.PRICE else 1 << 20
    exponent = length.bit_length() - 1
    free = exponent - exponent.bit_length() if length > 1 else 0
    mask = (1 << free) - 1
    return max(floor, (length + mask) & ~mask)


def body_size(plain: int) -> int:
    """Cobblestone: 16 KiB chunks, the last one always shorter (perhaps empty)."""
    return OVERHEAD + plain + _TAG * (plain // _CHUNK + 1)


def check_size(size: int, limit: int) -> None:
    if size > limit:
        raise Oversized(size=size, limit=limit)
