"""HPKE (RFC 9180) base mode from a known Diffie-Hellman result, the one step that is thresholded.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; senders are any RFC 9180 implementation.
"""

import hmac

__all__ = ["AES_256_GCM", "key_schedule"]

AES_256_GCM = 2
_KEM = b"KEM" + (0x20).to_bytes(2, "big")
_KEY_SIZE = {1: 16, 2: 32, 3: 32}


def key_schedule(
    dh: bytes, encapsulated: bytes, recipient: bytes, info: bytes, aead: int = AES_256_GCM
) -> tuple[bytes, bytes, bytes]:
    """Shared secret, key and base nonce (RFC 9180 sections 4.1 and 5.1)."""
    suite = b"HPKE" + (0x20).to_bytes(2, "big") + (1).to_bytes(2, "big") + aead.to_bytes(2, "big")
    prk = _extract(_KEM, b"", b"eae_prk", dh)
    shared = _expand(_KEM, prk, b"shared_secret", encapsulated + recipient, 32)
    psk_id = _extract(suite, b"", b"psk_id_hash", b"")
    context = b"\0" + psk_id + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    key = _expand(suite, secret, b"key", context, _KEY_SIZE[aead])
    return shared, key, _expand(suite, secret, b"base_nonce", context, 12)


def extract(salt: bytes, material: bytes) -> bytes:
    """HKDF-Extract with SHA-256 (RFC 5869)."""
    return hmac.digest(salt or bytes(32), material, "sha256")


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand with SHA-256 (RFC 5869)."""
    result, block, counter = b"", b"", 1
    while len(result) < length:
        block = hmac.digest(prk, block + info + bytes([counter]), "sha256")
        result, counter = result + block, counter + 1
    return result[:length]


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return extract(salt, b"HPKE-v1" + suite + label + material)


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)
