"""投标令牌 upload tokens: shown with a sealed bid, they prove that somebody took the documents, and
not even the platform that issued them can tell who. RFC 9474, RSABSSA-SHA384-PSS-Randomized.

Which tender's key a token must be checked with, and whether it was used before, is not known here.
"""

import hashlib
import math
import secrets
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from trading.kernel.errors import TokenInvalid

__all__ = ["TOKEN_MESSAGE", "Blinding", "TokenIssuer", "blind", "check_token", "finish"]

_PREFIX = 32  # RFC 9474 section 4.1, PrepareRandomize
_MESSAGE = 32
TOKEN_MESSAGE = _PREFIX + _MESSAGE  # what is signed; it names the token
_SALT = _DIGEST = 48  # RFC 9474 section 5
_HASH = hashes.SHA384()
_PSS = padding.PSS(padding.MGF1(_HASH), _SALT)
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


class Blinding(msgspec.Struct, frozen=True):
    """What the bidder keeps until the blind signature comes; only `blinded` may leave its hands."""

    blinded: bytes
    message: bytes  # prepared: the random prefix, then the message
    inverse: bytes


class TokenIssuer:
    """The key of one tender. It signs nothing else (RFC 9474 section 6.2)."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key, self._private = key, key.private_numbers()
        _check_numbers(self._private.public_numbers)

    @classmethod
    def generate(cls, bits: int = 2048) -> "TokenIssuer":
        return cls(rsa.generate_private_key(65537, bits))

    @classmethod
    def from_pem(cls, pem: bytes) -> "TokenIssuer":
        try:
            key = load_pem_private_key(pem, None)
        except _UNREADABLE as error:
            raise TokenInvalid(problem="PEM 中应有私钥 / a private key is wanted") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TokenInvalid(problem="不是 RSA 密钥 / the key is not an RSA key")
        return cls(key)

    def pem(self) -> bytes:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> bytes:
        form = PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(Encoding.DER, form)

    def sign(self, blinded: bytes) -> bytes:
        """BlindSign, RFC 9474 section 4.3."""
        public = self._private.public_numbers
        _check_size(blinded, _size(public.n))
        # Step 1
        m = int.from_bytes(blinded)
        # Step 2: RSASP1, whose own step 1 (RFC 8017 section 5.2.1) is the range
        if m >= public.n:
            raise TokenInvalid(problem="超出模数 / message representative out of range")
        s = self._sign_hidden(m)
        # Steps 3 and 4: a faulty s would give the key away (section 7.1)
        if pow(s, public.e, public.n) != m:
            raise TokenInvalid(problem="签发失败，请重试 / signing failure, try again")
        # Step 5
        return s.to_bytes(_size(public.n))

    def _sign_hidden(self, m: int) -> int:
        """RSASP1 on m * f^e for a fresh f: the time it takes says nothing about m (section 7.1)."""
        n, e = self._private.public_numbers.n, self._private.public_numbers.e
        factor = _draw(n)
        return self._exponentiate(m * pow(factor, e, n) % n) * pow(factor, -1, n) % n

    def _exponentiate(self, m: int) -> int:
        """RFC 8017 section 5.2.1, step 2b: by the Chinese remainder theorem."""
        key = self._private
        first = pow(m, _vary(key.dmp1, key.p), key.p)
        second = pow(m, _vary(key.dmq1, key.q), key.q)
        return second + key.q * ((first - second) * key.iqmp % key.p)


def _vary(exponent: int, prime: int) -> int:
    """Another exponent with the same result; no two signatures walk through the same bits."""
    return exponent + secrets.randbits(64) * (prime - 1)


def _draw(modulus: int) -> int:
    """Uniform in 1 <= r < n (RFC 9474 section 4.2, step 6); `randbelow` samples by rejection."""
    return 1 + secrets.randbelow(modulus - 1)


def blind(public: bytes, message: bytes | None = None) -> Blinding:
    """Prepare and Blind, RFC 9474 sections 4.1 and 4.2; two of one message have nothing alike."""
    numbers = _public_key(public).public_numbers()
    if message is None:
        message = secrets.token_bytes(_MESSAGE)
    _check_size(message, _MESSAGE)  # a token of another size would be recognised
    prepared = secrets.token_bytes(_PREFIX) + message
    blinded, inverse = _blind(numbers, prepared, secrets.token_bytes(_SALT), _draw(numbers.n))
    return Blinding(blinded, prepared, inverse.to_bytes(_size(numbers.n)))


def _blind(public: rsa.RSAPublicNumbers, prepared: bytes, salt: bytes, r: int) -> tuple[bytes, int]:
    """RFC 9474 section 4.2, the salt and the r of step 6 drawn by the caller."""
    # Steps 1 to 3: for one bit less than n, as RFC 8017 section 8.1.1 has it and the vectors too
    m = _encode(prepared, salt, public.n.bit_length() - 1)
    # Steps 4 and 5
    if math.gcd(m, public.n) != 1:
        raise TokenInvalid(problem="公钥无效 / invalid input: the public key")
    # Steps 7 and 8
    try:
        inverse = pow(r, -1, public.n)
    except ValueError as error:
        raise TokenInvalid(problem="盲化失败，请重试 / blinding error, try again") from error
    # Steps 9 to 11
    z = m * pow(r, public.e, public.n) % public.n
    return z.to_bytes(_size(public.n)), inverse


def _encode(message: bytes, salt: bytes, bits: int) -> int:
    """EMSA-PSS-ENCODE, RFC 8017 section 9.1.1, as the integer its bytes stand for. From 2048 bits
    on, hash and salt always fit (step 3).
    """
    # Steps 2, 5 and 6
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    # Steps 7 and 8: the zeros of PS vanish in an integer
    block = int.from_bytes(b"\x01" + salt)
    # Steps 9 and 10
    block ^= int.from_bytes(_mask(digest, (bits + 7) // 8 - _DIGEST - 1))
    # Step 11
    block &= (1 << (bits - 8 * (_DIGEST + 1))) - 1
    # Step 12
    return block << 8 * (_DIGEST + 1) | int.from_bytes(digest + b"\xbc")


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1, RFC 8017 appendix B.2.1."""
    counters = range(-(-length // _DIGEST))
    return b"".join(hashlib.sha384(seed + c.to_bytes(4)).digest() for c in counters)[:length]


def finish(public: bytes, blinding: Blinding, blind_signature: bytes) -> bytes:
    """Finalize, RFC 9474 section 4.4: the token, once it is certain that it will be accepted."""
    numbers = _public_key(public).public_numbers()
    signature = _unblind(numbers, int.from_bytes(blinding.inverse), blind_signature)
    token = blinding.message + signature
    # Steps 5 and 6
    check_token(public, token)
    return token


def _unblind(public: rsa.RSAPublicNumbers, inverse: int, blind_signature: bytes) -> bytes:
    """RFC 9474 section 4.4, steps 1 to 4."""
    _check_size(blind_signature, _size(public.n))
    s = int.from_bytes(blind_signature) * inverse % public.n
    return s.to_bytes(_size(public.n))


def check_token(public: bytes, token: bytes) -> None:
    """RFC 9474 section 4.5. Which messages were shown before is for the caller to remember."""
    key = _public_key(public)
    _check_size(token, TOKEN_MESSAGE + (key.key_size + 7) // 8)
    try:
        key.verify(token[TOKEN_MESSAGE:], token[:TOKEN_MESSAGE], _PSS, _HASH)
    except (InvalidSignature, ValueError) as error:
        raise TokenInvalid(problem="签名不符 / its signature") from error


@lru_cache(maxsize=32)
def _public_key(der: bytes) -> rsa.RSAPublicKey:
    try:
        key = load_der_public_key(der)
    except _UNREADABLE as error:
        raise TokenInvalid(problem="公钥无法读取 / the public key is unreadable") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise TokenInvalid(problem="不是 RSA 公钥 / the public key is not an RSA key")
    _check_numbers(key.public_numbers())
    return key


def _check_numbers(public: rsa.RSAPublicNumbers) -> None:
    """FIPS 186-5 appendix A.1.1; an exponent without bound would keep the server busy."""
    if not 2048 <= public.n.bit_length() <= 4096:
        raise TokenInvalid(problem="模数应为 2048 至 4096 位 / a modulus has 2048 to 4096 bits")
    if not (1 << 16 < public.e < 1 << 256 and public.e % 2):
        raise TokenInvalid(problem="公钥指数不可用 / the public exponent is not usable")


def _check_size(content: bytes, size: int) -> None:
    if len(content) != size:
        problem = f"{len(content)}，应为 {size} 字节 / {len(content)} of {size} bytes"
        raise TokenInvalid(problem=problem)


def _size(modulus: int) -> int:
    """RFC 9474's modulus_len"""
    return (modulus.bit_length() + 7) // 8
