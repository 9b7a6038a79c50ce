"""One file, one procedure: each module declares `PROCEDURE`."""

from trading.kernel.registry import Registry
from trading.procedure import Procedure

PROCEDURES: Registry[Procedure] = Registry(Procedure, __name__, "PROCEDURE")
