"""评审结果 from opened bids and the panel's sheets to rejections and a ranking. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from evaluation.entrant import entrants
from evaluation.grounds import rejections_by_fact
from evaluation.method import Offer, Placed
from evaluation.methods import METHODS
from evaluation.panel import PanelPhase
from evaluation.scoring import Review
from evaluation.sitting import Sitting
from trading.announcing import COEFFICIENT, SEED, coefficient_terms
from trading.draw import Draw
from trading.facts.award import Candidate, CandidatesRecommended, Rejection
from trading.facts.opening import EnvelopeOpened
from trading.kernel.canonical import canonical, sha256
from trading.kernel.errors import PanelIncomplete, PanelRefusal
from trading.kernel.money import Money
from trading.tender import Tender

__all__ = [
    "concluded_result",
    "evaluate",
    "panel_result",
    "ranked",
    "report_digest",
    "reported",
]

SMALL = "small"  # the flag of 小微企业
_REPORT = b"kaifeng evaluation report v1\n"


class Judged(msgspec.Struct, frozen=True):
    """What a panel adds to the facts, by envelope."""

    rejections: tuple[Rejection, ...] = ()
    reviews: Mapping[str, Review] = {}
    parameters: Mapping[str, str] = {}


def evaluate(tender: Tender, judged: Judged | None = None) -> CandidatesRecommended:
    """The whole ranking, a pure function of the opened bids and of what the panel found."""
    draft = tender.drafted
    if judged is None and (draft.rubric or draft.drawn or METHODS[draft.method].drawn):
        raise PanelIncomplete(problem="须由评标委员会评审 / a panel must review these bids")
    judged = judged or Judged()
    method = METHODS[draft.method]
    rejections, lots = _placed(tender, judged, tender.live_lots)
    bids = {bid.eid: bid for bid in tender.priced()}
    article = str(tender.procedure.articles.over_ceiling)
    ranking: list[Candidate] = []
    for lot, placed in lots.items():
        for place in placed:
            if place.rank or not method.is_ranked:
                ranking.append(_candidate(bids[place.eid], place))
            else:
                rejections.append(Rejection(lot, place.eid, place.explanation, article))
    least = tender.procedure.minimum_valid
    fewest = least.at(_published(tender)).number if least else 1
    failed = [lot for lot, placed in lots.items() if len(placed) < fewest]
    return CandidatesRecommended(
        method=method.code,
        ranking=tuple(ranking),
        rejections=tuple(rejections),
        failed=tuple(failed),
    )


def _placed(
    tender: Tender, judged: Judged, lots: Iterable[int]
) -> tuple[list[Rejection], dict[int, list[Placed]]]:
    """Every bid once: rejected, or placed among those of its lot that nothing speaks against."""
    method = METHODS[tender.drafted.method]
    parameters = tender.drafted.parameters | dict(judged.parameters)
    rejections = rejections_by_fact(tender)
    known = {item.eid for item in rejections}
    rejections += [item for item in judged.rejections if item.eid not in known]
    rejected = {item.eid for item in rejections}
    offers: dict[int, list[Offer]] = {lot: [] for lot in lots}
    for bid in tender.priced():
        if bid.lot in offers and bid.eid not in rejected:
            review = judged.reviews.get(bid.eid, Review())
            offers[bid.lot].append(_offer(tender, bid, review))
    placed = {lot: method.rank(own, parameters) if own else [] for lot, own in offers.items()}
    return rejections, placed


def panel_result(sitting: Sitting, draws: Sequence[str]) -> CandidatesRecommended:
    """What the sheets, the facts and the drawn coefficients give together."""
    return evaluate(sitting.tender, _judged(sitting, draws))


def _judged(sitting: Sitting, draws: Sequence[str]) -> Judged:
    rejections, reviews = [], {}
    items = {item.code: item for item in sitting.items}
    found = list(sitting.findings().values())
    for entrant in entrants(sitting.tender):
        if entrant.price is None:
            continue
        own = [stage[entrant.number] for stage in found if entrant.number in stage]
        failed = next((review.failed[0] for review in own if review.failed), None)
        if failed:
            code, reason = failed
            ground = f"{items[code].title}：否 / not met。{reason}"
            rejections.append(
                Rejection(entrant.lot, entrant.price.eid, ground, items[code].article)
            )
        reviews[entrant.price.eid] = _together(own)
    return Judged(tuple(rejections), reviews, _drawn(sitting, draws))


def _together(found: Sequence[Review]) -> Review:
    scores: dict[str, Decimal] = {}
    adjustments: dict[str, Money] = {}
    flags: frozenset[str] = frozenset()
    for review in found:
        scores |= review.scores
        adjustments |= review.adjustments
        flags |= review.flags
    return Review((), flags, scores, adjustments)


def _drawn(sitting: Sitting, names: Sequence[str]) -> dict[str, str]:
    """Coefficients, drawn for this tender after its bids were all in; PanelRefusal otherwise."""
    tender = sitting.tender
    wanted = tender.drafted.drawn
    if not wanted and not names:
        return {}
    draw = sitting.draws.get(names[0]) if len(names) == 1 else None
    if draw is None or draw.decided is None or not _is_for(draw, tender):
        problem = f"须有本项目开标后的一次系数抽取：{'、'.join(wanted)} / one draw of {wanted}"
        raise PanelRefusal(problem=problem)
    return {
        item.group: draw.seed.hex() if item.group == SEED else item.codes[0].partition("=")[2]
        for item in draw.decided.drawn
    }


def _is_for(draw: Draw, tender: Tender) -> bool:
    """Of exactly what the documents say, rooted after all bids were in."""
    options, groups = coefficient_terms(tender.drafted.drawn)
    return (
        draw.terms.purpose == COEFFICIENT
        and draw.terms.tender == tender.id
        and draw.terms.options == options
        and draw.terms.groups == groups
        and draw.head is not None
        and draw.head.size > tender.bidding_size
    )


def concluded_result(sitting: Sitting) -> CandidatesRecommended:
    """PanelIncomplete until the panel is done; after an order to evaluate again, another one."""
    panel = sitting.panel
    is_this_time = panel.is_due_to(sitting.tender.reopened_at)
    if panel.phase is not PanelPhase.CONCLUDED or panel.report is None or not is_this_time:
        raise PanelIncomplete(problem="评标尚未结束 / the panel has not concluded")
    return panel_result(sitting, panel.report.draws)


def reported(sitting: Sitting) -> CandidatesRecommended:
    """The result that the panel's report is about; once it stands in the tender, that very one."""
    if sitting.tender.recommended:
        return sitting.tender.recommended
    draws = sitting.panel.report.draws if sitting.panel.report else ()
    return panel_result(sitting, draws)


