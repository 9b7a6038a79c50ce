"""询价 inquiry: one price each, not to be changed; the lowest that meets the need."""

from trading import statutes
from trading.procedure import Procedure

PROCEDURE = Procedure(
    code="inquiry",
    zh="询价",
    en="Inquiry",
    law="政府采购法",
    ocds="selective",
    minimum_bidders=statutes.MINIMUM_QUOTES,
    tender_period=statutes.INQUIRY_PERIOD,
    invited=statutes.MINIMUM_QUOTES,
    first_rank=statutes.FIRST_SUPPLIER,
    supplier_choice=statutes.SUPPLIER_CHOICE,
    contract=statutes.PROCUREMENT_CONTRACT,
    articles=statutes.PROCUREMENT_ARTICLES,
)
