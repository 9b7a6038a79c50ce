"""谁 which bidders of an auction stand together: who keeps meeting the same rivals, and prices
close to them. Nothing is learnt: the direction of such figures differs from market to market.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from analytics.labelled import FEWEST
from analytics.market import Floats, Market
from analytics.network import bidders_of
from analytics.warning import Warned

__all__ = ["BIDDER_COLUMNS", "Suspect", "suspects", "write_suspects"]

BIDDER_COLUMNS = ("auction_id", "bidder_id", "score")
_NEAREST = 3  # rivals
_CLOSE = 0.02  # of the auction's median price
_PRICE, _COMPANY = 0.5, 0.5


class Suspect(msgspec.Struct, frozen=True):
    """One bid; `score` None where the auction has too few."""

    auction: str
    bidder: str
    score: float | None


def suspects(market: Market, warned: Sequence[Warned]) -> list[Suspect]:
    """In the order of the bids: the auction's own score, shared out by who stands closest."""
    auctions_of = _auctions_of(market)
    found = []
    for place, one in enumerate(warned):
        within = market.within(place)
        named, bids = market.bidders[within], market.bids[within]
        shares = _shares(bids, named, auctions_of).tolist() if len(bids) >= FEWEST else []
        for number, bidder in enumerate(named):
            is_told = bool(shares) and one.score is not None
            score = (one.score or 0.0) * shares[number] if is_told else None
            found.append(Suspect(one.auction, bidder, score))
    return found


def _auctions_of(market: Market) -> Mapping[str, set[int]]:
    """Which auctions each firm bid in; nothing where firms are not known."""
    found: dict[str, set[int]] = defaultdict(set)
    for place in range(len(market)) if market.has_bidders else ():
        for firm in bidders_of(market, place):
            found[firm].add(place)
    return found


def _shares(bids: Floats, named: Sequence[str], auctions_of: Mapping[str, set[int]]) -> Floats:
    """Between 0 and 1: how much each bid is one of a group, by price and by company."""
    price = _ranked(_closeness(bids))
    if not auctions_of:
        return price
    return np.asarray(_PRICE * price + _COMPANY * _ranked(_company(named, auctions_of)))


def _closeness(bids: Floats) -> Floats:
    """How many rivals lie within two percent."""
    off = np.abs(bids[:, None] - bids[None, :]) / np.median(bids)
    return np.asarray((off < _CLOSE).sum(axis=1) - 1.0)


def _company(named: Sequence[str], auctions_of: Mapping[str, set[int]]) -> Floats:
    """The three rivals that a bidder meets most, of all auctions of either; this one left out."""
    found = np.zeros(len(named))
    for place, firm in enumerate(named):
        own = auctions_of[firm]
        shares = sorted(
            (
                (len(own & auctions_of[other]) - 1) / max(len(own | auctions_of[other]) - 1, 1)
                for other in set(named) - {firm}
            ),
            reverse=True,
        )
        found[place] = np.mean(shares[:_NEAREST]) if shares else 0.0
    return found


def _ranked(values: Floats) -> Floats:
    """Mean ranks from 0 to 1: ties share theirs."""
    below = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1) - 1
    return np.asarray((below + equal / 2) / max(len(values) - 1, 1))


def write_suspects(path: Path, found: Sequence[Suspect]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(BIDDER_COLUMNS)
        for one in found:
            score = "" if one.score is None else f"{one.score:.9f}"
            writer.writerow((one.auction, one.bidder, score))