def ranked(sitting: Sitting) -> dict[int, list[Placed]]:
    """By lot, the same ranking with every number on the way."""
    tender, report = sitting.tender, sitting.panel.report
    failed = tender.recommended.failed if tender.recommended else ()
    lots = sorted({*tender.live_lots, *failed})
    return _placed(tender, _judged(sitting, report.draws if report else ()), lots)[1]


def report_digest(sitting: Sitting, draws: Sequence[str]) -> str:
    """What everybody signs: the result, and every sheet that led to it."""
    whole = {
        "draws": tuple(draws),
        "members": sorted(sitting.panel.members),
        "result": panel_result(sitting, draws),
        "sheets": sitting.panel.sheets,
        "tender": sitting.tender.id,
    }
    return sha256(_REPORT, canonical(whole)).hex()


def _published(tender: Tender) -> datetime:
    """A tender is judged by the law of the day it was published."""
    return tender.published_at or datetime.min.replace(tzinfo=UTC)


def _offer(tender: Tender, bid: EnvelopeOpened, review: Review) -> Offer:
    ceiling = next(lot.ceiling for lot in tender.drafted.lots if lot.number == bid.lot)
    return Offer(
        bid.eid,
        tender.received[bid.eid].index,
        Money(bid.price or 0),
        Money(ceiling) if ceiling is not None else None,
        review.scores,
        SMALL in review.flags,
        review.adjustments,
    )


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
