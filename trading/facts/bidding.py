"""Facts between publication and closing: envelopes in, and the bracket around the deadline."""

from trading.ledger.fact import Fact

__all__ = [
    "BiddingClosed",
    "BracketWide",
    "EnvelopeReceived",
    "EnvelopeRefused",
    "EnvelopeWithdrawn",
    "TokenIssued",
]


class EnvelopeReceived(Fact, frozen=True, tag="envelope.received/1"):
    """`prefix`: the 418 bytes, hex. They name tender, lot, stage, pseudonym and body digest.

    `token`: the anonymous right to hand in (RFC 9474), hex, where the tender asks for one.
    """

    commutes = True
    prefix: str
    token: str = ""


class TokenIssued(Fact, frozen=True, tag="token.issued/1"):
    """A token signed blindly; `digest` is SHA-256 of what was signed. To whom is not recorded:
    who took the documents stays unknown until the opening (法 22).
    """

    commutes = True
    digest: str


class EnvelopeRefused(Fact, frozen=True, tag="envelope.refused/1"):
    """拒收; `digest` is SHA-256 of the first bytes handed in, so a refusal can be proven."""

    digest: str
    code: str
    problem: str
    article: str = ""


class EnvelopeWithdrawn(Fact, frozen=True, tag="envelope.withdrawn/1"):
    """撤回, signed by the bid's pseudonym."""

    commutes = True
    eid: str
    signature: str


class BiddingClosed(Fact, frozen=True, tag="bidding.closed/1"):
    """截标: the last cosigned checkpoint dated before the deadline, the first dated at or after it
    that holds every envelope, and the final envelopes.
    """

    before: str
    closing: str
    envelopes: tuple[str, ...]


class BracketWide(Fact, frozen=True, tag="bracket.wide/1"):
    """Incident: the two checkpoints around the deadline lie too far apart."""

    seconds: int
    limit: int
