"""全生命周期成本 life-cycle cost: all that a thing costs until its end, at its present value.

Scores named `year-N` are the yearly costs in yuan, `residual` what is left at the end of the last
year. The lowest sum ranks first.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from evaluation.method import Bounds, Line, Method, Offer, Parameters, Placed, two_places
from trading.kernel.errors import ScoreInvalid

__all__ = ["METHOD"]

_YEAR = re.compile("year-([1-9][0-9]?)")
_RESIDUAL = "residual"


class LifeCycle(Parameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`discount`: percent a year."""

    bounds: ClassVar[Bounds] = {"discount": (0, 50)}

    discount: Decimal = Decimal(5)


def _place(offers: Sequence[Offer], parameters: LifeCycle) -> list[Placed]:
    growth = 1 + Fraction(parameters.discount) / 100
    costs = {offer.eid: _cost(offer, growth) for offer in offers}
    ordered = sorted(offers, key=lambda offer: (costs[offer.eid][0], offer.price, offer.arrival))
    return [
        Placed(offer.eid, rank, two_places(total), lines[-1].text, lines)
        for rank, offer in enumerate(ordered, 1)
        for total, lines in (costs[offer.eid],)
    ]


def _cost(offer: Offer, growth: Fraction) -> tuple[Fraction, tuple[Line, ...]]:
    """Present value in yuan."""
    price = Fraction(offer.price.fen, 100)
    years = {_year(offer, item): cost for item, cost in offer.scores.items() if item != _RESIDUAL}
    last = max(years, default=0)
    lines = [Line("price", two_places(price), f"报价 bid {two_places(price)}")]
    total = price
    for year, cost in sorted(years.items()):
        present = Fraction(cost) / growth**year
        text = (
            f"第 {year} 年 year {year}：{cost} ÷ {two_places(growth**year)} = {two_places(present)}"
        )
        lines.append(Line(f"year-{year}", two_places(present), text))
        total += present
    if _RESIDUAL in offer.scores:
        present = Fraction(offer.scores[_RESIDUAL]) / growth**last
        lines.append(Line(_RESIDUAL, two_places(present), f"残值 residual −{two_places(present)}"))
        total -= present
    text = f"全生命周期成本 life-cycle cost = {two_places(total)}"
    return total, (*lines, Line("total", two_places(total), text))


def _year(offer: Offer, item: str) -> int:
    found = _YEAR.fullmatch(item)
    if not found:
        raise ScoreInvalid(eid=offer.eid, item=item, problem="year-N、residual")
    return int(found[1])


METHOD = Method(
    code="life-cycle-cost",
    zh="全生命周期成本法",
    en="Life-cycle cost",
    place=_place,
    parameters=LifeCycle,
)
