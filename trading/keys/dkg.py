"""The ceremony: COCKTAIL-DKG (c2sp.org/cocktail-dkg), ciphersuite COCKTAIL(Ed25519, SHA-512).

Round 1 deals, round 2 checks and adds up, round 3 signs the transcript; all n signatures make
the certificate and SHA-256 of the transcript names the key (`kid`). The ECDH secret is encoded
as the published vectors have it, RFC 8032; the text of v0.2.1 says otherwise.
"""

import hashlib

import msgspec
import nacl.bindings as sodium
from nacl.exceptions import CryptoError

from trading.kernel.canonical import sha256
from trading.kernel.errors import DealInvalid, PointInvalid, TranscriptDiffers
from trading.keys import schnorr
from trading.keys.group import (
    ORDER,
    add,
    base,
    decode_scalar,
    encode_scalar,
    is_point,
    multiply,
    random_scalar,
    total,
)

__all__ = ["Ceremony", "Committee", "Deal", "Secrets", "certify", "deal", "receive", "recover"]

SUITE = b"COCKTAIL(Ed25519, SHA-512)"
_H6 = b"COCKTAIL-DKG-Ed25519-SHA512-H6"
_SHARE = 32 + 16  # scalar and Poly1305 tag: no payloads


class Ceremony(msgspec.Struct, frozen=True):
    """What all trustees agree on beforehand. Trustee i is `members[i - 1]`."""

    threshold: int
    members: tuple[bytes, ...]
    session: bytes

    @property
    def context(self) -> bytes:
        return hashlib.sha512(
            b"COCKTAIL-DKG-CONTEXT"
            + len(self.session).to_bytes(8, "big")
            + self.session
            + len(SUITE).to_bytes(8, "big")
            + SUITE
            + len(self.members).to_bytes(4, "little")
            + b"".join(self.members)
        ).digest()

    def check(self) -> None:
        sound = 1 <= self.threshold <= len(self.members)
        if not sound or len(set(self.members)) != len(self.members):
            raise DealInvalid(dealer=0, problem="门限有误或成员重复 / threshold or repeated member")
        for index, member in enumerate(self.members, 1):
            if not is_point(member):
                raise DealInvalid(dealer=index, problem="公钥 / public key")


class Deal(msgspec.Struct, frozen=True):
    """A trustee's round-1 message; `shares[j - 1]` only trustee j can read."""

    commitments: tuple[bytes, ...]
    ephemeral: bytes
    possession: bytes
    shares: tuple[bytes, ...]


class Secrets(msgspec.Struct, frozen=True):
    """What a trustee draws for one ceremony and forgets afterwards."""

    coefficients: tuple[int, ...]
    ephemeral: int

    @classmethod
    def draw(cls, threshold: int, constant: int | None = None) -> "Secrets":
        """`constant` fixes the secret that is dealt (a reshared share)."""
        drawn = [random_scalar() for _ in range(threshold)]
        return cls((drawn[0] if constant is None else constant, *drawn[1:]), random_scalar())


class Committee(msgspec.Struct, frozen=True):
    """The public result: key Y, verification shares Y_1..Y_n, threshold."""

    key: bytes
    shares: tuple[bytes, ...]
    threshold: int


def deal(own: int, secret: int, ceremony: Ceremony, drawn: Secrets) -> Deal:
    """Round 1 of trustee `own`, whose long-term secret is `secret`."""
    commitments = tuple(base(coefficient) for coefficient in drawn.coefficients)
    ephemeral = base(drawn.ephemeral)
    message = ceremony.context + b"".join(commitments) + ephemeral
    shares = []
    for index, member in enumerate(ceremony.members, 1):
        pair = multiply(drawn.ephemeral, member), multiply(secret, member)
        key, nonce = _channel(pair, ephemeral, ceremony, own, index)
        share = encode_scalar(_evaluate(drawn.coefficients, index))
        shares.append(sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(share, b"", nonce, key))
    possession = schnorr.sign(drawn.coefficients[0], message)
    return Deal(commitments, ephemeral, possession, tuple(shares))


def check_deal(ceremony: Ceremony, dealer: int, dealt: Deal) -> None:
    """The part of round 2 that anyone can check."""
    if len(dealt.commitments) != ceremony.threshold:  # threshold elevation
        raise DealInvalid(dealer=dealer, problem="承诺的数目 / number of commitments")
    if not all(map(is_point, (*dealt.commitments, dealt.ephemeral))):
        raise DealInvalid(dealer=dealer, problem="点不在子群中 / a point is not in the subgroup")
    if [len(share) for share in dealt.shares] != [_SHARE] * len(ceremony.members):
        raise DealInvalid(dealer=dealer, problem="份额的数目或大小 / number or size of shares")
    message = ceremony.context + b"".join(dealt.commitments) + dealt.ephemeral
    if not schnorr.verify(dealt.commitments[0], message, dealt.possession):
        raise DealInvalid(dealer=dealer, problem="持有证明 / proof of possession")


