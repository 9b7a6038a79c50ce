"""Facts about contracts 合同."""

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = ["ContractSigned"]


class ContractSigned(Fact, frozen=True, tag="contract.signed/1"):
    """Amount in fen; `digest` is SHA-256 of the signed document."""

    by = frozenset({Role.PURCHASER, Role.AGENCY})
    lot: int
    number: str
    supplier_id: str
    supplier_name: str
    amount: int
    digest: str
