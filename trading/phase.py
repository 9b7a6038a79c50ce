"""阶段 the phases of a tender, and the table of every fact that may move it."""

from enum import StrEnum

from trading.facts.award import (
    AwardDecided,
    AwardNoticed,
    CandidatesPublished,
    CandidatesRecommended,
    EvaluationReopened,
)
from trading.facts.bidding import (
    BiddingClosed,
    BracketWide,
    EnvelopeReceived,
    EnvelopeWithdrawn,
    TokenIssued,
)
from trading.facts.committee import CommitteeFormed, CommitteeReshared
from trading.facts.contract import ContractSigned
from trading.facts.cover import CoversMissing, CoversPromised, CoversRevealed
from trading.facts.notice import NoticeCorrected, QuestionAnswered, QuestionAsked
from trading.facts.opening import (
    CokeyMissing,
    CokeyRevealed,
    EnvelopeOpened,
    EnvelopeUnopened,
    OpeningRecorded,
    ShareBlamed,
    ShareGiven,
    TechnicalOpened,
)
from trading.facts.suspension import (
    DeadlineExtended,
    ResumptionAsked,
    SuspensionAsked,
    TenderResumed,
    TenderSuspended,
)
from trading.facts.tender import (
    LotsFailed,
    TenderCancelled,
    TenderCompleted,
    TenderDrafted,
    TenderFailed,
    TenderPublished,
)
from trading.kernel.machine import Machine

__all__ = ["MACHINE", "PAUSABLE", "WHILE_SUSPENDED", "Phase"]


class Phase(StrEnum):
    DRAFT = "draft"  # 拟制
    BIDDING = "bidding"  # 招标
    SEALED = "sealed"  # 已截标
    TECHNICAL = "technical-opened"  # 技术标已开
    OPENED = "opened"  # 已开标
    RECOMMENDED = "recommended"  # 已推荐候选人
    PUBLICITY = "publicity"  # 公示
    AWARDED = "awarded"  # 已定标
    NOTICED = "noticed"  # 已发中标通知书
    COMPLETE = "complete"  # 完成
    FAILED = "failed"  # 流标
    CANCELLED = "cancelled"  # 终止


PAUSABLE = (
    Phase.BIDDING,
    Phase.SEALED,
    Phase.TECHNICAL,
    Phase.OPENED,
    Phase.RECOMMENDED,
    Phase.PUBLICITY,
    Phase.AWARDED,
    Phase.NOTICED,
)
# What a suspended tender still takes; everything else waits until it is resumed.
WHILE_SUSPENDED = frozenset({ResumptionAsked, TenderResumed, TenderCancelled})

_STAYING = [
    (Phase.DRAFT, CommitteeFormed),
    (Phase.BIDDING, CommitteeReshared),
    (Phase.BIDDING, NoticeCorrected),
    (Phase.BIDDING, QuestionAsked),
    (Phase.BIDDING, QuestionAnswered),
    (Phase.BIDDING, EnvelopeReceived),
    (Phase.BIDDING, EnvelopeWithdrawn),
    (Phase.BIDDING, TokenIssued),
    (Phase.SEALED, BracketWide),
    (Phase.SEALED, LotsFailed),
    *(
        (phase, fact)
        for phase in (Phase.SEALED, Phase.TECHNICAL)
        for fact in (
            CokeyRevealed,
            CokeyMissing,
            ShareGiven,
            ShareBlamed,
            EnvelopeOpened,
            EnvelopeUnopened,
        )
    ),
    (Phase.NOTICED, ContractSigned),
    (Phase.BIDDING, DeadlineExtended),
    (Phase.BIDDING, CoversPromised),
    (Phase.SEALED, CoversRevealed),
    (Phase.SEALED, CoversMissing),
    *(
        (phase, fact)
        for phase in PAUSABLE
        for fact in (SuspensionAsked, TenderSuspended, ResumptionAsked, TenderResumed)
    ),
]

# Where a decision on a complaint may still end the tender.
_DECIDABLE = (Phase.OPENED, Phase.RECOMMENDED, Phase.PUBLICITY, Phase.AWARDED, Phase.NOTICED)

MACHINE: Machine[Phase] = Machine(
    Phase.DRAFT,
    [
        (Phase.DRAFT, TenderDrafted, Phase.DRAFT),
        (Phase.DRAFT, TenderPublished, Phase.BIDDING),
        (Phase.DRAFT, TenderCancelled, Phase.CANCELLED),
        (Phase.BIDDING, TenderCancelled, Phase.CANCELLED),
        (Phase.BIDDING, BiddingClosed, Phase.SEALED),
        (Phase.SEALED, TenderFailed, Phase.FAILED),
        (Phase.SEALED, TechnicalOpened, Phase.TECHNICAL),
        (Phase.SEALED, OpeningRecorded, Phase.OPENED),
        (Phase.TECHNICAL, OpeningRecorded, Phase.OPENED),
        (Phase.OPENED, CandidatesRecommended, Phase.RECOMMENDED),
        *((phase, TenderFailed, Phase.FAILED) for phase in _DECIDABLE),
        (Phase.RECOMMENDED, EvaluationReopened, Phase.OPENED),
        (Phase.PUBLICITY, EvaluationReopened, Phase.OPENED),
        (Phase.RECOMMENDED, CandidatesPublished, Phase.PUBLICITY),
        (Phase.RECOMMENDED, AwardDecided, Phase.AWARDED),
        (Phase.PUBLICITY, AwardDecided, Phase.AWARDED),
        (Phase.AWARDED, AwardNoticed, Phase.NOTICED),
        (Phase.NOTICED, TenderCompleted, Phase.COMPLETE),
        *((phase, fact, phase) for phase, fact in _STAYING),
    ],
)
