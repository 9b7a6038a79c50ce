"""Facts of the expert bank 评标专家库: what draws need is in clear, who it is stays sealed."""

from datetime import datetime

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = ["BANK_STREAM", "ExpertAdmitted", "ExpertRestored", "ExpertSuspended"]

BANK_STREAM = "experts"


class ExpertAdmitted(Fact, frozen=True, tag="expert.admitted/1"):
    """入库. `seal`: the hash of the dossier and a salt, hex; it names the expert from here on. A
    later one with `replaces` is the same expert with another dossier.
    """

    seal: str
    specialities: tuple[str, ...]
    grade: str
    region: str
    replaces: str = ""


class ExpertSuspended(Fact, frozen=True, tag="expert.suspended/1"):
    """暂停或清退, by the supervising body. Without `until`: for good."""

    by = frozenset({Role.INSPECTOR})
    seal: str
    ground: str
    until: datetime | None = None


class ExpertRestored(Fact, frozen=True, tag="expert.restored/1"):
    by = frozenset({Role.INSPECTOR})
    seal: str
    ground: str
