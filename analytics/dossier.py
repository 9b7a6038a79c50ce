"""投标资料 what one bidder's opened envelope holds, as far as likeness is looked for in it.

A folder a bidder: a priced bill (`*.json` with sections, or `*.xlsx`), texts (`*.txt`, `*.md`,
`*.docx`), and `maker.json`, the record that the sealing program makes.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec

from evaluation.bill import Bill, read_bill
from trading.kernel.errors import InputUnusable, Refusal
from trading.kernel.files import read_text

__all__ = ["Dossier", "Maker", "Passage", "read_dossiers"]

TENDER = "tender"  # the folder of the tender's own documents
_MAKER = "maker.json"
_MOST = 64 << 20  # bytes of one unpacked part
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CORE = {
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "saved_by": "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
    "lastModifiedBy",
}


class Maker(msgspec.Struct, frozen=True):
    """制作记录. Machines and keys are hashed per tender, so that they can be compared and no more;
    `payer`: the account that paid the bond; `staff`: members of the project's team.
    """

    machine: str = ""
    mac: str = ""
    disk: str = ""
    dongle: str = ""  # 计价软件加密锁
    author: str = ""
    saved_by: str = ""
    payer: str = ""
    staff: tuple[str, ...] = ()


class Passage(msgspec.Struct, frozen=True):
    """A paragraph, and where it stands."""

    file: str
    number: int
    text: str


class Dossier(msgspec.Struct, frozen=True):
    bidder: str
    maker: Maker
    bill: Bill | None
    passages: tuple[Passage, ...]


def read_dossiers(folders: Sequence[Path]) -> tuple[list[Dossier], tuple[Passage, ...]]:
    """Of the bidders, and the tender's own texts; one folder stands for the folders in it."""
    if len(folders) == 1:
        folders = sorted(path for path in folders[0].iterdir() if path.is_dir())
    bidders = [folder for folder in folders if folder.name != TENDER]
    if len(bidders) < 2:
        raise InputUnusable(path=Path(), problem="至少两家投标人的文件夹 / two bidders' folders")
    own = [folder for folder in folders if folder.name == TENDER]
    background = tuple(passage for folder in own for passage in _passages(folder))
    return [_dossier(folder) for folder in bidders], background


def _dossier(folder: Path) -> Dossier:
    maker = _maker(folder / _MAKER)
    for path in sorted(folder.rglob("*.docx")):
        maker = _with_core(maker, path)
    return Dossier(folder.name, maker, _bill(folder), tuple(_passages(folder)))


def _maker(path: Path) -> Maker:
    if not path.exists():
        return Maker()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Maker)
    except msgspec.MsgspecError as error:
        raise InputUnusable(path=path, problem=error) from error


def _bill(folder: Path) -> Bill | None:
    """The first file that is one."""
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.xlsx")]):
        if path.name != _MAKER:
            try:
                return read_bill(path, folder.name)
            except Refusal:
                continue
    return None


def _passages(folder: Path) -> Iterator[Passage]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        paragraphs: Sequence[str] = ()
        if path.suffix.lower() in (".txt", ".md"):
            paragraphs = read_text(path).splitlines()
        elif path.suffix.lower() == ".docx":
            paragraphs = _paragraphs(path)
        for number, text in enumerate(paragraphs, 1):
            if text.strip():
                yield Passage(name, number, text.strip())


def _paragraphs(path: Path) -> list[str]:
    tree = _part(path, "word/document.xml")
    return [
        "".join(run.text or "" for run in paragraph.iter(f"{_WORD}t"))
        for paragraph in tree.iter(f"{_WORD}p")
    ]


def _with_core(maker: Maker, path: Path) -> Maker:
    """Author and last saver of a document, where the record does not name them."""
    tree = _part(path, "docProps/core.xml")
    found = {name: (tree.findtext(tag) or "").strip() for name, tag in _CORE.items()}
    known = {name: value for name, value in found.items() if value and not getattr(maker, name)}
    return msgspec.structs.replace(maker, **known)


def _part(path: Path, name: str) -> ET.Element:
    """InputUnusable for what is no such document, or would unpack to too much."""
    try:
        with zipfile.ZipFile(path) as archive:
            if name not in archive.namelist():
                return ET.Element("none")
            if archive.getinfo(name).file_size > _MOST:
                raise InputUnusable(path=path, problem=f"{name} 过大 / too large")
            content = archive.read(name)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise InputUnusable(path=path, problem=error) from error
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise InputUnusable(path=path, problem=f"{name}: DOCTYPE")
    try:
        return ET.fromstring(content)  # noqa: S314  without a document type nothing expands
    except ET.ParseError as error:
        raise InputUnusable(path=path, problem=error) from error
