"""账本中的市场 openings of a ledger as one market, in this process or from an export."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from analytics.market import Market
from analytics.opening import Opening, openings_of
from trading.kernel.errors import InputUnusable
from trading.ledger.archive import read_streams
from trading.tender import fold

__all__ = ["market_of", "read_ledger"]

_TENDER = "tender:"
_FEN = 100


def read_ledger(path: Path) -> Market:
    """Auctions are named by tender and lot; InputUnusable where nothing has been opened."""
    openings, winners = [], set[str]()
    for stream, facts in read_streams(path).items():
        if stream.startswith(_TENDER):
            state = fold(stream.removeprefix(_TENDER), facts)
            openings += openings_of(state)
            winners |= {one.eid for one in state.decided.awards} if state.decided else set()
    if not openings:
        raise InputUnusable(path=path, problem="尚无开标 / nothing has been opened")
    return market_of(openings, sorted(winners))


def market_of(openings: Iterable[Opening], winners: Sequence[str] = ()) -> Market:
    """As a market whose auctions are these, prices in yuan; `winners` by envelope. At least one."""
    rows = [
        {
            "auction_id": opening.name,
            "bidder_id": bid.bidder,
            "bid": str(bid.price / _FEN),
            "winner": str(int(bid.eid in winners)),
            "control_price": "" if opening.ceiling is None else str(opening.ceiling / _FEN),
            "lowest_wins": "" if opening.lowest_wins is None else str(int(opening.lowest_wins)),
        }
        for opening in openings
        for bid in opening.bids
    ]
    return Market("local", rows)
