"""价格竞争定标 price competition: the lowest price; of equal ones, the earlier bid."""

from trading.award_method import AwardMethod, Standing, Verdict
from trading.kernel.money import Money

__all__ = ["AWARD"]


def _decide(lot: Standing) -> Verdict:
    first = min(lot.candidates, key=lambda candidate: candidate.price)
    text = (
        f"{len(lot.candidates)} 名候选人中报价最低：{first.bidder_name} {Money(first.price)}"
        " / lowest price"
    )
    return Verdict(first.eid, text)


AWARD = AwardMethod(
    code="price-competition",
    zh="价格竞争定标法",
    en="Award by price competition",
    decide=_decide,
)
