"""One file, one indicator of the catalogue: each module declares `CLUE`."""

from analytics.clue import Clue
from trading.kernel.registry import Registry

CLUES: Registry[Clue] = Registry(Clue, __name__, "CLUE")
