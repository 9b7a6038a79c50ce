"""泄漏 columns from which a model would learn firms, dates or cases instead of collusion.

Nothing but prices is ever trained on; this says of every other column why not, so that nobody adds
one in good faith.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec
import numpy as np
from scipy.stats import spearmanr

from analytics.labelled import FEWEST
from analytics.market import Ints, Market, number

__all__ = ["Leak", "leaks"]

_NEARLY = 0.9
_MOSTLY = 0.8  # of what the commonest label leaves unsaid
_HALF = 0.5
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
    if _explains(by_auction, market.labels):  # a case, not a habit of bidders
        return "单独即可区分案件", "separates the cases by itself"
    return ("随日期变化", "follows the date") if _follows(market, by_auction) else None


def _of_bids(market: Market, values: Sequence[str]) -> tuple[str, str] | None:
    """What differs inside auctions: a number for every bid, or whoever has no name but this."""
    if len(set(values)) >= _NEARLY * len(values):
        return "可识别投标", "identifies bids"
    if _explains(values, market.bid_labels):
        return "照抄报价的标签", "copies the labels of bids"
    met = Counter(zip(market.of_bid.tolist(), values, strict=True))
    auctions = Counter(value for _, value in met)
    is_once = sum(count == 1 for count in met.values()) >= _NEARLY * len(met)
    is_rare = max(auctions.values()) <= len(market) / 2
    is_again = sum(count >= _SEVERAL for count in auctions.values()) >= len(auctions) / 2
    if is_once and is_rare and is_again:
        return "可识别企业", "identifies firms"
    return None


def _follows_firms(market: Market, values: Sequence[str]) -> bool:
    """Who knows the value knows the firm, or one of two, in at least half of the bids: also where
    it is shared by a pair, or now and then another's.
    """
    owners: dict[str, Counter[str]] = {}
    for value, firm in zip(values, market.bidders, strict=True):
        if value and firm:
            owners.setdefault(value, Counter())[firm] += 1
    often = [firms for firms in owners.values() if firms.total() >= _SEVERAL]
    bids = sum(firms.total() for firms in often)
    named = Counter(filter(None, market.bidders))
    if 2 * bids < named.total() or not bids:
        return False
    known = sum(max(firms.values()) for firms in often) / bids
    busiest = max(named.values()) / named.total()
    return known >= _HALF and known >= 2 * busiest


def _follows(market: Market, by_auction: Sequence[str]) -> bool:
    numbers = np.array([_moment(value) for value in by_auction])
    known = np.isfinite(numbers) & np.isfinite(market.dates)
    if known.sum() < FEWEST or len(np.unique(numbers[known])) < FEWEST:
        return False
    return abs(float(spearmanr(numbers[known], market.dates[known]).statistic)) >= _NEARLY


def _moment(value: str) -> float:
    """A number, or the day of a date in ISO 8601; nan for what is neither."""
    try:
        return float(date.fromisoformat(value.strip()[:10]).toordinal())
    except ValueError:
        return number(value)


def _explains(values: Sequence[str], labels: Ints) -> bool:
    """Whether the others of the same value tell the label, of nearly all that the commonest label
    does not tell (Goodman and Kruskal's lambda, each left out of its own).
    """
    tallies: dict[str, Counter[int]] = {}
    for value, label in zip(values, labels.tolist(), strict=True):
        if label >= 0:
            tallies.setdefault(value, Counter())[label] += 1
    whole = sum((tally for tally in tallies.values()), Counter[int]())
    if len(whole) < 2:
        return False
    told = sum(
        tally[label] for tally in tallies.values() for label in (0, 1) if _outnumbers(tally, label)
    )
    commonest = max(whole.values())
    return (told - commonest) / (whole.total() - commonest) >= _MOSTLY


def _outnumbers(tally: Counter[int], label: int) -> bool:
    return tally[label] - 1 > tally[1 - label]
