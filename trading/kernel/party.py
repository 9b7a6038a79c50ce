"""Who acts 主体: parties, their roles and the key that signs for them."""

from enum import StrEnum
from typing import Protocol

from trading.kernel.ids import PartyId

__all__ = ["Actor", "Role", "Signs"]


class Role(StrEnum):
    """A party's part in the trade; the value stands in the ledger, so it never changes."""

    PLATFORM = "platform"  # 交易中心
    PURCHASER = "purchaser"  # 招标人·采购人
    AGENCY = "agency"  # 代理机构
    TRUSTEE = "trustee"  # 受托人
    WITNESS = "witness"  # 见证人
    BIDDER = "bidder"  # 投标人
    PANEL = "panel"  # 评标委员会
    EXPERT = "expert"  # 评委
    AWARDER = "awarder"  # 定标委员
    INSPECTOR = "inspector"  # 监督人员


class Signs(Protocol):
    """Signs bytes with Ed25519; must never give the private key away."""

    @property
    def public(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


class Actor:
    """A party at work: its name in the ledger, its roles, and its signing key.

    `act_id` is given where the act was signed elsewhere: the signature covers it.
    """

    def __init__(
        self, party: PartyId, roles: frozenset[Role], key: Signs, act_id: str = ""
    ) -> None:
        self.party = party
        self.roles = roles
        self.key = key
        self.act_id = act_id
