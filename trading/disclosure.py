"""公开范围 what of the ledger anyone may read, and when.

Every entry is there for everyone as a leaf; what it says is shown at once, or once the bids are
opened, or never. Sealed are all entries that tell who bids and how many (法 22, 法 36). What panels
do is for nobody else until their candidates are published (法 38, 法 44). Warnings are clues about
named firms, for supervisors alone.
"""

from trading.draw import Draw
from trading.facts import awarding, panel
from trading.facts.bidding import (
    EnvelopeReceived,
    EnvelopeRefused,
    EnvelopeWithdrawn,
    TokenIssued,
)
from trading.facts.committee import CommitteeFormed
from trading.facts.draw import EXPERTS
from trading.facts.tender import TenderDrafted, TenderPublished
from trading.facts.warning import WarningJudged, WarningRecorded
from trading.kernel.errors import DrawRefusal
from trading.ledger.fact import Fact
from trading.tender import Phase

__all__ = ["SEALED", "check_unsealing", "is_public", "is_shown", "tender_of"]

SEALED = (EnvelopeReceived, EnvelopeRefused, EnvelopeWithdrawn, TokenIssued)
_SECRET_PHASES = (Phase.DRAFT, Phase.BIDDING)
_DECIDED = (Phase.AWARDED, Phase.NOTICED, Phase.COMPLETE, Phase.FAILED, Phase.CANCELLED)
_STREAMS = (
    "tender:",
    "refusals:",
    "panel:",
    "award:",
    "objections:",
    "contract:",
    "warnings:",
)
_BEHIND_DOORS = (panel.__name__, awarding.__name__)
_PUBLISHED = (Phase.PUBLICITY, *_DECIDED)
_BALLOTS = (awarding.BallotSealed, awarding.BallotOpened)  # not while others may still vote
_SUPERVISORS = (WarningRecorded, WarningJudged)
_BEFORE = (TenderDrafted, CommitteeFormed, TenderPublished)


def tender_of(stream: str) -> str:
    """The tender a stream is about, or an empty string."""
    for prefix in _STREAMS:
        if stream.startswith(prefix):
            return stream.removeprefix(prefix)
    return ""


def is_public(fact: Fact, phase: Phase | None) -> bool:
    """What it says. `phase` of the tender the fact is about; None for one that is about none."""
    if fact.personal or isinstance(fact, _SUPERVISORS):
        return False
    if type(fact).__module__ in _BEHIND_DOORS:
        return phase in (_DECIDED if isinstance(fact, _BALLOTS) else _PUBLISHED)
    return not isinstance(fact, SEALED) or phase not in _SECRET_PHASES


def is_shown(fact: Fact, phase: Phase | None) -> bool:
    """The entry itself: its height and its predecessor tell how many sealed ones lie before it, so
    what is written while bids come in waits for the closing.
    """
    return is_public(fact, phase) and (phase is not Phase.BIDDING or isinstance(fact, _BEFORE))


def check_unsealing(draw: Draw, phase: Phase | None) -> None:
    """The names of the panel are secret until the result of the tender is determined (法 37)."""
    if draw.terms.purpose == EXPERTS and phase not in _DECIDED:
        raise DrawRefusal(
            problem="中标结果确定前名单保密（招标投标法 第三十七条） / not before the award"
        )