def open_share(own: int, secret: int, ceremony: Ceremony, dealer: int, dealt: Deal) -> int:
    """The share dealt to `own`, decrypted and checked against the commitments."""
    try:
        pair = multiply(secret, dealt.ephemeral), multiply(secret, ceremony.members[dealer - 1])
        key, nonce = _channel(pair, dealt.ephemeral, ceremony, dealer, own)
        plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            dealt.shares[own - 1], b"", nonce, key
        )
        share = decode_scalar(plain)
    except (CryptoError, ValueError, PointInvalid) as error:
        raise DealInvalid(
            dealer=dealer, problem="份额无法解密 / the share cannot be decrypted"
        ) from error
    if not share_matches(share, own, dealt.commitments):
        raise DealInvalid(
            dealer=dealer, problem="份额不在多项式上 / the share is not on the polynomial"
        )
    return share


def share_matches(share: int, index: int, commitments: tuple[bytes, ...]) -> bool:
    """Feldman's equation; a published false share is proof of blame."""
    return bool(share) and base(share) == evaluate_points(commitments, index)


def receive(own: int, secret: int, ceremony: Ceremony, deals: list[Deal]) -> int:
    """Round 2 of trustee `own`: its share x_i; DealInvalid names the dealer to blame."""
    ceremony.check()
    if len(deals) != len(ceremony.members):
        raise DealInvalid(
            dealer=len(deals) + 1, problem="每位成员须恰有一份分发 / one deal of each member"
        )
    for dealer, dealt in enumerate(deals, 1):
        check_deal(ceremony, dealer, dealt)
    shares = [
        open_share(own, secret, ceremony, dealer, dealt) for dealer, dealt in enumerate(deals, 1)
    ]
    return sum(shares) % ORDER


def committee(ceremony: Ceremony, deals: list[Deal]) -> Committee:
    sums = tuple(
        total([dealt.commitments[k] for dealt in deals]) for k in range(ceremony.threshold)
    )
    count = len(ceremony.members)
    shares = tuple(evaluate_points(sums, index) for index in range(1, count + 1))
    return Committee(sums[0], shares, ceremony.threshold)


def transcript(ceremony: Ceremony, deals: list[Deal], extension: bytes) -> bytes:
    parts = [
        _framed(SUITE),
        _framed(ceremony.context),
        len(ceremony.members).to_bytes(4, "little"),
        ceremony.threshold.to_bytes(4, "little"),
        *ceremony.members,
        *(point for dealt in deals for point in dealt.commitments),
        *(dealt.possession for dealt in deals),
        *(dealt.ephemeral for dealt in deals),
        _framed(extension),
    ]
    return b"".join(parts)


def extension(checkpoint: bytes, deals: list[Deal]) -> bytes:
    """Binds the ceremony to the ledger's state and to the exact ciphertexts (option 1 of the
    specification's section on unbound ciphertexts), so that they can be blamed and recovered.
    """
    framed = [_framed(share) for dealt in deals for share in dealt.shares]
    return sha256(b"kaifeng dkg extension v1", checkpoint, *framed)


def certify(ceremony: Ceremony, text: bytes, signatures: list[bytes]) -> bytes:
    """The key's name, once every member has signed the transcript."""
    if len(signatures) != len(ceremony.members):
        raise TranscriptDiffers(signer=len(signatures) + 1)
    for index, (member, signature) in enumerate(zip(ceremony.members, signatures, strict=True), 1):
        if not schnorr.verify(member, text, signature):
            raise TranscriptDiffers(signer=index)
    return sha256(text)


def recover(secret: int, ceremony: Ceremony, deals: list[Deal]) -> tuple[int, int]:
    """Index and share of a trustee who kept only its long-term secret."""
    own = ceremony.members.index(base(secret)) + 1
    return own, receive(own, secret, ceremony, deals)


def _framed(raw: bytes) -> bytes:
    return len(raw).to_bytes(8, "little") + raw


def _channel(
    pair: tuple[bytes, bytes], ephemeral: bytes, ceremony: Ceremony, sender: int, receiver: int
) -> tuple[bytes, bytes]:
    members, context = ceremony.members, ceremony.context
    names = members[sender - 1] + members[receiver - 1]
    okm = hashlib.sha512(_H6 + pair[0] + pair[1] + ephemeral + names + _framed(context)).digest()
    return okm[:32], okm[32:56]


def _evaluate(coefficients: tuple[int, ...], at: int) -> int:
    result = 0
    for coefficient in reversed(coefficients):
        result = (result * at + coefficient) % ORDER
    return result


def evaluate_points(points: tuple[bytes, ...], at: int) -> bytes:
    """The polynomial in the exponent, by Horner."""
    result = points[-1]
    for point in reversed(points[:-1]):
        result = add(result if at == 1 else multiply(at, result), point)
    return result
