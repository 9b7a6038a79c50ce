"""相近的线索 what several clues of the catalogue share: an expert's ties, a score far ahead, wins
that are too many or too few.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

import scipy

from analytics.clue import Case, Hit, Look, totals_of

__all__ = ["far_ahead", "tied_to", "wins_oddly"]

_GAP, _TIMES, _BIDDERS = 0.2, 3, 4
_BIDS, _RARE = 8, 0.01


def tied_to(whom: Callable[[Case], set[str]]) -> Look:
    """Experts of the panel with a tie to one of these."""

    def look(cases: Sequence[Case]) -> Iterator[Hit]:
        for case in cases:
            for seat in case.panel:
                shared = (whom(case) - {""}) & set(seat.ties)
                if shared:
                    yield Hit(case.lot, (seat.expert,), "、".join(sorted(shared)))

    return look


def far_ahead(part: str) -> Look:
    """The best bidder of a part, where the others lie together far behind."""

    def look(cases: Sequence[Case]) -> Iterator[Hit]:
        for case in cases:
            totals = totals_of(case, part)
            ordered = sorted(totals, key=lambda bidder: (-totals[bidder], bidder))
            if len(ordered) < _BIDDERS:
                continue
            best, second, last = (totals[ordered[place]] for place in (0, 1, -1))
            if best - second >= max(_GAP, _TIMES * (second - last)):
                yield Hit(case.lot, (ordered[0],), f"{best - second:.2f}")

    return look


def wins_oddly(*, often: bool) -> Look:
    """Firms that win far more often, or more rarely, than one of so many bidders would."""

    def look(cases: Sequence[Case]) -> Iterator[Hit]:
        binom = scipy.stats.binom
        bids, wins = Counter[str](), Counter[str]()
        even: dict[str, float] = defaultdict(float)
        last: dict[str, str] = {}
        for case in cases:
            for bid in case.bids if case.winner else ():
                bids[bid.bidder] += 1
                wins[bid.bidder] += bid.bidder == case.winner
                even[bid.bidder] += 1 / len(case.bids)
                last[bid.bidder] = case.lot
        for bidder, count in bids.items():
            won, share = wins[bidder], even[bidder] / count
            chance = binom.sf(won - 1, count, share) if often else binom.cdf(won, count, share)
            if count >= _BIDS and float(chance) < _RARE:
                yield Hit(last[bidder], (bidder,), f"{won}/{count}")

    return look
