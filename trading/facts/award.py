"""Facts from candidates to the award 定标. Evaluation emits the first; award never needs to ask."""

from datetime import datetime

import msgspec

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "AwardDecided",
    "AwardNoticed",
    "Awarded",
    "Candidate",
    "CandidatesPublished",
    "CandidatesRecommended",
    "EvaluationReopened",
    "Rejection",
]

_OWNER = frozenset({Role.PURCHASER, Role.AGENCY})


class Candidate(msgspec.Struct, frozen=True):
    """中标候选人: price in fen, score as text with its declared scale, one line of explanation."""

    lot: int
    rank: int
    eid: str
    bidder_id: str
    bidder_name: str
    price: int
    score: str
    explanation: str


class Rejection(msgspec.Struct, frozen=True):
    """否决投标, with its ground of law."""

    lot: int
    eid: str
    ground: str
    article: str


class CandidatesRecommended(Fact, frozen=True, tag="candidates.recommended/1"):
    """The panel's whole ranking; candidates are the first three ranks of each lot."""

    by = frozenset({Role.PANEL})
    method: str
    ranking: tuple[Candidate, ...]
    rejections: tuple[Rejection, ...]
    failed: tuple[int, ...] = ()


class CandidatesPublished(Fact, frozen=True, tag="candidates.published/1"):
    """中标候选人公示, open for objections `until`."""

    by = _OWNER
    until: datetime


class Awarded(msgspec.Struct, frozen=True):
    lot: int
    eid: str


class AwardDecided(Fact, frozen=True, tag="award.decided/1"):
    """定标; `ground` when it is not rank 1."""

    by = _OWNER
    awards: tuple[Awarded, ...]
    ground: str = ""


class EvaluationReopened(Fact, frozen=True, tag="evaluation.reopened/1"):
    """责令重新评标: by the decision on a complaint; candidates and publicity are void."""

    complaint: str


class AwardNoticed(Fact, frozen=True, tag="award.noticed/1"):
    """中标通知书; the time for the contract runs from here."""

    by = _OWNER
