"""The Schnorr signature of COCKTAIL-DKG (Ed25519, SHA-512): proofs of possession, certificates."""

from trading.keys.group import (
    add,
    base,
    decode_scalar,
    encode_scalar,
    hash_to_scalar,
    is_point,
    multiply,
)

__all__ = ["sign", "verify"]

_CHALLENGE = b"COCKTAIL-DKG-Ed25519-SHA512-H7"
_NONCE = b"COCKTAIL-DKG-Ed25519-SHA512-NONCE"


def sign(secret: int, message: bytes) -> bytes:
    """R || z, 64 bytes; deterministic."""
    public = base(secret)
    nonce = hash_to_scalar(_NONCE, encode_scalar(secret), message)
    commitment = base(nonce)  # libsodium refuses a zero nonce
    challenge = hash_to_scalar(_CHALLENGE, commitment, public, message)
    return commitment + encode_scalar(nonce + challenge * secret)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    commitment, tail = signature[:32], signature[32:]
    try:
        response = decode_scalar(tail)
    except ValueError:
        return False
    if not is_point(commitment) or not response:
        return False
    challenge = hash_to_scalar(_CHALLENGE, commitment, public, message)
    return base(response) == add(commitment, multiply(challenge, public))
