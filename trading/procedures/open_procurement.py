"""公开采购 open procurement by government, under the procurement law."""

from trading import statutes
from trading.procedure import Procedure

PROCEDURE = Procedure(
    code="open-procurement",
    zh="公开采购",
    en="Government open procurement",
    law="政府采购法",
    ocds="open",
    minimum_bidders=statutes.MINIMUM_SUPPLIERS,
    tender_period=statutes.PROCUREMENT_PERIOD,
    document_period=statutes.PROCUREMENT_DOCUMENTS,
    clarification=statutes.PROCUREMENT_CLARIFICATION,
    minimum_valid=statutes.MINIMUM_SUPPLIERS,
    first_rank=statutes.FIRST_SUPPLIER,
    supplier_choice=statutes.SUPPLIER_CHOICE,
    contract=statutes.PROCUREMENT_CONTRACT,
    articles=statutes.PROCUREMENT_ARTICLES,
)
