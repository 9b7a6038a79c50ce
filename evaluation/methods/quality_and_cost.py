"""质量与费用 quality and cost (QCBS; 固定预算 fixed budget): for consultants and services.

`quality` of each bid is scored to 100. With a budget, bids above it are in the record and not
ranked. With `quality_weight` 100 the budget alone limits the price: fixed-budget selection.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from evaluation.method import (
    Bounds,
    Line,
    Method,
    Offer,
    Parameters,
    Placed,
    Scored,
    by_score,
    points_of,
    two_places,
)
from trading.kernel.errors import DraftIncomplete
from trading.kernel.money import Money

__all__ = ["METHOD"]

_HUNDRED = Decimal(100)


class QualityAndCost(Parameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`budget` in yuan; empty: none."""

    bounds: ClassVar[Bounds] = {"quality_weight": (0, 100)}

    quality_weight: Decimal = Decimal(80)
    budget: str = ""


def _place(offers: Sequence[Offer], parameters: QualityAndCost) -> list[Placed]:
    budget = Money.yuan(parameters.budget) if parameters.budget else None
    if budget is not None and budget.fen <= 0:
        raise DraftIncomplete(problem=f"预算 / budget {budget}")
    within = [offer for offer in offers if budget is None or offer.price <= budget]
    lowest = min((offer.price for offer in within), default=Money(1))
    weight = Fraction(parameters.quality_weight) / 100
    placed = by_score([_scored(offer, lowest, weight) for offer in within])
    beyond = sorted((o for o in offers if o not in within), key=lambda offer: offer.arrival)
    return placed + [
        Placed(offer.eid, 0, "0.00", f"{offer.price} 超出预算 over the budget {budget}")
        for offer in beyond
    ]


def _scored(offer: Offer, lowest: Money, weight: Fraction) -> Scored:
    quality = points_of(offer, _HUNDRED)
    cost = Fraction(lowest.fen, offer.price.fen) * 100
    total = quality * weight + cost * (1 - weight)
    share, rest = two_places(weight * 100), two_places(100 - weight * 100)
    explanation = (
        f"{two_places(quality)} × {share}% + {two_places(cost)} × {rest}% = {two_places(total)}"
    )
    lines = (
        Line("quality", two_places(quality), f"质量分 quality {two_places(quality)}"),
        Line("cost", two_places(cost), f"{lowest} ÷ {offer.price} × 100 = {two_places(cost)}"),
        Line("total", two_places(total), explanation),
    )
    return Scored(offer, total, explanation, lines)


METHOD = Method(
    code="quality-and-cost",
    zh="质量与费用评审法",
    en="Quality and cost",
    place=_place,
    parameters=QualityAndCost,
)
