"""缺失的报价 how many bids lie as close to winning as chance would have it.

Where firms compete, a bid just above the winner's is as likely as one a little farther off. A ring
keeps others from bidding close, so that nobody wins by mistake: bids are missing there (Chassang,
Kawai, Nakabayashi and Ortner 2022). Looks at a whole market; one opening says nothing.
"""

import msgspec
import numpy as np
import scipy

from analytics.market import Floats, Market

__all__ = ["Missing", "margins", "missing_bids"]

_WIDTH = 0.005  # of the ceiling, or of the median bid where there is none
_FEWEST = 30  # bids near winning


class Missing(msgspec.Struct, frozen=True):
    """`close`: bids within `width` of winning or losing, `beside`: those in the two bands next to
    it; `share`: close over what the bands lead one to expect (1: as by chance); `chance`: of so
    few. None where there are too few bids to tell.
    """

    width: float
    close: int
    beside: int
    share: float | None
    chance: float | None


def margins(market: Market) -> Floats:
    """Of every bid: its distance from the lowest of its rivals, as a share of the ceiling."""
    starts, sizes = market.starts[:-1], market.sizes
    lowest = np.minimum.reduceat(market.bids, starts)
    is_lowest = market.bids == np.repeat(lowest, sizes)
    others = np.where(is_lowest, np.inf, market.bids)
    second = np.minimum.reduceat(others, starts)
    ties = np.add.reduceat(is_lowest.astype(np.int64), starts) > 1
    second = np.where(ties, lowest, second)
    medians = np.array([np.median(market.bids[market.within(n)]) for n in range(len(market))])
    scale = np.where(np.isfinite(market.controls), market.controls, medians)
    rival = np.where(is_lowest, np.repeat(second, sizes), np.repeat(lowest, sizes))
    found = (market.bids - rival) / np.repeat(scale, sizes)
    return np.asarray(found[np.repeat(sizes, sizes) > 1])


def missing_bids(market: Market, width: float = _WIDTH) -> Missing:
    off = np.abs(margins(market))
    close = int((off < width).sum())
    beside = int(((off >= width) & (off < 2 * width)).sum())
    if close + beside < _FEWEST:
        return Missing(width, close, beside, None, None)
    chance = float(scipy.stats.binom.cdf(close, close + beside, 0.5))
    return Missing(width, close, beside, close / beside if beside else None, chance)
