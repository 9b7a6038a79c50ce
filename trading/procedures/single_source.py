"""单一来源 single source: one supplier, after a notice in which anyone may object."""

from trading import statutes
from trading.procedure import Procedure

PROCEDURE = Procedure(
    code="single-source",
    zh="单一来源",
    en="Single source",
    law="政府采购法",
    ocds="direct",
    minimum_bidders=statutes.SOLE_SUPPLIER,
    tender_period=statutes.SOLE_NOTICE,
    invited=statutes.SOLE_SUPPLIER,
    first_rank=statutes.FIRST_SUPPLIER,
    supplier_choice=statutes.SUPPLIER_CHOICE,
    contract=statutes.PROCUREMENT_CONTRACT,
    articles=statutes.PROCUREMENT_ARTICLES,
)
