"""境外记录回放 replay of a tender held under another country's law: no Chinese minimum applies."""

from datetime import date

from trading.kernel.rule import Article, Articles, Mark, Rule, Statute
from trading.procedure import Procedure

_ARTICLE = "适用记录所在国法律 / the law of the record's country"


def _own_law(code: str, zh: str, en: str, value: int) -> Statute:
    return Statute(code, zh, en, (Rule(value, _ARTICLE, date(1900, 1, 1), Mark.NONE),))


PROCEDURE = Procedure(
    code="foreign-record",
    zh="境外记录回放",
    en="Replay of a foreign record",
    law="—",
    ocds="",
    minimum_bidders=_own_law("record-bidders", "最少投标人数", "fewest bidders", 1),
    tender_period=None,
    first_rank=None,
    contract=_own_law("record-contract", "订立合同", "contract", 365),
    articles=Articles(**dict.fromkeys(Articles.__struct_fields__, Article(_ARTICLE, Mark.NONE))),
)
