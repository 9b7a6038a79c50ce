"""评标窗口 evaluation's desk: what a draft must say of its evaluation, and who is recommended."""

from decimal import Decimal

import msgspec

from evaluation.desks.sittings import draws_named, sitting_of
from evaluation.low_price import LOW_PRICE, LowPrice
from evaluation.method import Offer, within
from evaluation.methods import METHODS
from evaluation.panel import stream_of_panel
from evaluation.result import concluded_result, evaluate
from evaluation.rubric import check_rubric
from trading.announcing import SEED
from trading.awards import AWARDS
from trading.bidding import decide_all_rejected
from trading.desks.office import Office
from trading.draw import stream_of_draw
from trading.facts.award import CandidatesRecommended
from trading.facts.rubric import Kind
from trading.facts.tender import TenderDrafted
from trading.kernel.errors import DraftIncomplete
from trading.kernel.ids import TenderId
from trading.kernel.money import Money
from trading.kernel.party import Actor
from trading.tender import Tender

__all__ = ["EvaluationDesk", "check_method"]


class EvaluationDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def recommend(self, panel: Actor, tender: TenderId) -> Tender:
        """推荐候选人; if no lot has an acceptable bid, the tender fails as the law says. A tender
        without a formed panel is ranked by its facts alone.
        """
        named = draws_named(sitting_of(self._office, tender).panel)
        beside = (stream_of_panel(tender), *map(stream_of_draw, named))
        state = self._office.act(tender, lambda _, __: [self._result(tender)], panel, beside=beside)
        failed = decide_all_rejected(state)
        return self._office.act(tender, lambda _, __: [failed]) if failed else state

    def _result(self, tender: TenderId) -> CandidatesRecommended:
        sitting = sitting_of(self._office, tender)
        panel = sitting.panel
        if panel.formed is None:
            return evaluate(sitting.tender)
        return concluded_result(sitting)


def check_method(draft: TenderDrafted) -> None:
    """Method, parameters and score sheet must fit before the tender is published, not after.

    Some methods refuse a parameter or a sheet only when they reckon with it, so one bid is ranked
    on trial, with all the points that it could get.
    """
    method = METHODS[draft.method]
    award = AWARDS[draft.award] if draft.award else None
    if not method.is_ranked and (award is None or award.ranked):
        problem = f"{method.code}：须由定标委员会定标 / needs an award committee"
        raise DraftIncomplete(problem=problem)
    check_rubric(draft.rubric)
    _check_low_price(draft)
    _check_drawn(draft)
    best = {item.code: Decimal(item.high) for item in draft.rubric if item.kind is Kind.SCORE}
    amounts = {item.code: Money(1) for item in draft.rubric if item.kind is Kind.AMOUNT}
    drawn = {name: values[0] for name, values in draft.drawn.items() if values}
    offer = Offer("", 0, Money(1), Money(1), best, adjustments=amounts)
    method.rank([offer], draft.parameters | drawn)


def _check_low_price(draft: TenderDrafted) -> None:
    try:
        limits = msgspec.convert(draft.low_price, LowPrice, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise DraftIncomplete(problem=f"{LOW_PRICE}: {error}") from error
    within(LOW_PRICE, limits)


def _check_drawn(draft: TenderDrafted) -> None:
    """What a draw sets stands in the documents with its values, and nowhere else."""
    method = METHODS[draft.method]
    missing = [name for name in method.drawn if name not in draft.drawn]
    both = [name for name in (*draft.drawn, *method.drawn) if name in draft.parameters]
    empty = [n for n, values in draft.drawn.items() if n != SEED and len(set(values)) < 2]
    for problem in (missing, both, empty):
        if problem:
            text = f"须经抽取并列明数值 / drawn, with its values: {'、'.join(problem)}"
            raise DraftIncomplete(problem=f"{draft.method}: {text}")
    for name, values in draft.drawn.items():
        for value in values if name != SEED else ():
            method.read(draft.parameters | {name: value})
