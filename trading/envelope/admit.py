"""Admission 接收: what the server and every trustee check of an envelope. Needs no secret.

A rule about which tender is open, or when, is not here; see trading/bidding.py.
"""

import hashlib
from collections.abc import Iterable, Iterator

from trading.envelope.layout import Address, Prefix, signed_message, tender_bytes
from trading.envelope.seal import possession_challenge, withdrawal_message
from trading.kernel.canonical import sha256
from trading.kernel.errors import (
    BodyAltered,
    KnowledgeUnproven,
    PointInvalid,
    ReplacementInvalid,
    SignatureWrong,
    WrongCommittee,
    WrongTender,
)
from trading.keys.group import base, decode_scalar, is_signed, multiply, subtract, to_edwards

__all__ = ["admit", "check_body", "check_replacement", "check_withdrawal", "checked_body"]


def admit(prefix: Prefix, address: Address) -> bytes:
    """The lifted encapsulated key R, once the prefix passes all of KFE1's admission checks."""
    header = prefix.header
    # (1) this tender, lot and stage, sealed to this committee
    if (header.tender, header.lot, header.stage) != (
        tender_bytes(address.tender),
        address.lot,
        address.stage,
    ):
        raise WrongTender(
            problem=f"标段 {header.lot}，阶段 {header.stage}"
            f" / lot {header.lot}, stage {header.stage}"
        )
    if header.kid != address.kid:
        raise WrongCommittee
    # (2) signed by the pseudonym
    message = signed_message(header, prefix.enc, prefix.wct, prefix.pok)
    if not is_signed(header.vk, prefix.sig, message):
        raise SignatureWrong
    # (3) a point of the subgroup whose exponent the sender knows
    lifted = to_edwards(prefix.enc)
    _check_knowledge(prefix, address, lifted)
    return lifted


def _check_knowledge(prefix: Prefix, address: Address, lifted: bytes) -> None:
    """Schnorr, bound to header and wrapped key: nobody admits an envelope copied from another.
    PointInvalid unless the encapsulated key lies in the subgroup.
    """
    try:
        challenge, response = decode_scalar(prefix.pok[:32]), decode_scalar(prefix.pok[32:])
    except ValueError as error:
        raise KnowledgeUnproven from error
    if challenge == 0:
        raise KnowledgeUnproven
    hidden = multiply(challenge, lifted)
    try:
        commitment = subtract(base(response), hidden)
    except (ValueError, PointInvalid) as error:
        raise KnowledgeUnproven from error
    expected = possession_challenge(address, lifted, commitment, prefix.header, prefix.wct)
    if challenge != expected:
        raise KnowledgeUnproven


def checked_body(prefix: Prefix, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The body passing through; BodyAltered after its last byte if length or digest differ."""
    digest, length = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        length += len(chunk)
        yield chunk
    if length != prefix.header.blen:
        raise BodyAltered(
            problem=f"{length}，应为 {prefix.header.blen} 字节"
            f" / {length} of {prefix.header.blen} bytes"
        )
    if digest.digest() != prefix.header.bhash:
        raise BodyAltered(problem="SHA-256")


def check_body(prefix: Prefix, chunks: Iterable[bytes]) -> None:
    for _ in checked_body(prefix, chunks):
        pass


def check_replacement(new: Prefix, old: Prefix | None) -> None:
    """A replacement names its predecessor, counts on by one and has the same pseudonym."""
    if old is None:
        if new.header.seq:
            raise ReplacementInvalid(problem="没有可替换的信封 / there is nothing to replace")
        return
    expected = old.header.seq + 1, sha256(old.pack()), old.header.vk
    if (new.header.seq, new.header.prev, new.header.vk) != expected:
        raise ReplacementInvalid(
            problem="与被替换的信封不衔接 / it does not follow the envelope it replaces"
        )


def check_withdrawal(prefix: Prefix, signature: bytes) -> None:
    if not is_signed(prefix.header.vk, signature, withdrawal_message(prefix, prefix.header.seq)):
        raise ReplacementInvalid(problem="撤回的签名不符 / signature of the withdrawal")
