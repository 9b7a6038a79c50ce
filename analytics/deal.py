"""成交 one lot from notice to contract, as market statistics count it."""

from datetime import datetime

import msgspec

from trading.phase import Phase
from trading.tender import Tender

__all__ = ["Deal", "Taker", "deals_of"]

_REGION = slice(2, 8)  # of a unified social credit code: the division it is registered in
_CODE = 18


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

    @property
    def saving(self) -> int | None:
        """What the award lies below the ceiling."""
        if self.winner is None or self.ceiling is None:
            return None
        return self.ceiling - self.winner.price


def deals_of(state: Tender, contracted_at: datetime | None = None) -> list[Deal]:
    """One for each lot once the prices are opened or the tender has failed; nothing before."""
    draft = state.drafted
    is_over = state.phase in (Phase.FAILED, Phase.CANCELLED)
    if state.opened_at is None and not is_over:
        return []
    awarded = {one.lot: one.eid for one in state.decided.awards} if state.decided else {}
    found = []
    for lot in draft.lots:
        takers = {
            one.eid: Taker(one.bidder_id, one.bidder_name, one.price)
            for one in state.priced()
            if one.lot == lot.number and one.price is not None
        }
        is_done = lot.number in state.contracts
        found.append(
            Deal(
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
                contracted_at=contracted_at if is_done else None,
                has_failed=is_over or lot.number in state.failed_lots,
            )
        )
    return found


def _region(buyer: str) -> str:
    digits = buyer[_REGION]
    return digits if len(buyer) == _CODE and digits.isdigit() else ""
