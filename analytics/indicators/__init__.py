"""One file, one red flag: each module declares `INDICATOR`."""

from analytics.indicator import Indicator
from trading.kernel.registry import Registry

INDICATORS: Registry[Indicator] = Registry(Indicator, __name__, "INDICATOR")
