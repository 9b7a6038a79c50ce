"""成交 one lot from notice to contract, as market statistics count it."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from analytics.opening import priced_of
from trading.facts.tender import Lot
from trading.phase import Phase
from trading.tender import Tender

__all__ = ["Deal", "Taker", "deals_of"]

_REGION = slice(2, 8)  # of a unified social credit code: the division it is registered in
_CODE = 18
_CURRENCY = "CNY"


class Taker(msgspec.Struct, frozen=True):
    """A bidder of a lot; `price` in fen."""

    bidder: str
    name: str
    price: int


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in fen, None where there are none; `region`: six digits, empty where unknown."""

    tender: str
    number: str
    title: str
    lot: int
    buyer: str
    buyer_id: str
    region: str
    procedure: str
    phase: str
    ceiling: int | None
    published_at: datetime | None
    opened_at: datetime | None
    takers: tuple[Taker, ...]
    winner: Taker | None
    contracted: bool
    contracted_at: datetime | None
    has_failed: bool
    is_rehearsal: bool = False

    @property
    def saving(self) -> int | None:
        """What the award lies below the ceiling."""
        if self.winner is None or self.ceiling is None:
            return None
        return self.ceiling - self.winner.price


def deals_of(state: Tender, contracted: Mapping[int, datetime] = {}) -> list[Deal]:
    """One for each lot once the prices are opened or the tender has failed; nothing before, and
    nothing of a tender in another currency, which no sum of yuan may hold.
    `contracted`: when, by lot.
    """
    draft = state.drafted
    is_over = state.phase in (Phase.FAILED, Phase.CANCELLED)
    if state.opened_at is None and not is_over:
        return []
    if draft.currency != _CURRENCY:
        return []
    return [_deal(state, lot, contracted, is_over=is_over) for lot in draft.lots]


def _deal(state: Tender, lot: Lot, contracted: Mapping[int, datetime], *, is_over: bool) -> Deal:
    draft, takers = state.drafted, _takers(state, lot.number)
    awarded = {one.lot: one.eid for one in state.decided.awards} if state.decided else {}
    is_done = lot.number in state.contracts
    return Deal(
        tender=state.id,
        number=draft.number,
        title=lot.title if len(draft.lots) > 1 else draft.title,
        lot=lot.number,
        buyer=draft.buyer,
        buyer_id=draft.buyer_id,
        region=_region(draft.buyer_id),
        procedure=draft.procedure,
        phase=state.phase.value,
        ceiling=lot.ceiling,
        published_at=state.published_at,
        opened_at=state.opened_at,
        takers=tuple(takers.values()),
        winner=takers.get(awarded.get(lot.number, "")),
        contracted=is_done,
        contracted_at=contracted.get(lot.number) if is_done else None,
        has_failed=is_over or lot.number in state.failed_lots,
        is_rehearsal=draft.pace.is_rehearsal,
    )


def _takers(state: Tender, lot: int) -> dict[str, Taker]:
    """By envelope; whoever was rejected afterwards bid all the same."""
    return {bid.eid: Taker(bid.bidder, bid.name, bid.price) for bid in priced_of(state, lot)}


def _region(buyer: str) -> str:
    digits = buyer[_REGION]
    return digits if len(buyer) == _CODE and digits.isdigit() else ""
