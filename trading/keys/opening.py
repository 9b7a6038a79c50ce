"""Threshold opening: each trustee's one Diffie-Hellman step, its proof, and their combination.

D_i = x_i R for the lifted encapsulated key R of each envelope; one batched Chaum-Pedersen proof
(composites as in RFC 9497 section 2.2) shows log_B Y_i = log_R D_i for all of them at once.
"""

import msgspec
import nacl.bindings as sodium

from trading.kernel.canonical import sha256
from trading.kernel.errors import PointInvalid, ShareInvalid, TooFewShares
from trading.keys.dkg import Committee
from trading.keys.group import (
    ORDER,
    add,
    base,
    decode_scalar,
    encode_scalar,
    hash_to_scalar,
    lagrange,
    multiply,
    subtract,
    to_montgomery,
    total,
)

__all__ = ["Share", "check_share", "combine", "combine_points", "make_share", "shared_secret"]

_DOMAIN = b"kaifeng.dleq.v1"
_FEW = 4
_IDENTITY = b"\1" + bytes(31)


class Share(msgspec.Struct, frozen=True):
    """Trustee `index`: D_i for each envelope, in order, and 64 bytes of proof for all."""

    index: int
    points: tuple[bytes, ...]
    proof: bytes


def make_share(index: int, secret: int, lifted: list[bytes], bind: bytes) -> Share:
    """`bind` ties the proof to one committee and one list of envelopes."""
    points = tuple(multiply(secret, point) for point in lifted)
    if not points:
        return Share(index, (), b"")
    public = base(secret)
    weights = _weights(public, lifted, points, bind)
    composite = _weighted(weights, lifted)
    product = multiply(secret, composite)
    nonce = hash_to_scalar(
        _DOMAIN, b"nonce", encode_scalar(secret), sodium.randombytes(32), bind, composite
    )
    challenge = _challenge(
        bind, (public, composite, product), (base(nonce), multiply(nonce, composite))
    )
    proof = encode_scalar(challenge) + encode_scalar(nonce + challenge * secret)
    return Share(index, points, proof)


def check_share(share: Share, committee: Committee, lifted: list[bytes], bind: bytes) -> None:
    """ShareInvalid unless every point of the share is right."""
    if not _proves(share, committee, lifted, bind):
        raise ShareInvalid(trustee=share.index)


def _proves(share: Share, committee: Committee, lifted: list[bytes], bind: bytes) -> bool:
    if not 1 <= share.index <= len(committee.shares) or len(share.points) != len(lifted):
        return False
    if not lifted:
        return not share.proof
    public = committee.shares[share.index - 1]
    # multiply() below refuses points outside the subgroup, so no check of its own is needed
    weights = _weights(public, lifted, share.points, bind)
    try:
        challenge, response = decode_scalar(share.proof[:32]), decode_scalar(share.proof[32:])
        composite, product = _weighted(weights, lifted), _weighted(weights, share.points)
        first = subtract(base(response), multiply(challenge, public))
        second = subtract(multiply(response, composite), multiply(challenge, product))
    except (ValueError, PointInvalid):
        return False
    return challenge == _challenge(bind, (public, composite, product), (first, second))


def combine(shares: list[Share], committee: Committee, position: int) -> bytes:
    """D = sum lambda_i D_i of the envelope at `position`, from exactly t shares."""
    if len(shares) < committee.threshold:
        raise TooFewShares(count=len(shares), threshold=committee.threshold)
    chosen = shares[: committee.threshold]
    return combine_points({share.index: share.points[position] for share in chosen})


def combine_points(points: dict[int, bytes]) -> bytes:
    """Lagrange in the exponent at 0, over the points of exactly t trustees. All of it is public."""
    coefficients = lagrange(list(points))
    return total([_times(coefficients[index], point) for index, point in points.items()])


def _times(coefficient: int, point: bytes) -> bytes:
    """Trustees 1, 2, 3 have the coefficients 3, -3, 1: a few additions instead of a ladder."""
    small = min(coefficient, ORDER - coefficient)
    if small > _FEW:
        return multiply(coefficient, point)
    result = total([point] * small)
    return result if small == coefficient else subtract(_IDENTITY, result)


def shared_secret(combined: bytes) -> bytes:
    """The X25519 result that DHKEM expects."""
    return to_montgomery(combined)


def _weights(
    public: bytes, lifted: list[bytes], points: tuple[bytes, ...], bind: bytes
) -> list[int]:
    seed = sha256(_DOMAIN, b"batch", bind, public, *lifted, *points)
    return [hash_to_scalar(_DOMAIN, seed, n.to_bytes(4, "big")) for n in range(len(lifted))]


def _weighted(weights: list[int], points: "list[bytes] | tuple[bytes, ...]") -> bytes:
    result: bytes | None = None
    for weight, point in zip(weights, points, strict=True):
        term = multiply(weight, point)
        result = term if result is None else add(result, term)
    return result or b""


def _challenge(
    bind: bytes, statement: tuple[bytes, bytes, bytes], commitments: tuple[bytes, bytes]
) -> int:
    """Strong Fiat-Shamir: the whole statement is hashed."""
    return hash_to_scalar(_DOMAIN, bind, *statement, *commitments)
