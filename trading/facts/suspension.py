"""Facts of interruptions: suspension 暂停 by two persons, and extension 顺延 after an outage."""

from datetime import datetime

import msgspec

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "PLATFORM_STREAM",
    "DeadlineExtended",
    "OutageRecorded",
    "RestoreApproval",
    "ResumptionAsked",
    "StateRestored",
    "SuspensionAsked",
    "TenderResumed",
    "TenderSuspended",
]

PLATFORM_STREAM = "platform"
_WATCHERS = frozenset({Role.PLATFORM, Role.INSPECTOR})


class SuspensionAsked(Fact, frozen=True, tag="suspension.asked/1"):
    """The first person's word, with its ground; nothing stops yet."""

    by = _WATCHERS
    ground: str


class TenderSuspended(Fact, frozen=True, tag="tender.suspended/1"):
    """The second person's word: from this entry on every clock of the tender stands still."""

    by = _WATCHERS


class ResumptionAsked(Fact, frozen=True, tag="resumption.asked/1"):
    by = _WATCHERS
    ground: str


class TenderResumed(Fact, frozen=True, tag="tender.resumed/1"):
    """All periods that were running go on, later by the time between the two entries."""

    by = _WATCHERS


class OutageRecorded(Fact, frozen=True, tag="outage.recorded/1"):
    """The platform took nothing in between `start` and `end`: no entry may lie between them."""

    start: datetime
    end: datetime


class DeadlineExtended(Fact, frozen=True, tag="deadline.extended/1"):
    """By the tender's own outage rule, after the outage that entry `outage` records."""

    deadline: datetime
    outage: int
    start: datetime
    end: datetime


class RestoreApproval(msgspec.Struct, frozen=True):
    """One person's word for going on with a restored state; Ed25519, hex."""

    party: str
    signature: str


class StateRestored(Fact, frozen=True, tag="state.restored/1"):
    """The ledger went on from an older copy, of `size` entries, though a witness had seen `seen`
    entries with that root: two persons decided it, and everybody who holds a later receipt can
    show what was lost.
    """

    size: int
    seen: int
    root: str
    approvals: tuple[RestoreApproval, ...]
