"""Facts of papers 文书: which one was given out, as a digest."""

from trading.ledger.fact import Fact

__all__ = ["PaperIssued"]


class PaperIssued(Fact, frozen=True, tag="paper.issued/1"):
    """`content`: SHA-256 of the PDF as typeset, which anyone makes again from the entries up to
    `upto` and the `issuer`'s name; `sealed`: of the same with its signature; both hex. In the
    stream `papers:` of its tender.
    """

    kind: str
    content: str
    sealed: str
    upto: int
    issuer: str
