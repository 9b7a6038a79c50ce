"""开标价格 the opened prices of one lot, as screens and networks look at them, and their digest."""

from datetime import datetime

import msgspec

from evaluation.methods import METHODS
from trading.envelope.layout import Stage
from trading.facts.opening import EnvelopeOpened
from trading.kernel.canonical import canonical, sha256
from trading.tender import Tender

__all__ = ["Bid", "Opening", "firm_of", "opened_of", "openings_of", "priced_of"]

_LOWEST_WINS = {method.code: method.is_monotone for method in METHODS}


class Bid(msgspec.Struct, frozen=True):
    """`price` in fen."""

    eid: str
    bidder: str
    name: str
    price: int


class Opening(msgspec.Struct, frozen=True):
    """One lot, its bids in the order of the ledger; `ceiling` in fen; `lowest_wins`: whether by the
    tender's method a lower price never ranks behind, None where the method is not known here.
    """

    tender: str
    title: str
    buyer: str
    lot: int
    at: datetime
    ceiling: int | None
    bids: tuple[Bid, ...]
    lowest_wins: bool | None = None

    @property
    def name(self) -> str:
        return f"{self.tender}/{self.lot}"

    @property
    def given(self) -> str:
        """SHA-256 over envelopes, prices and ceiling, hex: the same input, the same score."""
        looked_at = {
            "bids": [[bid.eid, bid.bidder, bid.price] for bid in self.bids],
            "ceiling": self.ceiling,
        }
        return sha256(canonical(looked_at)).hex()


def openings_of(state: Tender) -> list[Opening]:
    """One for each lot with a price in the tender's currency; nothing before the prices are opened.
    What becomes of the lot afterwards changes nothing.
    """
    draft, at = state.drafted, state.opened_at
    if at is None:
        return []
    found = []
    for lot in draft.lots:
        bids = tuple(bid for bid in priced_of(state, lot.number) if bid.price > 0)
        if bids:
            opening = Opening(
                state.id,
                draft.title,
                draft.buyer,
                lot.number,
                at,
                lot.ceiling,
                bids,
                _LOWEST_WINS.get(draft.method),
            )
            found.append(opening)
    return found


def firm_of(opened: EnvelopeOpened) -> str:
    """The registration number, without blanks that somebody typed around it."""
    return opened.bidder_id.strip()


def opened_of(state: Tender, lot: int) -> list[EnvelopeOpened]:
    """The opened envelopes of a lot, in the order in which they came in."""
    own = [one for one in state.opened.values() if one.lot == lot]
    return sorted(own, key=lambda one: (one.stage, state.received[one.eid].index))


def priced_of(state: Tender, lot: int) -> list[Bid]:
    """Those with a price in the tender's currency, whatever became of them afterwards."""
    return [
        Bid(one.eid, firm_of(one), one.bidder_name, one.price)
        for one in opened_of(state, lot)
        if one.stage == Stage.PRICE
        and one.price is not None
        and one.currency in ("", state.drafted.currency)
    ]
