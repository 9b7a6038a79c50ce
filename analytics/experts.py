"""评委行为 how experts score: against the others on the same bid, alike beyond the others, and whom
they meet. A figure is a reason to look, never a finding: few sheets say little, and say so.

A score is a share of what its item allows; its residual is what it lies above the median of the
other members for the same bid and item (leave one out): no member is measured against itself, and
one that is far off does not make the others look so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from statistics import median

import msgspec
import numpy as np
import scipy

__all__ = [
    "Clique",
    "Closeness",
    "Outlier",
    "Partiality",
    "Score",
    "cliques",
    "closeness",
    "outliers",
    "partialities",
    "residuals",
]

_FEWEST = 4  # scores of a pair
_COMMON = 8  # bids and items that two experts both scored
_PANEL = 5  # members, for a median that a few do not move
_RARE = 0.01
_FAR = 3.5  # robust deviations
_NORMAL = 1.4826  # of a median absolute deviation
_ALIKE = 0.6
_LEAST = 0.02  # of an item: less is rounding


class Score(msgspec.Struct, frozen=True):
    """`share`: of what the item allows, from 0 to 1; `has_won`: whether the bid was awarded."""

    expert: str
    tender: str
    bidder: str
    item: str
    share: float
    has_won: bool = False


class Partiality(msgspec.Struct, frozen=True):
    """倾向性: an expert and a bidder. `mean`: of the residuals; `chance`: of so much by luck, both
    sides, Student's t.
    """

    expert: str
    bidder: str
    scores: int
    mean: float
    chance: float


class Outlier(msgspec.Struct, frozen=True):
    """离群评分: `off` in robust deviations of all residuals."""

    score: Score
    residual: float
    off: float


class Clique(msgspec.Struct, frozen=True):
    """抱团: experts of whom any two leave the panel's median together; `alike`: the least of all
    their correlations.
    """

    experts: tuple[str, ...]
    alike: float
    common: int


class Closeness(msgspec.Struct, frozen=True):
    """亲密度: how often an expert sat where a bidder bid, and the chance of so often; and how often
    the bidder won with the expert there, and without.
    """

    expert: str
    bidder: str
    met: int
    expected: float
    chance: float
    won_with: float | None
    won_without: float | None


Residuals = Mapping[Score, float]


def residuals(scores: Iterable[Score]) -> Residuals:
    """Of every score that somebody else gave as well."""
    sheets: dict[tuple[str, str, str], list[Score]] = defaultdict(list)
    for score in scores:
        sheets[score.tender, score.bidder, score.item].append(score)
    found = {}
    for given in sheets.values():
        for place, one in enumerate(given if len(given) > 1 else ()):
            others = [other.share for other in (*given[:place], *given[place + 1 :])]
            found[one] = one.share - median(others)
    return found


def partialities(found: Residuals) -> list[Partiality]:
    """The rarest first; pairs with fewer than four scores say nothing."""
    pairs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for score, residual in found.items():
        pairs[score.expert, score.bidder].append(residual)
    told = [
        Partiality(expert, bidder, len(values), mean, chance)
        for (expert, bidder), values in pairs.items()
        if len(values) >= _FEWEST
        for mean, chance in [_tested(values)]
        if chance <= _RARE and abs(mean) >= _LEAST
    ]
    return sorted(told, key=lambda one: (one.chance, one.expert, one.bidder))


def _tested(values: Sequence[float]) -> tuple[float, float]:
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    error = max(spread, _LEAST) / len(values) ** 0.5
    return mean, float(2 * scipy.stats.t.sf(abs(mean) / error, len(values) - 1))


def outliers(found: Residuals) -> list[Outlier]:
    """The farthest first; measured by all residuals, so that one wild sheet cannot hide itself."""
    if not found:
        return []
    values = np.array(list(found.values()))
    width = max(_NORMAL * float(np.median(np.abs(values - np.median(values)))), _LEAST)
    told = [
        Outlier(score, residual, residual / width)
        for score, residual in found.items()
        if abs(residual) / width >= _FAR
    ]
    return sorted(told, key=lambda one: (-abs(one.off), one.score.expert, one.score.item))


def cliques(scores: Iterable[Score]) -> list[Clique]:
    """Three or more, the largest first; every two of them above .6 on eight common scores."""
    marks: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for score in scores:
        marks[score.tender, score.bidder, score.item][score.expert] = score.share
    alike: dict[tuple[str, str], tuple[float, int]] = {}
    experts = sorted({expert for given in marks.values() for expert in given})
    for pair in combinations(experts, 2):
        correlation, common = _correlation(marks.values(), pair)
        if common >= _COMMON and correlation >= _ALIKE:
            alike[pair] = correlation, common
    return [
        Clique(
            group,
            min(alike[pair][0] for pair in combinations(group, 2)),
            min(alike[pair][1] for pair in combinations(group, 2)),
        )
        for group in _groups(alike)
    ]


def _correlation(marks: Iterable[Mapping[str, float]], pair: tuple[str, str]) -> tuple[float, int]:
    """Of what both gave above the panel's median: three who move together do not move that, and
    the others do not look like a group of their own.
    """
    first, second = [], []
    for given in marks:
        if len(given) >= _PANEL and pair[0] in given and pair[1] in given:
            middle = median(given.values())
            first.append(given[pair[0]] - middle)
            second.append(given[pair[1]] - middle)
    if len(first) < _COMMON or np.ptp(first) < _LEAST or np.ptp(second) < _LEAST:
        return 0.0, len(first)
    return float(np.corrcoef(first, second)[0, 1]), len(first)


def _groups(alike: Mapping[tuple[str, str], object]) -> list[tuple[str, ...]]:
    """Grown from each pair, in the order of names; none within another."""
    near: dict[str, set[str]] = defaultdict(set)
    for first, second in alike:
        near[first].add(second)
        near[second].add(first)
    found: set[tuple[str, ...]] = set()
    for first, second in sorted(alike):
        group = {first, second}
        for other in sorted(near[first] & near[second]):
            if group <= near[other]:
                group.add(other)
        if len(group) > 2:
            found.add(tuple(sorted(group)))
    return sorted(found, key=lambda group: (-len(group), group))


def closeness(scores: Iterable[Score]) -> list[Closeness]:
    """The rarest first, of pairs that met at least four times."""
    panels: dict[str, set[str]] = defaultdict(set)
    entered: dict[str, set[str]] = defaultdict(set)
    won: dict[str, set[str]] = defaultdict(set)
    for score in scores:
        panels[score.expert].add(score.tender)
        entered[score.bidder].add(score.tender)
        if score.has_won:
            won[score.bidder].add(score.tender)
    told = list(_close(panels, entered, won))
    return sorted(told, key=lambda one: (one.chance, one.expert, one.bidder))


def _close(
    panels: Mapping[str, set[str]], entered: Mapping[str, set[str]], won: Mapping[str, set[str]]
) -> Iterator[Closeness]:
    tenders = len(set[str]().union(*panels.values()))
    for expert, sat in panels.items():
        for bidder, bid in entered.items():
            met = len(sat & bid)
            chance = float(scipy.stats.hypergeom.sf(met - 1, tenders, len(sat), len(bid)))
            if met < _FEWEST or chance > _RARE:
                continue
            wins = won.get(bidder, set())
            yield Closeness(
                expert,
                bidder,
                met,
                len(sat) * len(bid) / tenders,
                chance,
                _share(wins & sat, bid & sat),
                _share(wins - sat, bid - sat),
            )


def _share(part: set[str], whole: set[str]) -> float | None:
    return len(part) / len(whole) if whole else None
