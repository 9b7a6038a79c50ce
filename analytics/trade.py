"""成交台账 every lot of this place and what became of it, kept by reading along."""

import threading
from collections.abc import Sequence
from datetime import datetime

import msgspec

from analytics.deal import Deal, deals_of
from analytics.sheet import Cell
from trading.desks.office import Office
from trading.facts.award import (
    AwardDecided,
    CandidatesPublished,
    CandidatesRecommended,
    EvaluationReopened,
)
from trading.facts.contract import ContractSigned
from trading.facts.opening import OpeningRecorded
from trading.facts.tender import LotsFailed, TenderCancelled, TenderCompleted, TenderFailed
from trading.kernel.errors import StreamUnknown
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact

__all__ = ["HEADER", "Query", "Trade", "row_of"]

_MOVING = (
    OpeningRecorded,
    AwardDecided,
    ContractSigned,
    TenderFailed,
    TenderCancelled,
    TenderCompleted,
    LotsFailed,
    CandidatesRecommended,
    CandidatesPublished,
    EvaluationReopened,
)
HEADER = (
    "编号 number",
    "标段 lot",
    "名称 title",
    "采购人 buyer",
    "地区 region",
    "方式 procedure",
    "状态 phase",
    "控制价（元） ceiling",
    "家数 bidders",
    "中标人 winner",
    "中标价（元） price",
    "开标 opened",
    "合同 contract",
)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Empty fields ask for nothing; `text` is looked for in number, title, buyer and bidders;
    `rehearsals`: 演练 instead of what was meant, which no figure mixes.
    """

    text: str = ""
    region: str = ""
    procedure: str = ""
    since: datetime | None = None
    until: datetime | None = None
    rehearsals: bool = False

    def takes(self, deal: Deal) -> bool:
        moment = deal.opened_at or deal.published_at
        if (self.since or self.until) and moment is None:
            return False
        return (
            deal.is_rehearsal == self.rehearsals
            and deal.region.startswith(self.region)
            and self.procedure in ("", deal.procedure)
            and (self.since is None or moment is None or moment >= self.since)
            and (self.until is None or moment is None or moment < self.until)
            and self.text in _words(deal)
        )


def _words(deal: Deal) -> str:
    names = [f"{taker.name} {taker.bidder}" for taker in deal.takers]
    return "\n".join([deal.number, deal.title, deal.buyer, deal.buyer_id, *names])


class Trade:
    """A follower. One thread hands pages in, others may read."""

    def __init__(self, office: Office) -> None:
        self.name = "trade"
        self._office, self._lock = office, threading.Lock()
        self._deals: dict[str, list[Deal]] = {}
        self._contracts: dict[str, dict[int, datetime]] = {}

    def handle(self, page: Sequence[tuple[Fact, Stamp]]) -> None:
        moved: dict[str, None] = {}
        for fact, stamp in page:
            if isinstance(fact, _MOVING):
                tender = stamp.stream.removeprefix("tender:")
                moved[tender] = None
                if isinstance(fact, ContractSigned):
                    self._contracts.setdefault(tender, {})[fact.lot] = stamp.at
        for tender in moved:
            self._take(tender)

    def _take(self, tender: str) -> None:
        try:
            deals = deals_of(self._office.load(tender), self._contracts.get(tender, {}))
        except StreamUnknown:
            return
        with self._lock:
            self._deals[tender] = deals

    def ask(self, query: Query) -> list[Deal]:
        """The newest first."""
        with self._lock:
            deals = [deal for deals in self._deals.values() for deal in deals]
        found = [deal for deal in deals if query.takes(deal)]
        return sorted(found, key=lambda deal: (deal.tender, -deal.lot), reverse=True)


def row_of(deal: Deal) -> list[Cell]:
    winner = deal.winner
    return [
        deal.number,
        deal.lot,
        deal.title,
        deal.buyer,
        deal.region,
        deal.procedure,
        deal.phase,
        None if deal.ceiling is None else deal.ceiling / 100,
        len(deal.takers),
        winner.name if winner else "",
        winner.price / 100 if winner else None,
        deal.opened_at.isoformat() if deal.opened_at else "",
        deal.contracted_at.isoformat() if deal.contracted_at else "",
    ]
