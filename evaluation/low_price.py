"""异常低价 abnormally low prices (财库〔2026〕2号 [sec]): whose price must be explained.

A price is looked at before any deduction of policy; whoever proves nothing is rejected by the
panel, never by this rule.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from evaluation.method import Bounds, Line, Offer, Parameters, two_places
from trading.kernel.calendar import BEIJING, Period, Unit
from trading.kernel.rule import Mark, Rule, Statute

__all__ = ["ANSWER_TIME", "LOW_PRICE", "LowPrice", "abnormally_low"]

_SINCE = date(2026, 2, 1)
_ARTICLE = "财库〔2026〕2号"
LOW_PRICE = "low-price"

ANSWER_TIME = Statute(
    "low-price-answer",
    "异常低价说明时间",
    "time to explain an abnormally low price",
    (Rule(Period(30, Unit.MINUTE), _ARTICLE, _SINCE, Mark.SECONDARY),),
)


class LowPrice(Parameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Percent, strictly below which a price is abnormally low; a tender may raise each to 65."""

    bounds: ClassVar[Bounds] = {
        "of_mean": (50, 65),
        "of_second_lowest": (50, 65),
        "of_ceiling": (45, 65),
    }

    of_mean: Decimal = Decimal(50)
    of_second_lowest: Decimal = Decimal(50)
    of_ceiling: Decimal = Decimal(45)


def abnormally_low(
    offers: Sequence[Offer], limits: LowPrice, published: datetime
) -> dict[str, tuple[Line, ...]]:
    """By bid, the rules that it meets, with their arithmetic; nothing for a tender from before the
    rule. `offers` are all that comply; where there is no ceiling, the budget stands for it.
    """
    if _day(published) < _SINCE or not offers:
        return {}
    prices = sorted(offer.price.fen for offer in offers)
    mean = Fraction(sum(prices), len(prices))
    found = {}
    for offer in offers:
        bases = [("mean", "全部有效报价平均 mean of all", mean, limits.of_mean)]
        if len(prices) > 1:
            second = Fraction(prices[1])
            bases.append(("second", "次低报价 second lowest", second, limits.of_second_lowest))
        if offer.ceiling:
            ceiling = Fraction(offer.ceiling.fen)
            bases.append(("ceiling", "最高限价 ceiling", ceiling, limits.of_ceiling))
        lines = tuple(line for base in bases if (line := _line(offer, *base)))
        if lines:
            found[offer.eid] = lines
    return found


def _day(moment: datetime) -> date:
    return moment.date() if moment.year == date.max.year else moment.astimezone(BEIJING).date()


def _line(offer: Offer, name: str, said: str, base: Fraction, percent: Decimal) -> Line | None:
    limit = base * Fraction(percent) / 100
    if offer.price.fen >= limit:
        return None
    shown = two_places(limit / 100)
    text = f"{offer.price} < {said} {two_places(base / 100)} × {percent}% = {shown}（{_ARTICLE}）"
    return Line(name, shown, text)
