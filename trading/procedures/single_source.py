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
    first_rank=statutes.FIRST_SUPPLIER,
    contract=statutes.PROCUREMENT_CONTRACT,
)
