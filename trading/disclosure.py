"""公开范围 what of the ledger anyone may read, and when.

Every entry is there for everyone as a leaf; what it says is shown at once, or once the bids are
opened, or never. Sealed are all entries that tell who bids and how many (法 22, 法 36).
"""

from trading.facts.bidding import (
    EnvelopeReceived,
    EnvelopeRefused,
    EnvelopeWithdrawn,
    TokenIssued,
)
from trading.facts.committee import CommitteeFormed
from trading.facts.tender import TenderDrafted, TenderPublished
from trading.ledger.fact import Fact
from trading.tender import Phase

__all__ = ["SEALED", "is_public", "is_shown", "tender_of"]

SEALED = (EnvelopeReceived, EnvelopeRefused, EnvelopeWithdrawn, TokenIssued)
_SECRET_PHASES = (Phase.DRAFT, Phase.BIDDING)
_STREAMS = ("tender:", "refusals:")
_BEFORE = (TenderDrafted, CommitteeFormed, TenderPublished)


def tender_of(stream: str) -> str:
    """The tender a stream is about, or an empty string."""
    for prefix in _STREAMS:
        if stream.startswith(prefix):
            return stream.removeprefix(prefix)
    return ""


def is_public(fact: Fact, phase: Phase | None) -> bool:
    """What it says. `phase` of the tender the fact is about; None for one that is about none."""
    if fact.personal:
        return False
    return not isinstance(fact, SEALED) or phase not in _SECRET_PHASES


def is_shown(fact: Fact, phase: Phase | None) -> bool:
    """The entry itself: its height and its predecessor tell how many sealed ones lie before it, so
    what is written while bids come in waits for the closing.
    """
    return is_public(fact, phase) and (phase is not Phase.BIDDING or isinstance(fact, _BEFORE))
