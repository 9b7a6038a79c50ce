"""Facts after the contract 履约, in the stream `contract:` of its tender."""

from enum import StrEnum

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "ArchiveSealed",
    "BondReturned",
    "ContractAmended",
    "ContractCountersigned",
    "PerformanceRecorded",
    "Side",
]

_OWNER = frozenset({Role.PURCHASER, Role.AGENCY})


class Side(StrEnum):
    OWNER = "owner"  # 甲方
    SUPPLIER = "supplier"  # 乙方


class ContractCountersigned(Fact, frozen=True, tag="contract.countersigned/1"):
    """双方签章: one side's CMS signature over the digest of the contract, hex, checked with its
    certificate.
    """

    lot: int
    side: Side
    signature: str


class ContractAmended(Fact, frozen=True, tag="contract.amended/1"):
    """合同变更: amount in fen as it is from now on; digest of the amendment, hex."""

    by = _OWNER
    lot: int
    amount: int
    digest: str
    ground: str


class PerformanceRecorded(Fact, frozen=True, tag="contract.performance-recorded/1"):
    """履约记录: a milestone, an acceptance, a default."""

    by = _OWNER
    lot: int
    text: str
    is_default: bool = False


class BondReturned(Fact, frozen=True, tag="bond.returned/1"):
    """退还投标保证金 with interest, in fen."""

    by = _OWNER
    bidder_id: str
    amount: int
    interest: int


class ArchiveSealed(Fact, frozen=True, tag="archive.sealed/1"):
    """归档: digest of the package, hex, and for how many years it is kept."""

    digest: str
    years: int
