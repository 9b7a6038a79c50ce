"""否决投标 the rejections that follow from facts alone: no panel has a say in them. Pure."""

from collections import Counter

import msgspec

from trading.facts.award import Rejection
from trading.facts.opening import EnvelopeOpened
from trading.tender import Tender

__all__ = ["rejections_by_fact"]


class _Ground(msgspec.Struct, frozen=True):
    article: str
    text: str


def rejections_by_fact(tender: Tender) -> list[Rejection]:
    """否决投标: the grounds of 条例 51 that follow from the facts alone."""
    bids = tender.priced()
    # only a bid with the bidder's own certificate counts against it: nobody eliminates a rival
    times = Counter((bid.lot, bid.bidder_id) for bid in bids if bid.certificate)
    found = []
    for bid in bids:
        ground = _ground(tender, bid, times[bid.lot, bid.bidder_id])
        if ground:
            found.append(Rejection(bid.lot, bid.eid, ground.text, ground.article))
    return found


def _ground(tender: Tender, bid: EnvelopeOpened, times: int) -> _Ground | None:
    draft, articles = tender.drafted, tender.procedure.articles
    ceiling = next(lot.ceiling for lot in draft.lots if lot.number == bid.lot)
    checks = [
        (not bid.certificate, articles.unsigned, "投标文件未签章 / not signed"),
        (
            bool(draft.invited) and bid.bidder_id not in draft.invited,
            articles.unqualified,
            "未受邀请 / not invited",
        ),
        (times > 1, articles.twice, "同一投标人提交两个以上报价 / two bids of one bidder"),
        (bid.price is None or bid.price <= 0, articles.unresponsive, "没有有效报价 / no price"),
        (bid.currency not in ("", draft.currency), articles.unresponsive, "币种不符 / currency"),
        (
            ceiling is not None and (bid.price or 0) > ceiling,
            articles.over_ceiling,
            "高于最高投标限价 / over the ceiling",
        ),
    ]
    return next((_Ground(str(article), text) for holds, article, text in checks if holds), None)
