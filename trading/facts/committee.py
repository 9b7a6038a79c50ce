"""Facts of the trustees' ceremonies: whole transcripts, so that anyone repeats the arithmetic."""

import msgspec

from trading.ledger.fact import Fact

__all__ = ["CommitteeFormed", "CommitteeReshared", "DealRecord", "HandoverRecord", "MemberRecord"]


class MemberRecord(msgspec.Struct, frozen=True):
    """A trustee: institution and long-term key (hex)."""

    name: str
    key: str


class DealRecord(msgspec.Struct, frozen=True):
    """A deal, hex; see trading/keys/dkg.py."""

    commitments: tuple[str, ...]
    ephemeral: str
    possession: str
    shares: tuple[str, ...]


class HandoverRecord(msgspec.Struct, frozen=True):
    index: int
    dealer: str
    dealt: DealRecord


class CommitteeFormed(Fact, frozen=True, tag="committee.formed/1"):
    """One committee for one opening event; `root` is the ledger's root the ceremony is bound to."""

    stage: int
    threshold: int
    members: tuple[MemberRecord, ...]
    session: str
    root: str
    deals: tuple[DealRecord, ...]
    signatures: tuple[str, ...]
    kid: str


class CommitteeReshared(Fact, frozen=True, tag="committee.reshared/1"):
    """The same key under new members; only before the deadline."""

    stage: int
    threshold: int
    members: tuple[MemberRecord, ...]
    session: str
    handovers: tuple[HandoverRecord, ...]
    kid: str
