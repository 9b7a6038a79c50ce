"""归档包 the archive of one tender: its entries, its papers, and their digests, in one zip whose
bytes follow from the ledger alone.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Sequence

import msgspec

from evaluation.casefile import Streams, case_of
from evaluation.paper import typeset
from evaluation.papers import PAPERS
from trading.kernel.canonical import canonical
from trading.kernel.errors import PaperRefusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact, write_fact

__all__ = ["archived", "streams_of"]

_DATE = (1980, 1, 1, 0, 0, 0)  # zip's own beginning of time: the ledger dates the entries
_KINDS = ("tender", "panel", "award", "objections", "contract", "papers")


class _Listed(msgspec.Struct, frozen=True):
    name: str
    sha256: str


class _Manifest(msgspec.Struct, frozen=True):
    tender: str
    upto: int
    years: int
    files: tuple[_Listed, ...]


def streams_of(tender: str) -> tuple[str, ...]:
    """The streams that an archive holds, its draws aside."""
    return tuple(f"{kind}:{tender}" for kind in _KINDS)


def archived(streams: Streams, draws: Sequence[str], tender: str, issuer: str, years: int) -> bytes:
    """`draws`: the streams of the tender's draws. Papers without a ground are left out."""
    case = case_of(streams, tender, issuer)
    files = {"entries.jsonl": _entries(streams, (*streams_of(tender), *sorted(draws)))}
    for kind in PAPERS:
        try:
            files[f"{kind.code}.pdf"] = typeset(kind.compose(case))
        except PaperRefusal:
            continue
    listed = tuple(_Listed(name, hashlib.sha256(body).hexdigest()) for name, body in files.items())
    files["manifest.json"] = canonical(_Manifest(tender, case.upto, years, listed))
    return _zipped(files)


def _entries(streams: Streams, names: Iterable[str]) -> bytes:
    found = [(stamp, fact) for name in names for fact, stamp in streams(name)]
    found.sort(key=lambda pair: pair[0].index)
    return b"".join(_line(stamp, fact) for stamp, fact in found)


def _line(stamp: Stamp, fact: Fact) -> bytes:
    return canonical({"fact": msgspec.Raw(write_fact(fact)), "stamp": stamp}) + b"\n"


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, body in files.items():
            package.writestr(zipfile.ZipInfo(name, _DATE), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
