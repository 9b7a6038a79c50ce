"""Opening 开启: from the committee's combined point to the checked content. Pure cryptography.

No plaintext is handed out before the last chunk has been authenticated.
"""

import hmac
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trading.envelope.content import Opened, read_content
from trading.envelope.layout import Address, Prefix, cokey_commitment, wrap_info
from trading.envelope.seal import body_key
from trading.kernel.errors import CannotOpen, CokeyWrong
from trading.keys.group import to_montgomery
from trading.keys.hpke import key_schedule
from trading.keys.opening import shared_secret

__all__ = ["check_cokey", "open_envelope", "unwrap"]

_IN_MEMORY = 1 << 22


def check_cokey(prefix: Prefix, cokey: bytes) -> None:
    header = prefix.header
    expected = cokey_commitment(cokey, header.vk, header.tender, header.lot, header.stage)
    if not header.has_cokey or not hmac.compare_digest(expected, header.ck):
        raise CokeyWrong


def unwrap(prefix: Prefix, combined: bytes, address: Address) -> bytes:
    """The data key; CannotOpen tells that a share (or the envelope) is wrong."""
    recipient = to_montgomery(address.key)
    dh = shared_secret(combined)
    _, key, nonce = key_schedule(dh, prefix.enc, recipient, wrap_info(prefix.header))
    try:
        return AESGCM(key).decrypt(nonce, prefix.wct, b"")
    except InvalidTag as error:
        raise CannotOpen(problem="封装的密钥无法解开 / the wrapped key does not open") from error


def open_envelope(
    prefix: Prefix, dek: bytes, cokey: bytes, body: Iterable[bytes], extract: Path | None = None
) -> Opened:
    """The content, checked to its last byte; files go below `extract` if it is given."""
    if prefix.header.has_cokey:
        check_cokey(prefix, cokey)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as plain:
        _decrypt(prefix, dek, cokey, body, plain)  # type: ignore[arg-type]
        plain.seek(0)
        return read_content(plain, prefix.header, extract)  # type: ignore[arg-type]


def _decrypt(
    prefix: Prefix, dek: bytes, cokey: bytes, body: Iterable[bytes], plain: BinaryIO
) -> None:
    header = prefix.header
    key = body_key(dek, cokey if header.has_cokey else b"", header)
    decryptor = Cobblestone256Decryptor(key, header.context)
    try:
        # writelines() would hold the whole body before it rolls over to disk
        for chunk in body:  # noqa: FURB122
            plain.write(decryptor.update(chunk))
        plain.write(decryptor.finalize())
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(problem="正文已损坏 / the body is damaged") from error
