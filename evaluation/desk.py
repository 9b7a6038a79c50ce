"""评标窗口 evaluation's desk: which bids must be rejected, how the others rank, who is candidate.

A first ranking by one panel; the panel's full procedure replaces `recommend` and keeps its fact.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from evaluation.method import Offer, Placed
from evaluation.methods import METHODS
from trading.bidding import decide_all_rejected
from trading.desks.office import Office
from trading.facts.award import Candidate, CandidatesRecommended, Rejection
from trading.facts.opening import EnvelopeOpened
from trading.kernel.ids import TenderId
from trading.kernel.money import Money
from trading.kernel.party import Actor
from trading.tender import Tender

__all__ = ["EvaluationDesk", "check_method", "evaluate"]


class EvaluationDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def recommend(self, panel: Actor, tender: TenderId) -> Tender:
        """推荐候选人; if no lot has an acceptable bid, the tender fails as the law says."""
        recommended = evaluate(self._office.load(tender))
        state = self._office.act(tender, lambda _, __: [recommended], panel)
        failed = decide_all_rejected(state)
        return self._office.act(tender, lambda _, __: [failed]) if failed else state


def check_method(code: str, parameters: Mapping[str, str]) -> None:
    """A method must exist and take its parameters before the tender is published, not after."""
    METHODS[code].rank([Offer("", 0, Money(1))], parameters)


def evaluate(tender: Tender) -> CandidatesRecommended:
    """The whole ranking, a pure function of the opened bids."""
    method = METHODS[tender.drafted.method]
    rejections = _rejections(tender)
    rejected = {item.eid for item in rejections}
    ranking: list[Candidate] = []
    failed = []
    for lot in tender.live_lots:
        bids = {
            bid.eid: bid for bid in tender.priced() if bid.lot == lot and bid.eid not in rejected
        }
        least = tender.procedure.minimum_valid
        if len(bids) < (least.at(_published(tender)).number if least else 1):
            failed.append(lot)
        if not bids:
            continue
        offers = [_offer(tender, bid) for bid in bids.values()]
        placed = method.rank(offers, tender.drafted.parameters)
        ranking += [_candidate(bids[place.eid], place) for place in placed]
    return CandidatesRecommended(
        method=method.code,
        ranking=tuple(ranking),
        rejections=tuple(rejections),
        failed=tuple(failed),
    )


def _published(tender: Tender) -> datetime:
    """A tender is judged by the law of the day it was published."""
    return tender.published_at or datetime.min.replace(tzinfo=UTC)


def _offer(tender: Tender, bid: EnvelopeOpened) -> Offer:
    return Offer(bid.eid, tender.received[bid.eid].index, Money(bid.price or 0))


def _candidate(bid: EnvelopeOpened, place: Placed) -> Candidate:
    return Candidate(
        lot=bid.lot,
        rank=place.rank,
        eid=bid.eid,
        bidder_id=bid.bidder_id,
        bidder_name=bid.bidder_name,
        price=bid.price or 0,
        score=place.score,
        explanation=place.explanation,
    )


class _Ground(msgspec.Struct, frozen=True):
    article: str
    text: str


def _rejections(tender: Tender) -> list[Rejection]:
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
