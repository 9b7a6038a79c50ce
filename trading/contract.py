"""合同 the rules of the contract: in time, and as awarded. Pure."""

from trading.facts.contract import ContractSigned
from trading.facts.tender import TenderCompleted
from trading.kernel.calendar import Calendar
from trading.kernel.errors import AwardRefusal, ContractDiffers, TooLate
from trading.kernel.instant import Reading
from trading.tender import Tender

__all__ = ["decide_complete", "decide_contract", "winner"]


def winner(tender: Tender, lot: int) -> str:
    """The envelope the lot was awarded to."""
    awards = tender.decided.awards if tender.decided else ()
    for award in awards:
        if award.lot == lot:
            return award.eid
    raise AwardRefusal(problem=f"标段 {lot} 尚未定标 / lot {lot} is not awarded")


def decide_contract(
    tender: Tender, wanted: ContractSigned, now: Reading, calendar: Calendar
) -> ContractSigned:
    """签约: within the days of the law, with the winner, at its price (法 46)."""
    bid = tender.opened[winner(tender, wanted.lot)]
    rule = tender.procedure.contract.at(now.at)
    if tender.noticed_at:
        latest = rule.period.after(tender.noticed_at, calendar, tender.drafted.pace)
        if now.is_surely_after(latest):
            raise TooLate(act="签约", deadline=latest, article=rule.article)
    if wanted.supplier_id != bid.bidder_id or wanted.amount != bid.price:
        raise ContractDiffers(problem=f"{wanted.supplier_name} {wanted.amount}")
    if wanted.lot in tender.contracts:
        raise ContractDiffers(
            problem=f"标段 {wanted.lot} 已签合同 / lot {wanted.lot} is already under contract"
        )
    return wanted


def decide_complete(tender: Tender) -> TenderCompleted | None:
    """完成, when the last live lot is under contract."""
    return TenderCompleted() if set(tender.contracts) >= set(tender.live_lots) else None
