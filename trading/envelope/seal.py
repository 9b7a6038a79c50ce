"""Sealing: the bidder's side. Files are streamed, so hundreds of MB need constant memory."""

import os
from pathlib import Path
from typing import BinaryIO

import msgspec
from cryptography.cobblestone import Cobblestone256Encryptor
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trading.envelope.content import Manifest, bidder_message, plain_chunks, plain_size
from trading.envelope.identity import Identity
from trading.envelope.layout import (
    COKEY_FLAG,
    NO_HASH,
    PREFIX,
    Address,
    Header,
    Prefix,
    body_size,
    cokey_commitment,
    padded_size,
    signed_message,
    tender_bytes,
    wrap_info,
)
from trading.envelope.stream import HashingSink
from trading.kernel.canonical import sha256
from trading.keys.group import (
    ORDER,
    base,
    encode_scalar,
    hash_to_scalar,
    lift,
    random_scalar,
    to_montgomery,
)
from trading.keys.hpke import expand, extract, key_schedule

__all__ = ["BidKey", "Sealing", "body_key", "possession_challenge", "seal", "withdrawal_message"]


class BidKey:
    """A bid's pseudonym: a fresh Ed25519 key for each bid, so that nothing links two bids."""

    def __init__(self, seed: bytes | None = None) -> None:
        self.seed = seed or os.urandom(32)
        self._private = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


class Sealing(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides an envelope but its content. `replaces` is the prefix of the earlier one."""

    address: Address
    key: BidKey
    identity: Identity | None = None
    cokey: bytes = b""
    replaces: Prefix | None = None
    at_ms: int = 0  # the sender's clock, informative


def seal(manifest: Manifest, folder: Path | None, sealing: Sealing, out: BinaryIO) -> Prefix:
    """Write prefix and body to `out` (seekable); the manifest's files are read from `folder`."""
    header = _header(sealing)
    raw = manifest.pack()
    cms = sealing.identity.sign(bidder_message(header, raw)) if sealing.identity else b""
    padded = padded_size(plain_size(raw, manifest.files, cms), sealing.address.stage)
    dek = os.urandom(32)
    start = out.tell()
    out.write(bytes(PREFIX))
    sink = HashingSink(out)
    encryptor = Cobblestone256Encryptor(body_key(dek, sealing.cokey, header), header.context)
    for chunk in plain_chunks(raw, folder, manifest.files, cms, padded):
        sink.write(encryptor.update(chunk))
    sink.write(encryptor.finalize())
    header = msgspec.structs.replace(header, blen=body_size(padded), bhash=sink.digest())
    prefix = _wrap(header, dek, sealing)
    out.seek(start)
    out.write(prefix.pack())
    out.seek(0, os.SEEK_END)
    return prefix


def body_key(dek: bytes, cokey: bytes, header: Header) -> bytes:
    return expand(extract(b"KFE1", dek + cokey), b"body" + header.context, 32)


def possession_challenge(
    address: Address, lifted: bytes, commitment: bytes, header: Header, wct: bytes
) -> int:
    return hash_to_scalar(
        b"KFE1 pok", address.kid, address.key, lifted, commitment, sha256(header.pack()), wct
    )


def withdrawal_message(prefix: Prefix, seq: int) -> bytes:
    """What vk signs to withdraw the envelope 撤回."""
    return b"kaifeng withdraw v1" + bytes.fromhex(prefix.eid) + seq.to_bytes(4, "big")


def _header(sealing: Sealing) -> Header:
    address, vk = sealing.address, sealing.key.public
    tender, lot, stage = tender_bytes(address.tender), address.lot, address.stage
    old = sealing.replaces
    return Header(
        tender=tender,
        lot=lot,
        stage=stage,
        flags=COKEY_FLAG if sealing.cokey else 0,
        kid=address.kid,
        vk=vk,
        seq=old.header.seq + 1 if old else 0,
        prev=sha256(old.pack()) if old else NO_HASH,
        ck=cokey_commitment(sealing.cokey, vk, tender, lot, stage) if sealing.cokey else NO_HASH,
        blen=0,
        bhash=NO_HASH,
        t=sealing.at_ms,
    )


def _wrap(header: Header, dek: bytes, sealing: Sealing) -> Prefix:
    """HPKE to the committee, proof of the ephemeral key, the pseudonym's signature."""
    recipient = to_montgomery(sealing.address.key)
    ephemeral = X25519PrivateKey.generate()
    enc = ephemeral.public_key().public_bytes_raw()
    dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    _, key, nonce = key_schedule(dh, enc, recipient, wrap_info(header))
    wct = AESGCM(key).encrypt(nonce, dek, b"")
    pok = _prove(ephemeral.private_bytes_raw(), enc, header, wct, sealing.address)
    sig = sealing.key.sign(signed_message(header, enc, wct, pok))
    return Prefix(header, enc, wct, pok, sig)


def _prove(secret: bytes, enc: bytes, header: Header, wct: bytes, address: Address) -> bytes:
    clamped = bytearray(secret)
    clamped[0] &= 248
    clamped[31] = clamped[31] & 127 | 64
    exponent = int.from_bytes(clamped, "little") % ORDER
    lifted = lift(enc)
    if base(exponent) != lifted:  # the lift has sign bit 0
        exponent = ORDER - exponent
    nonce = random_scalar()
    challenge = possession_challenge(address, lifted, base(nonce), header, wct)
    return encode_scalar(challenge) + encode_scalar(nonce + challenge * exponent)
