"""泄漏 columns from which a model would learn firms, dates or cases instead of collusion.

Nothing but prices is ever trained on; this says of every other column why not, so that nobody adds
one in good faith.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from scipy.stats import spearmanr

from analytics.labelled import FEWEST
from analytics.market import Market, number

__all__ = ["Leak", "leaks"]

_NEARLY = 0.9
_FOLDS = 5
_SEVERAL = 3  # auctions of a firm


class Leak(msgspec.Struct, frozen=True):
    market: str
    column: str
    zh: str
    en: str


def leaks(market: Market) -> Iterator[Leak]:
    """Of every column that is no price and no label, the first reason that holds."""
    for column, values in market.others.items():
        reason = _reason(market, values)
        if reason:
            zh, en = reason
            said = f"{market.name}.{column}"
            yield Leak(market.name, column, f"{said} {zh}，不参与训练", f"{said} {en}: not used")


def _reason(market: Market, values: Sequence[str]) -> tuple[str, str] | None:
    if _follows_firms(market, values):
        return "可识别企业", "identifies firms"
    by_auction = [values[start] for start in market.starts[:-1]]
    constant = all(len(set(values[market.within(place)])) == 1 for place in range(len(market)))
    if not constant:
        return _of_bids(market, values)
    if len(set(by_auction)) >= _NEARLY * len(market):
        return (
            ("随日期变化", "follows the date")
            if _follows(market, by_auction)
            else (
                "可识别项目",
                "identifies auctions",
            )
        )
    if _separates(market, by_auction):
        return "单独即可区分案件", "separates the cases by itself"
    return ("随日期变化", "follows the date") if _follows(market, by_auction) else None


def _of_bids(market: Market, values: Sequence[str]) -> tuple[str, str] | None:
    """What differs inside auctions: a number for every bid, or whoever has no name but this."""
    if len(set(values)) >= _NEARLY * len(values):
        return "可识别投标", "identifies bids"
    met = Counter(zip(market.of_bid.tolist(), values, strict=True))
    auctions = Counter(value for _, value in met)
    is_once = sum(count == 1 for count in met.values()) >= _NEARLY * len(met)
    is_rare = max(auctions.values()) <= len(market) / 2
    is_again = sum(count >= _SEVERAL for count in auctions.values()) >= len(auctions) / 2
    if is_once and is_rare and is_again:
        return "可识别企业", "identifies firms"
    return None


def _follows_firms(market: Market, values: Sequence[str]) -> bool:
    """Each value belongs to one firm, and firms keep theirs from auction to auction."""
    if not market.has_bidders:
        return False
    owners: dict[str, set[str]] = {}
    kept: dict[str, set[str]] = {}
    for value, firm in zip(values, market.bidders, strict=True):
        owners.setdefault(value, set()).add(firm)
        kept.setdefault(firm, set()).add(value)
    bids = Counter(market.bidders)
    often = [firm for firm in kept if bids[firm] >= _SEVERAL]
    alone = sum(len(firms) == 1 for firms in owners.values()) / len(owners)
    stable = sum(len(kept[firm]) == 1 for firm in often) / max(len(often), 1)
    return bool(often) and alone >= _NEARLY and stable >= _NEARLY


def _follows(market: Market, by_auction: Sequence[str]) -> bool:
    numbers = np.array([number(value) for value in by_auction])
    known = np.isfinite(numbers) & np.isfinite(market.dates)
    if known.sum() < FEWEST or len(np.unique(numbers[known])) < FEWEST:
        return False
    return abs(float(spearmanr(numbers[known], market.dates[known]).statistic)) >= _NEARLY


def _separates(market: Market, by_auction: Sequence[str]) -> bool:
    """Auctions of one value share one label, with few values: a case, not a habit of bidders."""
    known = market.labels >= 0
    if len(np.unique(market.labels[known])) < 2:
        return False
    tallies: dict[str, Counter[int]] = {}
    for value, label in zip(by_auction, market.labels.tolist(), strict=True):
        tallies.setdefault(value, Counter())[label] += label >= 0
    right = sum(max(tally.values()) for tally in tallies.values())
    return right / int(known.sum()) >= _NEARLY
