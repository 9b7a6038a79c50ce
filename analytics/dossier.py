"""投标资料 what one bidder's opened envelope holds, as far as likeness is looked for in it.

A folder a bidder: a priced bill (`*.json` with sections, or `*.xlsx`), texts (`*.txt`, `*.md`,
`*.docx`, `*.pdf`), and `maker.json`, the record that the sealing program makes.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from analytics.document import Document, Picture, read_document
from evaluation.bill import Bill, read_bill
from trading.kernel.errors import InputUnusable, Refusal

__all__ = ["Dossier", "Maker", "Passage", "Seen", "read_dossier", "read_dossiers", "read_makers"]

TENDER = "tender"  # the folder of the tender's own documents
_MAKER = "maker.json"
_BILLS = (".json", ".xlsx")

Skip = Callable[[Path, Refusal], None]


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


class Seen(msgspec.Struct, frozen=True):
    """Something of a file that is compared as it is: a property, a picture."""

    file: str
    place: str
    value: str


class Dossier(msgspec.Struct, frozen=True):
    """`bidder` tells bidders apart, `name` is what texts would call it; `makers`: of each envelope,
    and what documents say of theirs; `unread`: files that could not be read, with the reason.
    """

    bidder: str
    makers: tuple[Maker, ...]
    bill: Bill | None
    passages: tuple[Passage, ...]
    properties: tuple[Seen, ...] = ()
    pictures: tuple[Seen, ...] = ()
    name: str = ""
    unread: tuple[str, ...] = ()


def read_dossiers(folders: Sequence[Path]) -> tuple[list[Dossier], Dossier]:
    """Of the bidders, and of the tender itself; one folder stands for the folders in it."""
    given = folders[0]
    if len(folders) == 1:
        folders = sorted(path for path in folders[0].iterdir() if path.is_dir())
    bidders = [folder for folder in folders if folder.name != TENDER]
    if len(bidders) < 2:
        raise InputUnusable(path=given, problem="至少两家投标人的文件夹 / two bidders' folders")
    own = [read_dossier(folder, TENDER) for folder in folders if folder.name == TENDER]
    background = own[0] if own else Dossier(TENDER, (), None, ())
    return [read_dossier(folder, folder.name) for folder in bidders], background


def read_dossier(folder: Path, bidder: str, name: str = "", *, lenient: bool = False) -> Dossier:
    """`lenient`: what cannot be read is named, and does not stop the rest; otherwise InputUnusable
    for it.
    """
    unread: list[str] = []

    def skip(path: Path, problem: Refusal) -> None:
        if not lenient:
            raise problem
        place = str(path.relative_to(folder))
        told = type(problem)(**{**problem.facts, "path": place}).text("zh")
        unread.append(told if place in told else f"{place}：{told}")

    documents = dict(_documents(folder, skip))
    makers = tuple(_makers(folder, skip))
    return Dossier(
        bidder,
        (*makers, _by_properties(makers, documents)),
        _bill(folder, bidder, skip),
        tuple(_passages(documents)),
        tuple(
            Seen(file, key, value)
            for file, document in documents.items()
            for key, value in document.properties.items()
        ),
        tuple(_pictures(documents)),
        name or bidder,
        tuple(unread),
    )


def _documents(folder: Path, skip: Skip) -> Iterator[tuple[str, Document]]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            document = read_document(path)
        except Refusal as problem:
            skip(path, problem)
        else:
            if document:
                yield str(path.relative_to(folder)), document


def read_makers(folder: Path) -> tuple[Maker, ...]:
    """The records alone; what is none is passed over."""
    return tuple(_makers(folder, lambda _, __: None))


def _makers(folder: Path, skip: Skip) -> Iterator[Maker]:
    for path in sorted(folder.rglob(_MAKER)):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Maker)
        except (OSError, msgspec.MsgspecError, RecursionError) as error:
            skip(path, InputUnusable(path=path, problem=error))


def _bill(folder: Path, bidder: str, skip: Skip) -> Bill | None:
    """The first file that is one, under the bidder's own name whatever it says; without any, what
    might have been one is told.
    """
    refused: dict[Path, Refusal] = {}
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in _BILLS):
        if path.name != _MAKER:
            try:
                return msgspec.structs.replace(read_bill(path, bidder), bidder=bidder)
            except Refusal as problem:
                refused[path] = problem
    for path, refusal in refused.items():
        skip(path, refusal)
    return None


def _passages(documents: dict[str, Document]) -> Iterator[Passage]:
    for file, document in documents.items():
        for number, text in enumerate(document.paragraphs, 1):
            if text.strip():
                yield Passage(file, number, text.strip())


def _pictures(documents: dict[str, Document]) -> Iterator[Seen]:
    for file, document in documents.items():
        for picture in document.pictures:
            yield _seen(file, picture)


def _seen(file: str, picture: Picture) -> Seen:
    return Seen(file, picture.place, picture.digest)


def _by_properties(makers: Sequence[Maker], documents: dict[str, Document]) -> Maker:
    """Author and last saver of the first document that says so, where no record names them."""

    def first(name: str) -> str:
        told = [one.properties[name] for one in documents.values() if name in one.properties]
        return told[0] if told and not any(getattr(one, name) for one in makers) else ""

    return Maker(author=first("author"), saved_by=first("saved_by"))
