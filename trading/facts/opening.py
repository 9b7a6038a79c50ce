"""Facts of the opening 开标."""

import msgspec

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "CokeyMissing",
    "CokeyRevealed",
    "EnvelopeOpened",
    "EnvelopeUnopened",
    "FileRecord",
    "OpeningRecorded",
    "ShareBlamed",
    "ShareGiven",
    "TechnicalOpened",
]


class FileRecord(msgspec.Struct, frozen=True):
    name: str
    size: int
    sha256: str


class CokeyRevealed(Fact, frozen=True, tag="cokey.revealed/1"):
    """The bidder's own key, blind: nothing is readable before the committee acts."""

    eid: str
    cokey: str


class CokeyMissing(Fact, frozen=True, tag="cokey.missing/1"):
    """Not decrypted through the bidder's fault: the bid counts as revoked."""

    eid: str
    article: str


class ShareGiven(Fact, frozen=True, tag="share.given/1"):
    """A trustee's points for all envelopes of the stage, one proof, and the trustee's signature
    over both; all hex, all checked.
    """

    stage: int
    trustee: int
    points: tuple[str, ...]
    proof: str
    signature: str


class ShareBlamed(Fact, frozen=True, tag="share.blamed/1"):
    """A share that its trustee signed and whose proof is wrong: evidence."""

    stage: int
    trustee: int
    points: tuple[str, ...]
    proof: str
    signature: str


class EnvelopeOpened(Fact, frozen=True, tag="envelope.opened/1"):
    """唱标: `point` is the committee's combined point, so that anyone opens it again."""

    eid: str
    lot: int
    stage: int
    point: str
    trustees: tuple[int, ...]
    bidder_id: str
    bidder_name: str
    price: int | None
    currency: str
    files: tuple[FileRecord, ...]
    certificate: str = ""


class EnvelopeUnopened(Fact, frozen=True, tag="envelope.unopened/1"):
    """The committee's point is right and the envelope still does not open: invalid, final."""

    eid: str
    lot: int
    stage: int
    point: str
    trustees: tuple[int, ...]
    code: str
    problem: str
    article: str


class TechnicalOpened(Fact, frozen=True, tag="opening.technical-recorded/1"):
    """All technical envelopes are dealt with; prices are still sealed."""

    opened: int


class OpeningRecorded(Fact, frozen=True, tag="opening.recorded/1"):
    """开标记录: all price envelopes are dealt with."""

    by = frozenset({Role.PLATFORM})
    opened: int
