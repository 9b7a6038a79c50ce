"""What a trading procedure 交易方式 must declare. Data only: no procedure contains an `if`."""

import msgspec

from trading.kernel.rule import Articles, Statute

__all__ = ["Procedure"]


class Procedure(msgspec.Struct, frozen=True, kw_only=True):
    """Statutes that do not exist for a procedure are None; `ocds` is the procurementMethod of OCDS,
    empty where only the record itself would know it.
    """

    code: str
    zh: str
    en: str
    law: str
    ocds: str
    minimum_bidders: Statute
    tender_period: Statute | None
    contract: Statute
    first_rank: Statute | None
    articles: Articles
    supplier_choice: Statute | None = None
    minimum_valid: Statute | None = None
    document_period: Statute | None = None
    clarification: Statute | None = None
    invited: Statute | None = None
    candidates: Statute | None = None
    publicity: Statute | None = None
    publicity_start: Statute | None = None

    @property
    def is_government(self) -> bool:
        """Under the law of government procurement."""
        return "政府采购法" in self.law

    def statutes(self) -> tuple[Statute, ...]:
        values = (getattr(self, name) for name in self.__struct_fields__)
        return tuple(value for value in values if isinstance(value, Statute))
