"""Who stands behind a bid: a detached CMS signature by the bidder's CA key, inside the ciphertext.

`cryptography` signs and checks keys and certificates; asn1crypto only takes the CMS apart.
"""

import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs7,
)
from cryptography.x509.oid import NameOID

from trading.kernel.canonical import sha256
from trading.kernel.errors import ContentMalformed

if TYPE_CHECKING:
    from asn1crypto import cms

__all__ = ["Authority", "Certified", "Identity", "check_signature", "key_and_chain"]

_YEAR = timedelta(days=365)
_MALFORMED = (ValueError, TypeError, IndexError, KeyError, RecursionError)
_PRINTABLE = set(string.ascii_letters + string.digits + " '()+,-./:=?")


class Certified(msgspec.Struct, frozen=True):
    """The certificate a signature was checked with."""

    subject: str
    number: str  # serialNumber of the subject: 统一社会信用代码
    certificate: bytes  # DER

    @property
    def fingerprint(self) -> str:
        return sha256(self.certificate).hex()

    def speaks_for(self, number: str, authorities: Sequence[str]) -> bool:
        """Whether it is the certificate of that number, issued by one of the accepted authorities
        (DER, hex); without any named, any issuer is accepted (rehearsals).
        """
        if self.number != _printable(number):
            return False
        return not authorities or any(self._issued_by(authority) for authority in authorities)

    def _issued_by(self, authority: str) -> bool:
        try:
            issuer = x509.load_der_x509_certificate(bytes.fromhex(authority))
            own = x509.load_der_x509_certificate(self.certificate)
            own.verify_directly_issued_by(issuer)
        except (*_MALFORMED, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True


class Identity:
    """A private key with its certificate; signs bids."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.key, self.certificate = key, certificate

    def sign(self, message: bytes) -> bytes:
        options = [
            pkcs7.PKCS7Options.DetachedSignature,
            pkcs7.PKCS7Options.Binary,
            pkcs7.PKCS7Options.NoCapabilities,
        ]
        builder = pkcs7.PKCS7SignatureBuilder().set_data(message)
        builder = builder.add_signer(self.certificate, self.key, hashes.SHA256())
        return builder.sign(Encoding.DER, options)

    def pem(self) -> bytes:
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + self.certificate.public_bytes(Encoding.PEM)

    @classmethod
    def from_pem(cls, pem: bytes) -> "Identity":
        try:
            key = load_pem_private_key(pem, None)
            certificate = x509.load_pem_x509_certificate(pem)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            problem = "PEM 中应有私钥与证书 / a private key and its certificate are wanted"
            raise ContentMalformed(problem=problem) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ContentMalformed(problem="不是椭圆曲线密钥 / the key is not on an elliptic curve")
        return cls(key, certificate)


class Authority:
    """A certificate authority for rehearsals and tests; real bidders bring their CA's key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key, self._certificate = key, certificate

    @classmethod
    def create(cls, name: str, now: datetime) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return cls(key, _issue((key, own), own, key, now))

    def certificate(self) -> str:
        """The authority's own certificate, DER in hex, as a tender names it."""
        return self._certificate.public_bytes(Encoding.DER).hex()

    def issue(self, number: str, name: str) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, _clip(name)),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, _printable(number)),
            ]
        )
        issuer = (self._key, self._certificate.subject)
        return Identity(key, _issue(issuer, subject, key, self._certificate.not_valid_before_utc))

    def pem(self) -> bytes:
        return Identity(self._key, self._certificate).pem()

    @classmethod
    def from_pem(cls, pem: bytes) -> "Authority":
        identity = Identity.from_pem(pem)
        return cls(identity.key, identity.certificate)


def _issue(
    issuer: tuple[ec.EllipticCurvePrivateKey, x509.Name],
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    since: datetime,
) -> x509.Certificate:
    builder = x509.CertificateBuilder(issuer[1], subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(since).not_valid_after(since + 2 * _YEAR)
    return builder.sign(issuer[0], hashes.SHA256())


def _printable(number: str) -> str:
    """A subject's serialNumber is a PrintableString (X.520); other numbers appear as a digest."""
    if number.isascii() and set(number) <= _PRINTABLE and 0 < len(number) <= 64:
        return number
    return sha256(number.encode()).hex()


def _clip(text: str) -> str:
    """X.520 allows 64 bytes; the full name stands in the manifest."""
    return text.encode()[:64].decode("utf-8", "ignore") or "-"


def check_signature(der: bytes, message: bytes) -> Certified:
    """The signer's certificate; ContentMalformed unless the signature covers `message`."""
    from asn1crypto import cms  # noqa: PLC0415  75 ms that only an opening needs

    try:
        signed = cms.ContentInfo.load(der, strict=True)["content"]
        info = signed["signer_infos"][0]
        certificate = x509.load_der_x509_certificate(signed["certificates"][0].dump())
        covered = _covered(info, message)
        _verify(certificate, info["signature"].native, covered)
        subject = certificate.subject
        return Certified(
            _first(subject, NameOID.COMMON_NAME),
            _first(subject, NameOID.SERIAL_NUMBER),
            certificate.public_bytes(Encoding.DER),
        )
    except (*_MALFORMED, InvalidSignature, UnsupportedAlgorithm) as error:
        raise ContentMalformed(
            problem="投标人签名无效 / the bidder's signature is not valid"
        ) from error


def _covered(info: "cms.SignerInfo", message: bytes) -> bytes:
    """RFC 5652 section 5.4: the signed attributes if there are any, which hold the digest."""
    attributes = info["signed_attrs"]
    if not len(attributes):
        return message
    digests = [a["values"][0].native for a in attributes if a["type"].native == "message_digest"]
    if digests != [sha256(message)] or info["digest_algorithm"]["algorithm"].native != "sha256":
        raise ValueError("message digest")
    dumped: bytes = attributes.untag().dump()
    return dumped


def _verify(certificate: x509.Certificate, signature: bytes, covered: bytes) -> None:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, covered, ec.ECDSA(hashes.SHA256()))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, covered, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise TypeError("key type")


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    values = name.get_attributes_for_oid(oid)
    return str(values[0].value) if values else ""


def key_and_chain(secret: bytes) -> tuple[Any, list[Any]]:
    """Of a PEM, as asn1crypto has them: a PrivateKeyInfo, and its Certificate before any others."""
    from asn1crypto import keys, pem  # noqa: PLC0415  as above
    from asn1crypto import x509 as asn1  # noqa: PLC0415

    key, certificates = None, []
    try:
        for kind, _, der in pem.unarmor(secret, multiple=True):
            if kind == "CERTIFICATE":
                certificates.append(asn1.Certificate.load(der))
            else:
                key = keys.PrivateKeyInfo.load(der)
    except ValueError as error:
        raise ContentMalformed(problem=f"PEM: {error}") from error
    if key is None or not certificates:
        problem = "PEM 中应有私钥与证书 / a private key and its certificate are wanted"
        raise ContentMalformed(problem=problem)
    return key, certificates
