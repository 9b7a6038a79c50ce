"""账本中的市场 all openings of a ledger as one market, read from an export or a data folder."""

from pathlib import Path

from analytics.market import Market
from analytics.opening import market_of, openings_of
from trading.kernel.errors import InputUnusable
from trading.ledger.archive import read_streams
from trading.tender import fold

__all__ = ["read_ledger"]

_TENDER = "tender:"


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
