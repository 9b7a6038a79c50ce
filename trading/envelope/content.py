"""What an envelope holds: manifest, files, the bidder's signature, zeros up to the padded size.

u32 length || manifest (canonical JSON) || files || u32 length || CMS || 00 ...
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec

from trading.envelope.identity import Certified, check_signature
from trading.envelope.layout import Header
from trading.kernel.canonical import canonical, sha256
from trading.kernel.errors import ContentMalformed
from trading.kernel.files import CHUNK, read_chunks

__all__ = ["Bidder", "FileEntry", "Manifest", "Opened", "Price", "describe_files", "read_content"]

_LIMIT = 1 << 20  # manifest and signature
_CONTEXT = 152
_NAME = 255  # bytes of a file's name, on the file systems that we know


class Bidder(msgspec.Struct, frozen=True):
    """投标人: its registration number (统一社会信用代码) and name."""

    id: str
    name: str


class Price(msgspec.Struct, frozen=True):
    """报价 in hundredths of the currency."""

    fen: Annotated[int, msgspec.Meta(gt=-(2**53), lt=2**53)]  # RFC 8785's safe integers
    currency: str = "CNY"


class FileEntry(msgspec.Struct, frozen=True):
    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bidder: Bidder
    files: tuple[FileEntry, ...]
    lot: int
    price: Price | None
    stage: int
    tender: str
    v: int = 1

    def pack(self) -> bytes:
        return canonical(self)


class Opened(msgspec.Struct, frozen=True):
    """An envelope's content, checked; `certified` is empty when the bid bears no signature."""

    manifest: Manifest
    certified: Certified | None


def describe_files(folder: Path) -> tuple[FileEntry, ...]:
    """The files of a folder, without its sub-folders, in the order of their names."""
    entries = []
    for path in sorted(folder.iterdir()):
        if path.is_file():
            digest = hashlib.sha256()
            for chunk in read_chunks(path):
                digest.update(chunk)
            entries.append(FileEntry(path.name, path.stat().st_size, digest.hexdigest()))
    return tuple(entries)


def bidder_message(header: Header, manifest: bytes) -> bytes:
    """What the bidder's CA key signs: this envelope's context and this manifest."""
    return sha256(header.pack()[:_CONTEXT], sha256(manifest))


def plain_chunks(
    manifest: bytes, folder: Path | None, files: tuple[FileEntry, ...], cms: bytes, padded: int
) -> Iterator[bytes]:
    """The plaintext, streamed; a file that changes meanwhile breaks its digest, not the layout."""
    lead = len(manifest).to_bytes(4, "big") + manifest
    yield lead
    written = len(lead)
    for file in files:
        for chunk in _exactly((folder or Path()) / file.name, file.size):
            written += len(chunk)
            yield chunk
    tail = len(cms).to_bytes(4, "big") + cms
    yield tail
    left = padded - written - len(tail)
    while left > 0:
        yield bytes(min(left, CHUNK))
        left -= CHUNK


def plain_size(manifest: bytes, files: tuple[FileEntry, ...], cms: bytes) -> int:
    return 8 + len(manifest) + len(cms) + sum(file.size for file in files)


def _exactly(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as source:
        while size:
            chunk = source.read(min(size, CHUNK))
            if not chunk:
                raise ContentMalformed(problem=f"{path.name} 变短了 / {path.name} became shorter")
            size -= len(chunk)
            yield chunk


def read_content(plain: BinaryIO, header: Header, extract: Path | None = None) -> Opened:
    """Check every byte of the plaintext, and write the files below `extract` if it is given."""
    raw = _framed(plain, "manifest")
    manifest = _manifest(raw, header)
    for file in manifest.files:
        _copy(plain, file, extract)
    cms = _framed(plain, "signature")
    while chunk := plain.read(CHUNK):
        if chunk != bytes(len(chunk)):
            raise ContentMalformed(problem="填充不为零 / padding is not zero")
    certified = check_signature(cms, bidder_message(header, raw)) if cms else None
    return Opened(manifest, certified)


def _framed(plain: BinaryIO, what: str) -> bytes:
    size = plain.read(4)
    length = int.from_bytes(size, "big")
    raw = plain.read(length) if length <= _LIMIT else b""
    if len(size) != 4 or length > _LIMIT or len(raw) != length:
        raise ContentMalformed(problem=f"{what} 的长度 / length of the {what}")
    return raw


def _manifest(raw: bytes, header: Header) -> Manifest:
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ContentMalformed(problem=error) from error
    place = manifest.lot, manifest.stage, manifest.tender.replace("-", "")
    if manifest.pack() != raw or place != (header.lot, header.stage, header.tender.hex()):
        raise ContentMalformed(
            problem="清单属于另一信封或不规范"
            " / the manifest is for another envelope, or not canonical"
        )
    for file in manifest.files:
        if file.name in ("", ".", "..") or set(file.name) & set("/\\\0") or file.size < 0:
            raise ContentMalformed(problem=f"文件名 {file.name!r} / file name {file.name!r}")
    return manifest


def _stored(name: str) -> str:
    """A name that other systems allow may be too long here: then its digest and its ending."""
    if len(name.encode("utf-8", "surrogatepass")) <= _NAME:
        return name
    ending = Path(name).suffix
    return sha256(name.encode("utf-8", "surrogatepass")).hex() + (ending if len(ending) < 9 else "")


def _copy(plain: BinaryIO, file: FileEntry, extract: Path | None) -> None:
    digest, left = hashlib.sha256(), file.size
    target = (extract / _stored(file.name)).open("wb") if extract else None
    try:
        while left and (chunk := plain.read(min(left, CHUNK))):
            left -= len(chunk)
            digest.update(chunk)
            if target:
                target.write(chunk)
    finally:
        if target:
            target.close()
    if left or digest.hexdigest() != file.sha256:
        raise ContentMalformed(
            problem=f"{file.name} 与其摘要不符 / {file.name} differs from its digest"
        )
