"""Signed notes (c2sp.org/signed-note v1.0.0): text, blank line, signature lines. Pure text."""

import base64
import binascii
import re

import msgspec

from trading.kernel.errors import NoteMalformed

__all__ = ["Note", "SignatureLine", "decode_base64"]

_LINE = re.compile(r"— ([^\s+]+) (\S+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_MAX_SIGNATURES = 64  # the specification demands at least 16


class SignatureLine(msgspec.Struct, frozen=True):
    name: str
    key_id: bytes  # 4 bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


class Note(msgspec.Struct, frozen=True):
    """`text` ends in a newline; it means nothing until a trusted key has signed it."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, note: str) -> "Note":
        if _CONTROL.search(note):
            raise NoteMalformed(problem="含控制字符 / control characters")
        text, blank, tail = note.rpartition("\n\n")
        if not blank or not tail.endswith("\n") or not text:
            raise NoteMalformed(
                problem="空行之后没有签名行 / no signature lines after a blank line"
            )
        lines = tail[:-1].split("\n")
        if len(lines) > _MAX_SIGNATURES:
            raise NoteMalformed(problem=f"签名数 {len(lines)} / {len(lines)} signatures")
        return cls(f"{text}\n", tuple(_signature_line(line) for line in lines))

    def with_signatures(self, lines: list[SignatureLine]) -> "Note":
        fresh = [line for line in lines if line not in self.signatures]
        return Note(self.text, (*self.signatures, *fresh))


def _signature_line(line: str) -> SignatureLine:
    match = _LINE.fullmatch(line)
    if not match:
        raise NoteMalformed(problem=f"签名行 {line[:40]!r} / signature line {line[:40]!r}")
    raw = decode_base64(match[2])
    if len(raw) < 5:
        raise NoteMalformed(problem="签名过短 / a signature is too short")
    return SignatureLine(match[1], raw[:4], raw[4:])


def parse_signature_lines(text: str) -> list[SignatureLine]:
    """The lines of a witness's answer."""
    if not text.endswith("\n"):
        raise NoteMalformed(problem="答复未以换行结束 / the answer does not end in a newline")
    return [_signature_line(line) for line in text[:-1].split("\n")]


def is_size(text: str) -> bool:
    """A decimal below 2**63 without leading zeros."""
    sound = text.isascii() and text.isdecimal() and len(text) <= 19
    return sound and str(int(text)) == text and int(text) < 1 << 63


def decode_base64(text: str) -> bytes:
    """Strict RFC 4648 section 4: any text has one reading and any bytes one spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteMalformed(problem=error) from error
    if base64.b64encode(raw).decode() != text:
        raise NoteMalformed(problem="base64 不规范 / base64 is not canonical")
    return raw
