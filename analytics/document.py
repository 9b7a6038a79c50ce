"""文件 what one file of a bid says: its paragraphs, who wrote it with what, and its pictures.

Files come from strangers: what would unpack to too much, or is damaged, is InputUnusable.
"""

import hashlib
import logging
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import StreamObject

from analytics.packed import decoded
from trading.kernel.errors import InputUnusable

__all__ = ["Document", "Picture", "read_document"]

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong is told as a refusal

_MOST = 64 << 20  # bytes of one part, unpacked
_LARGEST = 256 << 20  # of a file
_SMALLEST_PICTURE = 2048  # bytes: below are bullets and lines
_PAGES = 2000
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PROPERTIES = {
    "docProps/core.xml": {
        "author": "{http://purl.org/dc/elements/1.1/}creator",
        "saved_by": "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
        "lastModifiedBy",
        "created": "{http://purl.org/dc/terms/}created",
    },
    "docProps/app.xml": {
        "company": "{http://schemas.openxmlformats.org/officeDocument/2006/extended-properties}"
        "Company"
    },
}
_PDF_PROPERTIES = {"author": "/Author", "created": "/CreationDate"}


class Picture(msgspec.Struct, frozen=True):
    """`digest`: SHA-256 of its bytes, hex."""

    place: str
    digest: str


class Document(msgspec.Struct, frozen=True):
    """`properties`: author, saved_by, company, created, identifier, as far as the file has them."""

    paragraphs: tuple[str, ...] = ()
    properties: dict[str, str] = {}
    pictures: tuple[Picture, ...] = ()


def read_document(path: Path) -> Document | None:
    """None for a kind of file that has no text to compare."""
    read = _READERS.get(path.suffix.lower())
    if read is None:
        return None
    if path.stat().st_size > _LARGEST:
        raise InputUnusable(path=path, problem="文件过大 / too large")
    return read(path)


def _plain(path: Path) -> Document:
    try:
        return Document(tuple(decoded(path.read_bytes()).splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise InputUnusable(path=path, problem=error) from error


def _word(path: Path) -> Document:
    try:
        with zipfile.ZipFile(path) as archive:
            return Document(
                tuple(_paragraphs(_tree(path, archive, "word/document.xml"))),
                _properties(path, archive),
                tuple(_media(path, archive)),
            )
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputUnusable(path=path, problem=error) from error


def _paragraphs(tree: ET.Element) -> Iterator[str]:
    for paragraph in tree.iter(f"{_WORD}p"):
        yield "".join(run.text or "" for run in paragraph.iter(f"{_WORD}t"))


def _properties(path: Path, archive: zipfile.ZipFile) -> dict[str, str]:
    found: dict[str, str] = {}
    for part, tags in _PROPERTIES.items():
        tree = _tree(path, archive, part)
        found |= {name: (tree.findtext(tag) or "").strip() for name, tag in tags.items()}
    return {name: value for name, value in found.items() if value}


def _media(path: Path, archive: zipfile.ZipFile) -> Iterator[Picture]:
    for entry in archive.infolist():
        if "/media/" in entry.filename and entry.file_size >= _SMALLEST_PICTURE:
            yield Picture(entry.filename, _digest(_part(path, archive, entry.filename)))


def _tree(path: Path, archive: zipfile.ZipFile, name: str) -> ET.Element:
    if name not in archive.namelist():
        return ET.Element("none")
    content = _part(path, archive, name)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise InputUnusable(path=path, problem=f"{name}: DOCTYPE")
    try:
        return ET.fromstring(content)  # noqa: S314  without a document type nothing expands
    except ET.ParseError as error:
        raise InputUnusable(path=path, problem=error) from error


def _part(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """What an entry claims to unpack to is no promise: reading stops at the limit."""
    with archive.open(name) as part:
        content = part.read(_MOST + 1)
    if len(content) > _MOST:
        raise InputUnusable(path=path, problem=f"{name} 过大 / too large")
    return content


def _pdf(path: Path) -> Document:
    try:
        reader = PdfReader(BytesIO(path.read_bytes()), strict=False)
        _check_pdf(path, reader)
        texts = [page.extract_text() for page in reader.pages]
        return Document(
            tuple(line for text in texts for line in text.splitlines()),
            _pdf_properties(reader),
            tuple(_pdf_pictures(reader)),
        )
    except InputUnusable:
        raise
    except (PyPdfError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputUnusable(path=path, problem=error) from error
    except (RecursionError, ArithmeticError, AssertionError, NotImplementedError) as error:
        problem = f"PDF 有误 / a PDF that is wrong: {type(error).__name__}"
        raise InputUnusable(path=path, problem=problem) from error


def _check_pdf(path: Path, reader: PdfReader) -> None:
    if reader.is_encrypted:
        raise InputUnusable(path=path, problem="文件已加密 / encrypted")
    if len(reader.pages) > _PAGES:
        raise InputUnusable(path=path, problem=f"超过 {_PAGES} 页 / too many pages")


def _pdf_properties(reader: PdfReader) -> dict[str, str]:
    """The first of the two file identifiers stays with a file through every later saving."""
    known: Mapping[str, object] = reader.metadata or {}
    found = {name: str(known.get(key, "")).strip() for name, key in _PDF_PROPERTIES.items()}
    identifiers = reader.trailer.get("/ID")
    if identifiers:
        first = identifiers.get_object()[0]
        raw = first if isinstance(first, bytes) else str(first).encode("utf-8", "replace")
        found["identifier"] = raw.hex()
    return {name: value for name, value in found.items() if value}


def _pdf_pictures(reader: PdfReader) -> Iterator[Picture]:
    """As they are stored: the same picture, embedded twice, has the same bytes."""
    for number, page in enumerate(reader.pages, 1):
        resources = page.get("/Resources")
        objects = resources.get_object().get("/XObject") if resources else None
        for name, found in (objects.get_object() if objects else {}).items():
            item = found.get_object()
            is_picture = isinstance(item, StreamObject) and item.get("/Subtype") == "/Image"
            raw = item._data if is_picture else b""  # noqa: SLF001  as stored, not unpacked
            if len(raw) >= _SMALLEST_PICTURE:
                yield Picture(f"第 {number} 页 {name}", _digest(raw))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_READERS = {".txt": _plain, ".md": _plain, ".docx": _word, ".pdf": _pdf}
