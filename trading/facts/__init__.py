"""事实 facts of the trade: everything that can be written into the ledger, and nothing else.

Importing this package makes every tag readable.
"""

from trading.facts import (
    award,
    awarding,
    bidding,
    committee,
    contract,
    cover,
    draw,
    expert,
    fulfilment,
    notice,
    objection,
    opening,
    panel,
    paper,
    party,
    rubric,
    suspension,
    tender,
    warning,
)

__all__ = [
    "award",
    "awarding",
    "bidding",
    "committee",
    "contract",
    "cover",
    "draw",
    "expert",
    "fulfilment",
    "notice",
    "objection",
    "opening",
    "panel",
    "paper",
    "party",
    "rubric",
    "suspension",
    "tender",
    "warning",
]
