"""事实 facts of the trade: everything that can be written into the ledger, and nothing else.

Importing this package makes every tag readable.
"""

from trading.facts import (
    award,
    bidding,
    committee,
    contract,
    cover,
    notice,
    opening,
    party,
    suspension,
    tender,
)

__all__ = [
    "award",
    "bidding",
    "committee",
    "contract",
    "cover",
    "notice",
    "opening",
    "party",
    "suspension",
    "tender",
]
