"""评标基准价 the benchmark price: which bids make it, what is weighed, how far a bid lies off.

Shared by the methods that measure prices against it; it knows nothing of scores.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

import msgspec

from evaluation.method import Bounds, Line, Offer, Parameters, two_places
from trading.kernel.errors import DraftIncomplete

__all__ = ["Against", "Benchmark", "benchmark_of"]

_HUNDRED = 100
_FEW, _MANY = 4, 7  # from so many bids on the highest is dropped, and from so many the lowest too


class Against(Parameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`benchmark`: mean of all; trimmed (drop the highest from 4 to 6 bids, both ends from 7 on);
    weighted: that mean and the ceiling, `ceiling_weight` percent of it (K 值). Then lowered by
    `float_percent` (浮动点, drawn in public). `above` and `below`: points lost for a percent off;
    `per`: part of a percent counts in proportion, as nothing (whole) or as a whole one (started).
    """

    bounds: ClassVar[Bounds] = dict.fromkeys(
        ("ceiling_weight", "float_percent", "above", "below"), (0, 100)
    )

    benchmark: Literal["mean", "trimmed", "weighted"] = "trimmed"
    ceiling_weight: Decimal = Decimal(0)
    float_percent: Decimal = Decimal(0)
    above: Decimal = Decimal(1)
    below: Decimal = Decimal("0.5")
    per: Literal["proportional", "whole", "started"] = "proportional"


class Benchmark(msgspec.Struct, frozen=True):
    """`price` in fen, exact; the lines tell how it came about."""

    price: Fraction
    lines: tuple[Line, ...]

    def lost(self, offer: Offer, parameters: Against) -> tuple[Fraction, tuple[Line, ...]]:
        """Points that the price loses, and the lines of its deviation."""
        off = (offer.price.fen - self.price) / self.price * _HUNDRED
        steps = _steps(abs(off), parameters.per)
        above = ("高于 above", parameters.above)
        side, rate = above if off > 0 else ("低于 below", parameters.below)
        lost = steps * Fraction(rate)
        shown, fen = two_places(off), _yuan(self.price)
        return lost, (
            Line("deviation", shown, f"({offer.price} − {fen}) ÷ {fen} × 100 = {shown} %"),
            Line(
                "deduction",
                two_places(lost),
                f"{side}：{two_places(steps)} × {rate} = {two_places(lost)}",
            ),
        )


def benchmark_of(offers: Sequence[Offer], parameters: Against) -> Benchmark:
    """DraftIncomplete if the ceiling is asked for and there is none."""
    prices = sorted(offer.price.fen for offer in offers)
    kept, said = _kept(prices, parameters.benchmark)
    mean = Fraction(sum(kept), len(kept))
    lines = [Line("mean", _yuan(mean), f"{said}：平均 mean of {len(kept)} = {_yuan(mean)}")]
    price = mean
    if parameters.benchmark == "weighted":
        ceilings = {offer.ceiling for offer in offers}
        ceiling = next(iter(ceilings))
        if len(ceilings) != 1 or ceiling is None:
            raise DraftIncomplete(problem="加权基准价需要最高限价 / weighted needs one ceiling")
        share = Fraction(parameters.ceiling_weight) / _HUNDRED
        price = ceiling.fen * share + mean * (1 - share)
        text = (
            f"{ceiling} × {parameters.ceiling_weight}% + {_yuan(mean)} × 余 rest = {_yuan(price)}"
        )
        lines.append(Line("weighted", _yuan(price), text))
    if parameters.float_percent:
        lowered = price * (1 - Fraction(parameters.float_percent) / _HUNDRED)
        text = f"{_yuan(price)} × (1 − {parameters.float_percent}%) = {_yuan(lowered)}"
        lines.append(Line("floated", _yuan(lowered), text))
        price = lowered
    if price <= 0:
        raise DraftIncomplete(problem="基准价为零 / the benchmark is nothing")
    lines.append(Line("benchmark", _yuan(price), f"评标基准价 benchmark = {_yuan(price)}"))
    return Benchmark(price, tuple(lines))


def _kept(prices: list[int], rule: str) -> tuple[list[int], str]:
    count = len(prices)
    if rule == "mean" or count < _FEW:
        return prices, f"{count} 家全部 all"
    if count < _MANY:
        return prices[:-1], f"{count} 家，去最高 1 家 highest dropped"
    return prices[1:-1], f"{count} 家，去最高、最低各 1 家 highest and lowest dropped"


def _steps(off: Fraction, per: str) -> Fraction:
    if per == "whole":
        return Fraction(off.numerator // off.denominator)
    if per == "started":
        return Fraction(-(-off.numerator // off.denominator))
    return off


def _yuan(fen: Fraction) -> str:
    return two_places(fen / _HUNDRED)
