"""谁 which bidders of an auction stand together: who keeps meeting the same rivals, and keeps
pricing close to them. Nothing is learnt and no label is read: four signals of equal weight, all
with the sign that theory gives them, each ranked inside its auction.

A busy honest firm keeps company too: it is the likeliest one to be suspected wrongly.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from analytics.company import CROWD, Company
from analytics.labelled import FEWEST
from analytics.market import Floats, Ints, Market
from analytics.warning import Warned
from trading.kernel.files import durable_folder

__all__ = ["BIDDER_COLUMNS", "Suspect", "coalition", "shares", "suspects", "write_suspects"]

BIDDER_COLUMNS = ("auction_id", "bidder_id", "score")
_NEAREST = 3  # rivals
_STEEPNESS = 2.0  # of closeness, for each mean deviation of the auction's log prices
_FARTHEST = 10.0  # mean deviations
_PAIRS = 2_000_000  # looked at together
_EQUAL = 0.5
_TIE = 12  # digits
_NAMELESS = "\0"
_TWICE = float(np.log(2))  # as often as by chance


class Suspect(msgspec.Struct, frozen=True):
    """One bid; `score` None where the auction has too few."""

    auction: str
    bidder: str
    score: float | None


def suspects(market: Market, warned: Sequence[Warned]) -> list[Suspect]:
    """In the order of the bids: the auction's own score, shared out by who stands closest."""
    share, found = shares(market), []
    for place, one in enumerate(warned):
        within = market.within(place)
        is_told = one.score is not None and market.sizes[place] >= FEWEST
        for bidder, own in zip(market.bidders[within], share[within].tolist(), strict=True):
            score = (one.score or 0.0) * own if is_told else None
            found.append(Suspect(one.auction, bidder, score))
    return found


def shares(market: Market) -> Floats:
    """From 0 to 1 for each bid. Company: how often it meets its three most frequent rivals, this
    meeting left out; habits: its ranks elsewhere by company, by nearness to company, by nearness to
    anyone. Of a bid whose firm is not known, nearness in this auction alone.
    """
    ranked = [_ranked(values, market) for values in _figures(market)]
    who = [bidder or f"{_NAMELESS}{place}" for place, bidder in enumerate(market.bidders)]
    firm = np.unique(who, return_inverse=True)[1].astype(np.int64)
    habits = [_ranked(_elsewhere(firm, ranks), market) for ranks in ranked]
    return np.where(market.named, np.mean([ranked[0], *habits], axis=0), ranked[2])


def _figures(market: Market) -> tuple[Floats, Floats, Floats]:
    company, allied, near = (np.zeros(len(market.bids)) for _ in range(3))
    known, named = Company.of(market), market.named
    place = {firm: number for number, firm in enumerate(known.firms)}
    firm = np.array([place.get(bidder, 0) for bidder in market.bidders], dtype=np.int64)
    z = _deviations(market)
    for left, right in _pairs(market):
        close = np.exp(-_STEEPNESS * np.abs(z[left] - z[right]))
        near += np.bincount(left, close, len(near))
        both = named[left] & named[right]
        if both.any():
            one, other, close = left[both], right[both], close[both]
            met = np.asarray(known.met[firm[one], firm[other]]).ravel() - 1
            either = known.bids[firm[one]] + known.bids[firm[other]] - 2 - met
            allied += np.bincount(one, met / np.maximum(either, 1) * close, len(near))
            company += _most(one, met, len(near))
    return company, allied, near


def _deviations(market: Market) -> Floats:
    """Log prices from their auction's median, in mean absolute deviations."""
    logs, found = np.log(market.bids), np.zeros(len(market.bids))
    for auction in range(len(market)):
        within = market.within(auction)
        off = logs[within] - np.median(logs[within])
        spread = max(float(np.abs(off).mean()), 1e-9)
        found[within] = np.clip(off / spread, -_FARTHEST, _FARTHEST)
    return found


def _pairs(market: Market) -> Iterator[tuple[Ints, Ints]]:
    """Ordered pairs of bids of one auction, so many auctions at a time."""
    squares = np.where(market.sizes <= CROWD, market.sizes**2, 0)
    part = np.cumsum(squares) // _PAIRS
    for number in np.unique(part[squares > 0]):
        chosen = np.flatnonzero((part == number) & (squares > 0))
        sizes, starts = market.sizes[chosen], market.starts[chosen]
        each = np.repeat(sizes, sizes)
        bids = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        left = np.repeat(bids, each)
        ends = np.cumsum(each)
        first = np.repeat(np.repeat(starts, sizes), each)
        right = first + np.arange(len(left)) - np.repeat(ends - each, each)
        kept = left != right
        yield left[kept], right[kept]


def _most(left: Ints, values: Floats, bids: int) -> Floats:
    """Mean of the largest few of each bid; 0 for who bids alone."""
    order = np.lexsort((-values, left))
    ordered = left[order]
    kept = order[np.arange(len(order)) - np.searchsorted(ordered, ordered) < _NEAREST]
    count = np.bincount(left[kept], minlength=bids)
    return np.asarray(np.bincount(left[kept], values[kept], bids) / np.maximum(count, 1))


def _elsewhere(firm: Ints, ranks: Floats) -> Floats:
    """Mean of the firm's ranks in its other auctions, and of one rank in the middle."""
    total, count = np.bincount(firm, ranks), np.bincount(firm)
    return np.asarray((total[firm] - ranks + _EQUAL) / count[firm])


def _ranked(values: Floats, market: Market) -> Floats:
    """Mean ranks from 0 to 1 inside the auction: ties share theirs; the middle for who is alone."""
    sizes, of = market.sizes, market.of_bid
    rounded = np.round(values, _TIE)
    order = np.lexsort((rounded, of))
    ordered, group = rounded[order], of[order]
    is_new = np.r_[True, (ordered[1:] != ordered[:-1]) | (group[1:] != group[:-1])]
    tie = np.cumsum(is_new) - 1
    mean = np.bincount(tie, np.arange(len(values)) - market.starts[:-1][group]) / np.bincount(tie)
    found = np.empty(len(values))
    found[order] = mean[tie]
    return np.where(sizes[of] > 1, found / np.maximum(sizes[of] - 1, 1), _EQUAL)


def coalition(named: Mapping[str, float], company: Company) -> tuple[str, ...]:
    """团伙 who of an auction may stand together: of those in the upper half by their share, any two
    of whom meet at least twice as often as by chance; the largest group of three or more.
    """
    place = {firm: number for number, firm in enumerate(company.firms)}
    upper = [who for who, share in named.items() if share > _EQUAL and who in place]
    order = sorted(upper, key=lambda who: (-named[who], who))
    best: tuple[str, ...] = ()
    for start in order:
        group = [start]
        for other in order:
            if other not in group and all(
                company.lift(place[other], place[member]) >= _TWICE for member in group
            ):
                group.append(other)
        if len(group) > max(len(best), 2):
            best = tuple(sorted(group))
    return best


def write_suspects(path: Path, found: Sequence[Suspect]) -> None:
    durable_folder(path.parent)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(BIDDER_COLUMNS)
        for one in found:
            score = "" if one.score is None else f"{one.score:.9f}"
            writer.writerow((one.auction, one.bidder, score))
