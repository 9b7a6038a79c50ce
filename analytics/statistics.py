"""市场统计 how a market does: volume, savings, participation, concentration, time; by whatever one
groups by. Each figure says how many lots it comes from.
"""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from analytics.deal import Deal

__all__ = ["GROUPS", "Portrait", "Standing", "Statistics", "grouped", "portrait", "summed"]

_LARGEST = 4  # firms, of the concentration ratio
_SHOWN = 10
_DAY = 86_400


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts in fen; shares from 0 to 1, None where nothing is known. `savings`: award below
    ceiling, of the lots with both; `hhi`: Herfindahl of the winners' shares of the volume; `cr4`:
    of the largest four; `days`: median from notice to contract.
    """

    lots: int
    awarded: int
    failed: int
    volume: int
    ceilings: int
    savings: float | None
    bidders: float | None
    single: float | None
    winners: int
    hhi: float | None
    cr4: float | None
    days: float | None


class Standing(msgspec.Struct, frozen=True):
    """Somebody one deals with: how often, and for how much."""

    id: str
    name: str
    count: int
    volume: int


class Portrait(msgspec.Struct, frozen=True, kw_only=True):
    """市场主体画像. `partners`: buyers of a firm, suppliers of a buyer; `rivals`: whom a firm meets
    most; `discount`: mean distance below the ceiling of its own bids.
    """

    id: str
    name: str
    bids: int
    wins: int
    won: int
    win_rate: float | None
    discount: float | None
    bought: Statistics | None
    partners: list[Standing]
    rivals: list[Standing]


def summed(deals: Iterable[Deal]) -> Statistics:
    deals = list(deals)
    awarded = [one for one in deals if one.winner]
    opened = [one for one in deals if one.opened_at and not one.has_failed]
    both = [one for one in awarded if one.ceiling]
    volumes = _volumes(awarded)
    volume, ceilings = sum(volumes.values()), sum(one.ceiling or 0 for one in both)
    counts = [len(one.takers) for one in opened]
    shares = sorted((amount / volume for amount in volumes.values()), reverse=True)
    return Statistics(
        lots=len(deals),
        awarded=len(awarded),
        failed=sum(one.has_failed for one in deals),
        volume=volume,
        ceilings=ceilings,
        savings=sum(one.saving or 0 for one in both) / ceilings if ceilings else None,
        bidders=statistics.mean(counts) if counts else None,
        single=sum(count == 1 for count in counts) / len(counts) if counts else None,
        winners=len(volumes),
        hhi=sum(share**2 for share in shares) if shares else None,
        cr4=sum(shares[:_LARGEST]) if shares else None,
        days=_days(deals),
    )


def _volumes(awarded: Sequence[Deal]) -> Counter[str]:
    volumes: Counter[str] = Counter()
    for one in awarded:
        if one.winner:
            volumes[one.winner.bidder] += one.winner.price
    return volumes


def _days(deals: Sequence[Deal]) -> float | None:
    spans = [
        (one.contracted_at - one.published_at).total_seconds() / _DAY
        for one in deals
        if one.contracted_at and one.published_at
    ]
    return statistics.median(spans) if spans else None


def grouped(deals: Iterable[Deal], by: str) -> dict[str, Statistics]:
    """By one of `GROUPS`; the key ascending."""
    parts: dict[str, list[Deal]] = {}
    for one in deals:
        parts.setdefault(GROUPS[by](one), []).append(one)
    return {key: summed(parts[key]) for key in sorted(parts)}


def portrait(deals: Iterable[Deal], who: str) -> Portrait:
    """Of the firm or buyer with that registration number; all zero if there is none."""
    deals = list(deals)
    entered = [one for one in deals if any(taker.bidder == who for taker in one.takers)]
    own = [(one, taker) for one in entered for taker in one.takers if taker.bidder == who]
    won = [one for one in entered if one.winner and one.winner.bidder == who]
    bought = [one for one in deals if one.buyer_id == who]
    names = [taker.name for _, taker in own] + [one.buyer for one in bought]
    discounts = [1 - taker.price / one.ceiling for one, taker in own if one.ceiling]
    decided = [one for one in entered if one.winner]
    return Portrait(
        id=who,
        name=names[-1] if names else "",
        bids=len(own),
        wins=len(won),
        won=sum(one.winner.price for one in won if one.winner),
        win_rate=len(won) / len(decided) if decided else None,
        discount=statistics.mean(discounts) if discounts else None,
        bought=summed(bought) if bought else None,
        partners=_partners(won, bought),
        rivals=_rivals(entered, who),
    )


def _partners(won: Sequence[Deal], bought: Sequence[Deal]) -> list[Standing]:
    dealt = [(one.buyer_id, one.buyer, one.winner.price) for one in won if one.winner]
    dealt += [
        (one.winner.bidder, one.winner.name, one.winner.price) for one in bought if one.winner
    ]
    return _standings(dealt)


def _rivals(entered: Sequence[Deal], who: str) -> list[Standing]:
    met = [
        (taker.bidder, taker.name, taker.price)
        for one in entered
        for taker in one.takers
        if taker.bidder != who
    ]
    return _standings(met)


def _standings(dealt: Iterable[tuple[str, str, int]]) -> list[Standing]:
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    volumes: Counter[str] = Counter()
    for who, name, amount in dealt:
        names[who] = name
        counts[who] += 1
        volumes[who] += amount
    order = sorted(counts, key=lambda who: (-counts[who], -volumes[who], who))
    return [Standing(who, names[who], counts[who], volumes[who]) for who in order[:_SHOWN]]


def _month(deal: Deal) -> str:
    moment = deal.opened_at or deal.published_at
    return moment.strftime("%Y-%m") if moment else ""


GROUPS: Mapping[str, Callable[[Deal], str]] = {
    "month": _month,
    "procedure": lambda deal: deal.procedure,
    "region": lambda deal: deal.region,
    "buyer": lambda deal: deal.buyer,
}
