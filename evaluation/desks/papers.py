"""文书窗口 the desk of papers: composes, typesets, seals; the digests go into the ledger."""

import hashlib

import msgspec
from pyhanko.sign.timestamps import TimeStamper

from evaluation.casefile import case_of
from evaluation.pades import PaperSeal, timestamper
from evaluation.paper import seal_mark, typeset
from evaluation.papers import PAPERS
from trading.desks.office import Office
from trading.facts.paper import PaperIssued
from trading.ledger.port import ANY

__all__ = ["Issued", "PaperDesk", "open_papers"]


class Issued(msgspec.Struct, frozen=True):
    pdf: bytes
    fact: PaperIssued


def open_papers(office: Office, seal: bytes, issuer: str, timestamps: str = "") -> "PaperDesk":
    """`seal`: key and certificates, PEM; `timestamps`: URL of an RFC 3161 authority."""
    return PaperDesk(office, PaperSeal.from_pem(seal), issuer, timestamper(timestamps))


class PaperDesk:
    """`issuer` is the centre's name as it stands on the seal."""

    def __init__(
        self, office: Office, seal: PaperSeal, issuer: str, timestamper: TimeStamper | None = None
    ) -> None:
        self._office, self._seal = office, seal
        self._issuer, self._timestamper = issuer, timestamper

    def issue(self, tender: str, kind: str) -> Issued:
        """Every time a paper of its own: the facts may have grown."""
        case = case_of(self._office.ledger.stream, tender, self._issuer)
        paper = PAPERS[kind].compose(case)
        content = typeset(paper)
        sealed = self._seal.seal(content, seal_mark(self._issuer, paper.at), self._timestamper)
        fact = PaperIssued(
            kind=kind,
            content=hashlib.sha256(content).hexdigest(),
            sealed=hashlib.sha256(sealed).hexdigest(),
            upto=case.upto,
            issuer=self._issuer,
        )
        stream = f"papers:{tender}"
        self._office.ledger.append(stream, ANY, [self._office.draft(stream, fact, None)])
        return Issued(sealed, fact)
