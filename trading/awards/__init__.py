"""One file, one way to award: each module declares `AWARD`."""

from trading.award_method import AwardMethod
from trading.kernel.registry import Registry

AWARDS: Registry[AwardMethod] = Registry(AwardMethod, __name__, "AWARD")
