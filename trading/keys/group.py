"""The prime-order subgroup of edwards25519, by libsodium (PyNaCl), and its X25519 view.

Points are 32-byte encodings, scalars Python integers below `ORDER`. Multiplication is libsodium's
constant-time code; integer arithmetic on secret scalars happens only in a trustee's own program.
"""

import hashlib
from collections.abc import Callable

import nacl.bindings as sodium
from nacl.exceptions import CryptoError

from trading.kernel.errors import PointInvalid

__all__ = [
    "ORDER",
    "add",
    "base",
    "decode_scalar",
    "encode_scalar",
    "hash_to_scalar",
    "is_point",
    "is_signed",
    "lagrange",
    "lift",
    "multiply",
    "random_scalar",
    "subtract",
    "to_edwards",
    "to_montgomery",
    "total",
]

ORDER = 2**252 + 27742317777372353535851937790883648493
_FIELD = 2**255 - 19
_MASK = 2**255 - 1
_SIGNATURE = 64


def encode_scalar(number: int) -> bytes:
    return (number % ORDER).to_bytes(32, "little")


def decode_scalar(raw: bytes) -> int:
    """A canonical scalar; ValueError for anything else."""
    number = int.from_bytes(raw, "little")
    if len(raw) != 32 or number >= ORDER:
        raise ValueError("scalar is not canonical")
    return number


def random_scalar() -> int:
    while True:
        number = int.from_bytes(
            sodium.crypto_core_ed25519_scalar_reduce(sodium.randombytes(64)), "little"
        )
        if number:
            return number


def hash_to_scalar(*parts: bytes) -> int:
    """SHA-512, reduced (bias below 2**-128)."""
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def base(number: int) -> bytes:
    """PointInvalid for zero: the identity is no key and no commitment."""
    try:
        point: bytes = sodium.crypto_scalarmult_ed25519_base_noclamp(encode_scalar(number))
    except CryptoError as error:
        raise PointInvalid from error
    return point


def multiply(number: int, point: bytes) -> bytes:
    """PointInvalid if the point is not in the subgroup or the product is the identity."""
    try:
        product: bytes = sodium.crypto_scalarmult_ed25519_noclamp(encode_scalar(number), point)
    except (CryptoError, ValueError, TypeError) as error:
        raise PointInvalid from error
    return product


def add(left: bytes, right: bytes) -> bytes:
    return _checked(sodium.crypto_core_ed25519_add, left, right)


def subtract(left: bytes, right: bytes) -> bytes:
    return _checked(sodium.crypto_core_ed25519_sub, left, right)


def _checked(operation: Callable[[bytes, bytes], bytes], left: bytes, right: bytes) -> bytes:
    try:
        return operation(left, right)
    except (CryptoError, TypeError, ValueError) as error:
        raise PointInvalid from error


def total(points: list[bytes]) -> bytes:
    result = points[0]
    for point in points[1:]:
        result = add(result, point)
    return result


def is_point(raw: bytes) -> bool:
    """Canonical, in the prime-order subgroup, not of small order."""
    return len(raw) == 32 and bool(sodium.crypto_core_ed25519_is_valid_point(raw))


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Ed25519 (RFC 8032), and no key of small order: everybody could sign under such a one."""
    try:
        sodium.crypto_sign_open(signature + message, public)
    except (CryptoError, ValueError):
        return False
    return len(signature) == _SIGNATURE


def to_montgomery(point: bytes) -> bytes:
    """U = (1 + y) / (1 - y): the X25519 public key of an Edwards point."""
    y = int.from_bytes(point, "little") & _MASK
    return ((1 + y) * pow(1 - y, -1, _FIELD) % _FIELD).to_bytes(32, "little")


def lift(encapsulated: bytes) -> bytes:
    """`to_edwards`, and PointInvalid outside the subgroup."""
    point = to_edwards(encapsulated)
    if not is_point(point):
        raise PointInvalid
    return point


def to_edwards(encapsulated: bytes) -> bytes:
    """The Edwards encoding with sign bit 0 over an X25519 u-coordinate: for `multiply`, which looks
    whether it is a point of the subgroup. The sign is immaterial: only u-coordinates of products
    are used.
    """
    u = int.from_bytes(encapsulated, "little")
    if len(encapsulated) != 32 or u >= _FIELD or u == _FIELD - 1:
        raise PointInvalid
    return ((u - 1) * pow(u + 1, -1, _FIELD) % _FIELD).to_bytes(32, "little")


def lagrange(indices: list[int]) -> dict[int, int]:
    """The coefficients that interpolate at 0 from the given distinct, non-zero indices."""
    result = {}
    for index in indices:
        numerator = denominator = 1
        for other in indices:
            if other != index:
                numerator = numerator * other % ORDER
                denominator = denominator * (other - index) % ORDER
        result[index] = numerator * pow(denominator, -1, ORDER) % ORDER
    return result
