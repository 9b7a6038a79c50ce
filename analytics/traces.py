"""投递痕迹 when the envelopes of a lot came in: two within a minute, long before the rush of the
last hour, may have left one hand. Addresses are not kept here: uploads are anonymous by design, and
what a gateway knows of them enters the catalogue of clues.
"""

from datetime import timedelta
from itertools import pairwise

from analytics.finding import CLUE, Finding
from analytics.opening import firm_of
from trading.tender import Tender

__all__ = ["traces"]

_CLOSE, _RUSH = timedelta(seconds=60), timedelta(hours=1)
_SHARE = 0.5  # of the bids: more at once is a rush of its own


def traces(state: Tender, lot: int) -> list[Finding]:
    """Of the first envelopes of different bidders, by registration number."""
    stage = state.drafted.stages[0]
    came = [
        (bid.at, firm_of(state.opened[bid.eid]), bid.index)
        for bid in state.final(stage)
        if bid.eid in state.opened and bid.prefix.header.lot == lot
    ]
    if state.deadline is None:
        return []
    last = state.deadline
    pairs = [
        (one, other)
        for one, other in pairwise(sorted(came))
        if other[0] - one[0] <= _CLOSE and other[0] < last - _RUSH and one[1] != other[1]
    ]
    if len(pairs) > _SHARE * len(came):
        return []
    return [
        Finding(
            "upload-interval",
            CLUE,
            one[1],
            other[1],
            f"账本第 {one[2]} 条 {one[0].isoformat()}",
            f"账本第 {other[2]} 条 {other[0].isoformat()}",
            f"两份投标相隔 {(other[0] - one[0]).total_seconds():.0f} 秒递交",
            f"handed in {(other[0] - one[0]).total_seconds():.0f} s apart",
            "条例 第四十条（二）",
        )
        for one, other in pairs
    ]
