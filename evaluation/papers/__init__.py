"""One file, one paper: each module declares `PAPER`."""

from evaluation.paper import PaperKind
from trading.kernel.registry import Registry

PAPERS: Registry[PaperKind] = Registry(PaperKind, __name__, "PAPER")
