"""Keys that sign notes and acts: Ed25519 and ML-DSA-44. The ledger's only use of `cryptography`.

Types after signed-note: 0x01 Ed25519 over the text; 0x04 and 0x06 timestamped cosignatures
(c2sp.org/tlog-cosignature). A key file is one line, `PRIVATE+KEY+name+id+base64(type || seed)`.
"""

import base64
import binascii
from enum import IntEnum
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from trading.kernel.canonical import sha256
from trading.kernel.errors import Broken, NoteMalformed
from trading.kernel.files import write_secret
from trading.kernel.settings import read_secret
from trading.ledger.note import SignatureLine, decode_base64

__all__ = ["ActorKey", "KeyType", "NoteKey", "VerifierKey", "check_act", "cosigned_message"]


class KeyType(IntEnum):
    ED25519 = 0x01
    COSIGN_ED25519 = 0x04
    COSIGN_MLDSA44 = 0x06


_PUBLIC_LENGTH = {KeyType.ED25519: 32, KeyType.COSIGN_ED25519: 32, KeyType.COSIGN_MLDSA44: 1312}


class VerifierKey(msgspec.Struct, frozen=True):
    name: str
    kind: KeyType
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode(), b"\n", bytes([self.kind]), self.public)[:4]

    def __str__(self) -> str:
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        name, _, rest = text.partition("+")
        key_id, _, material = rest.partition("+")
        raw = decode_base64(material)
        try:
            kind = KeyType(raw[0])
        except (IndexError, ValueError) as error:
            raise NoteMalformed(
                problem=f"{name} 的密钥类型不受支持 / key type of {name}"
            ) from error
        key = cls(name, kind, raw[1:])
        if not name or len(key.public) != _PUBLIC_LENGTH[kind] or key.key_id.hex() != key_id:
            raise NoteMalformed(problem=f"验证密钥 {text[:40]} / verifier key {text[:40]}")
        return key

    def signed(self, line: SignatureLine) -> bool:
        return (line.name, line.key_id) == (self.name, self.key_id)

    def check(self, line: SignatureLine, text: str) -> int:
        """The cosignature's time in seconds (0 for a plain signature); Broken if it is wrong."""
        time, signature = 0, line.signature
        if self.kind is not KeyType.ED25519:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        message = _message(self.kind, self.name, text, time)
        try:
            if self.kind is KeyType.COSIGN_MLDSA44:
                mldsa.MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
            else:
                ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise Broken(problem=f"{self.name} 的签名不符 / signature of {self.name}") from error
        return time


def _message(kind: KeyType, name: str, text: str, time: int) -> bytes:
    if kind is KeyType.ED25519:
        return text.encode()
    if kind is KeyType.COSIGN_ED25519:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    origin, size, root = text.split("\n")[:3]
    return cosigned_message(name, time, origin, int(size), decode_base64(root))


def cosigned_message(name: str, time: int, origin: str, size: int, root: bytes) -> bytes:
    """The `cosigned_message` struct of tlog-cosignature, for a whole tree (start 0)."""
    return b"".join(
        [
            b"subtree/v1\n\0",
            bytes([len(name.encode())]) + name.encode(),
            time.to_bytes(8, "big"),
            bytes([len(origin.encode())]) + origin.encode(),
            (0).to_bytes(8, "big"),
            size.to_bytes(8, "big"),
            root,
        ]
    )


class NoteKey:
    """A private key that signs notes under a name."""

    def __init__(self, name: str, kind: KeyType, seed: bytes) -> None:
        self._seed = seed
        self._private = (
            mldsa.MLDSA44PrivateKey.from_seed_bytes(seed)
            if kind is KeyType.COSIGN_MLDSA44
            else ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        )
        public = self._private.public_key().public_bytes_raw()
        self.verifier = VerifierKey(name, kind, public)

    @classmethod
    def generate(cls, name: str, kind: KeyType) -> "NoteKey":
        return cls(name, kind, ed25519.Ed25519PrivateKey.generate().private_bytes_raw())

    def sign(self, text: str, time: int = 0) -> SignatureLine:
        key = self.verifier
        signature = self._private.sign(_message(key.kind, key.name, text, time))
        stamp = b"" if key.kind is KeyType.ED25519 else time.to_bytes(8, "big")
        return SignatureLine(key.name, key.key_id, stamp + signature)

    def save(self, path: Path) -> None:
        key = self.verifier
        secret = base64.b64encode(bytes([key.kind]) + self._seed).decode()
        write_secret(path, f"PRIVATE+KEY+{key.name}+{key.key_id.hex()}+{secret}\n".encode())

    @classmethod
    def load(cls, path: Path) -> "NoteKey":
        try:
            _, _, name, _, secret = read_secret(path).decode().strip().split("+", 4)
            raw = base64.b64decode(secret, validate=True)
            return cls(name, KeyType(raw[0]), raw[1:])
        except (ValueError, IndexError, binascii.Error) as error:
            raise NoteMalformed(problem=f"密钥文件 {path} / key file {path}") from error


class ActorKey:
    """Signs the acts of one party (Ed25519)."""

    def __init__(self, seed: bytes) -> None:
        self._private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> "ActorKey":
        return cls(ed25519.Ed25519PrivateKey.generate().private_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    def save(self, path: Path) -> None:
        write_secret(path, self._private.private_bytes_raw())

    @classmethod
    def load(cls, path: Path) -> "ActorKey":
        return cls(read_secret(path))


def check_act(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
