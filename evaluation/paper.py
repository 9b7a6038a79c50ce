"""文书 papers as data: titles, pairs, tables, notes and who signed; typeset once, in one template.

The same facts give the same bytes: PDF/A-2a with embedded Chinese fonts, dated by the ledger.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import pylopdf_fonts_zh_cn
import typst

from evaluation.sitting import Sitting
from trading.awarding import Awarding
from trading.kernel.calendar import BEIJING
from trading.kernel.canonical import canonical
from trading.kernel.money import Money

__all__ = [
    "Case",
    "Note",
    "Pairs",
    "Paper",
    "PaperKind",
    "Part",
    "Picture",
    "Signature",
    "Table",
    "moment",
    "money",
    "paper_of",
    "seal_mark",
    "typeset",
]

_UNUSUAL = re.compile(
    "[^ -~\u00a1-\u017f\u0391-\u03c9\u0400-\u045f\u2010-\u2026\u2192\u2212\u3000-\u3002"
    "\u3008-\u3011\u4e00-\u9fa5\uff01-\uff5e]"
)
_CONTROL = re.compile(r"\\u(00[0-9a-f]{2})")  # as JSON writes it
_HERE = Path(__file__).parent / "papers"
_FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent


class Pairs(msgspec.Struct, frozen=True, tag="pairs"):
    rows: tuple[tuple[str, str], ...]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """`widths` are typst's: fr, cm or auto; `right`: columns of numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]
    right: tuple[int, ...] = ()


class Note(msgspec.Struct, frozen=True, tag="note"):
    text: str


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """`svg` as wide as the page; `alt`: what it shows, for who cannot see it."""

    svg: str
    alt: str


class Part(msgspec.Struct, frozen=True):
    title: str
    blocks: tuple[Pairs | Table | Note | Picture, ...]


class Signature(msgspec.Struct, frozen=True):
    name: str
    how: str


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """`at`: of the last fact that is told; `mark`: what lets a reader find it in the ledger."""

    title: str
    subtitle: str
    issuer: str
    at: datetime
    parts: tuple[Part, ...]
    signatures: tuple[Signature, ...] = ()
    mark: str = ""
    is_rehearsal: bool = False
    has_seal: bool = True


class Case(msgspec.Struct, frozen=True):
    """All that papers tell of: a sitting (with tender and draws) and the award, as of the entry
    `upto`, which is the newest that they come from.
    """

    sitting: Sitting
    awarding: Awarding
    at: datetime
    issuer: str
    mark: str
    upto: int


class PaperKind(msgspec.Struct, frozen=True, kw_only=True):
    """`compose` is pure; it refuses with PaperRefusal what is not there yet."""

    code: str
    zh: str
    en: str
    compose: Callable[[Case], Paper]


def _subject(case: Case) -> Part:
    """The first part of every paper: which tender it is about."""
    draft = case.sitting.tender.drafted
    procedure = case.sitting.tender.procedure
    rows = (
        ("项目编号", draft.number),
        ("项目名称", draft.title),
        ("招标人", draft.buyer),
        ("采购方式", f"{procedure.zh} {procedure.en}"),
        ("标段", "；".join(f"{lot.number} {lot.title}" for lot in draft.lots)),
        ("公告时间", moment(case.sitting.tender.published_at)),
    )
    return Part("项目", (Pairs(rows),))


def paper_of(
    case: Case, title: str, parts: Sequence[Part], signatures: tuple[Signature, ...] = ()
) -> Paper:
    """With its subject in front, dated and marked by the case."""
    draft = case.sitting.tender.drafted
    return Paper(
        title=title,
        subtitle=f"{draft.number} {draft.title}",
        issuer=case.issuer,
        at=case.at,
        parts=(_subject(case), *parts),
        signatures=signatures,
        mark=case.mark,
        is_rehearsal=draft.pace.is_rehearsal,
    )


def typeset(paper: Paper) -> bytes:
    """PDF/A-2a, reproducible to the byte. PDF/A takes no character that the fonts lack: where there
    is one, every unusual character is written as its code.
    """
    text = canonical(paper).decode()
    try:
        return _compile("paper.typ", {"paper": text}, paper.at, "a-2a")
    except typst.TypstError:
        plain = _UNUSUAL.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)
        plain = _CONTROL.sub(r"[U+\1]", plain)
        return _compile("paper.typ", {"paper": plain}, paper.at, "a-2a")


def seal_mark(issuer: str, at: datetime) -> bytes:
    """The visible seal 电子签章 as a page of its own, for the signature's appearance."""
    return _compile("seal.typ", {"issuer": issuer}, at, None)


def _compile(
    template: str, given: dict[str, str], at: datetime, standards: Literal["a-2a"] | None
) -> bytes:
    made = _compiler(template).compile(
        format="pdf", sys_inputs=given, timestamp=int(at.timestamp()), pdf_standards=standards
    )
    if not isinstance(made, bytes):
        raise TypeError(template)
    return made


@cache
def _compiler(template: str) -> typst.Compiler:
    return typst.Compiler(str(_HERE / template), font_paths=[str(_FONTS)], ignore_system_fonts=True)


def moment(at: datetime | None) -> str:
    """In Beijing, to the second."""
    return at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if at else "—"


def money(fen: int | None, currency: str = "CNY") -> tuple[str, str]:
    """In figures and, for yuan, in capital numerals."""
    if fen is None:
        return "—", "—"
    amount = Money(fen)
    return f"{amount}", amount.capital() if currency == "CNY" and fen >= 0 else "—"
