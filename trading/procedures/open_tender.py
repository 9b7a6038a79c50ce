"""公开招标 open tender of construction works, under the bidding law."""

from trading import statutes
from trading.procedure import Procedure

PROCEDURE = Procedure(
    code="open-tender",
    zh="公开招标",
    en="Open tender",
    law="招标投标法",
    ocds="open",
    minimum_bidders=statutes.MINIMUM_BIDDERS,
    tender_period=statutes.TENDER_PERIOD,
    document_period=statutes.DOCUMENT_PERIOD,
    clarification=statutes.CLARIFICATION,
    candidates=statutes.CANDIDATES,
    publicity_start=statutes.PUBLICITY_START,
    publicity=statutes.PUBLICITY,
    first_rank=statutes.FIRST_RANK,
    contract=statutes.CONTRACT,
    articles=statutes.BIDDING_ARTICLES,
)
