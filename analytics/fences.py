"""四分位与围栏 quartiles and Tukey's fences, as exactly as the flags' published figures need.

Quantiles of type 8 (Hyndman and Fan 1996): its median is unbiased whatever the distribution.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

__all__ = ["Fences", "quantile"]

_WHISKER = Fraction(3, 2)
_THIRD = 1 / 3


def quantile(values: Sequence[float], share: float) -> float:
    """`values` ascending; nan where there are none."""
    count = len(values)
    if count == 0 or not 0 <= share <= 1:
        return math.nan
    place = (count + _THIRD) * share + _THIRD
    whole = int(place)
    if whole <= 0 or share == 0:
        return values[0]
    if whole >= count or share == 1:
        return values[-1]
    below, above = values[whole - 1], values[whole]
    return below + (place - whole) * (above - below)


class Fences:
    """Quartiles of all values together, and how far an ordinary one may lie outside them."""

    def __init__(self, values: Sequence[float]) -> None:
        ordered = sorted(values)
        self.q1, self.q3 = quantile(ordered, 0.25), quantile(ordered, 0.75)
        self.lower = _away(self.q1, self.q1 - self.q3)
        self.upper = _away(self.q3, self.q3 - self.q1)


def _away(start: float, span: float) -> float:
    """Rounded once."""
    if not (math.isfinite(start) and math.isfinite(span)):
        return start + 1.5 * span
    return float(Fraction(start) + _WHISKER * Fraction(span))
