"""Facts of a tender's own life 招标项目."""

from datetime import datetime

import msgspec

from trading.facts.rubric import Item
from trading.kernel.calendar import NATURAL, Pace
from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "Lot",
    "LotsFailed",
    "OutageRule",
    "TenderCancelled",
    "TenderCompleted",
    "TenderDrafted",
    "TenderFailed",
    "TenderPublished",
]

_OWNER = frozenset({Role.PURCHASER, Role.AGENCY})


class Lot(msgspec.Struct, frozen=True):
    """标段; amounts in fen. `ceiling` is the 最高投标限价, `estimate` binds nobody."""

    number: int
    title: str
    ceiling: int | None = None
    estimate: int | None = None


class OutageRule(msgspec.Struct, frozen=True):
    """平台故障顺延规则, published with the tender: an outage up to `limit_minutes` moves a deadline
    that it touched to `short_minutes` after its end, a longer one to `long_minutes`. Less than
    `least_seconds` is no outage, and `most` extensions are all a tender gets by rule.
    """

    limit_minutes: int = 120
    short_minutes: int = 120
    long_minutes: int = 1440
    least_seconds: int = 30
    most: int = 3


class TenderDrafted(Fact, frozen=True, tag="tender.drafted/1"):
    """All that the tender documents fix; `parameters` belong to the evaluation method.

    `panel` is the party that evaluates; `authorities` are the CAs (DER, hex) whose certificates
    bidders sign with; `state_funded` binds the award to rank 1; `cokey_minutes` is how long
    bidders have to reveal their own keys; with a `token_key` (DER, hex) only who took the documents
    may hand in. `rubric` is the score sheet; `low_price` raises limits of abnormally low prices;
    `award`: how a committee apart from the panel awards, empty where the owner does; `drawn`: the
    method's parameters that a public draw sets, with the values it draws from; `panel_size`: the
    fewest members where a rule asks for more than the law (water works: 7); above 0,
    `minor_deviations` is how many minor deviations a bid may have in a stage.
    """

    by = _OWNER
    tender: str
    number: str
    title: str
    buyer: str
    buyer_id: str
    procedure: str
    method: str
    lots: tuple[Lot, ...]
    currency: str = "CNY"
    stages: tuple[int, ...] = (2,)
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    invited: tuple[str, ...] = ()
    cokey: bool = False
    cokey_minutes: int = 30
    panel: str = ""
    state_funded: bool = True
    authorities: tuple[str, ...] = ()
    pace: Pace = NATURAL
    token_key: str = ""
    outage_rule: OutageRule = OutageRule()
    rubric: tuple[Item, ...] = ()
    low_price: dict[str, str] = msgspec.field(default_factory=dict)
    award: str = ""
    drawn: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    panel_size: int = 0
    minor_deviations: int = 0


class TenderPublished(Fact, frozen=True, tag="tender.published/1"):
    by = _OWNER
    deadline: datetime
    documents_until: datetime


class TenderCancelled(Fact, frozen=True, tag="tender.cancelled/1"):
    """终止招标 (条例 31)."""

    by = _OWNER
    ground: str


class LotsFailed(Fact, frozen=True, tag="tender.lots-failed/1"):
    """流标 of some lots; the others go on."""

    lots: tuple[int, ...]
    ground: str
    article: str


class TenderFailed(Fact, frozen=True, tag="tender.failed/1"):
    """流标·废标 of the whole tender; it must be tendered anew."""

    ground: str
    article: str


class TenderCompleted(Fact, frozen=True, tag="tender.completed/1"):
    """Every lot is under contract or has failed."""
