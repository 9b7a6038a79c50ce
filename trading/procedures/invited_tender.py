"""邀请招标 invited tender: at least three are asked, and only they may bid."""

from trading import statutes
from trading.procedure import Procedure

PROCEDURE = Procedure(
    code="invited-tender",
    zh="邀请招标",
    en="Invited tender",
    law="招标投标法",
    ocds="selective",
    minimum_bidders=statutes.MINIMUM_BIDDERS,
    tender_period=statutes.TENDER_PERIOD,
    document_period=statutes.DOCUMENT_PERIOD,
    clarification=statutes.CLARIFICATION,
    invited=statutes.INVITED_BIDDERS,
    candidates=statutes.CANDIDATES,
    publicity_start=statutes.PUBLICITY_START,
    publicity=statutes.PUBLICITY,
    first_rank=statutes.FIRST_RANK,
    contract=statutes.CONTRACT,
    articles=statutes.BIDDING_ARTICLES,
)
