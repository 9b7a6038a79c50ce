"""Facts of warnings 围串标预警: which model looked, what it said, what people made of it.

Models are adopted in the stream `models`; warnings lie in the stream `warnings:` of their tender.
They are clues for people to look into 线索, and reject nothing.
"""

from enum import StrEnum

import msgspec

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = ["MODELS", "Match", "ModelAdopted", "Verdict", "WarningJudged", "WarningRecorded"]

MODELS = "models"


class Verdict(StrEnum):
    CONFIRMED = "confirmed"  # 查实
    CLEARED = "cleared"  # 排除
    MORE = "needs-more"  # 待补充


class Match(msgspec.Struct, frozen=True):
    """What two bids have in common, and where it stands in both; bidders by registration number."""

    kind: str
    grade: str
    first: str
    second: str
    where_first: str
    where_second: str
    zh: str
    en: str
    article: str


class ModelAdopted(Fact, frozen=True, tag="warning.model-adopted/1"):
    """`model`: SHA-256 of the model's canonical form, hex; `card`: of its card alone."""

    model: str
    version: str
    features: tuple[str, ...]
    card: str


class WarningRecorded(Fact, frozen=True, tag="warning.recorded/1"):
    """One lot of an opening. `given`: SHA-256 over what was looked at, hex; `features` and `score`
    as decimal text, `score` empty where nothing is said; `model` empty: documents alone; `cleared`:
    how many openings of this place the bands stand on; `read`: how many entries of the ledger were
    known when it was scored, which say what else was opened and cleared here.
    """

    lot: int
    model: str
    given: str
    features: tuple[str, ...]
    score: str
    band: str
    reasons: tuple[str, ...]
    abstains: bool
    cleared: int
    matches: tuple[Match, ...] = ()
    unread: tuple[str, ...] = ()
    read: int = 0


class WarningJudged(Fact, frozen=True, tag="warning.judged/1"):
    """查实、排除或待补充: by the supervising body, with its ground."""

    by = frozenset({Role.INSPECTOR})
    lot: int
    verdict: Verdict
    ground: str
