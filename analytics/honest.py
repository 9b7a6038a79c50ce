"""诚实评估 how good the model is, told in ways that do not flatter it.

Whole auctions, whole communities of firms, whole markets are held out; bids are never split. The
headline is AUC and what is found at a budget of 5 % false alarms, never accuracy or F1 alone.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from scipy.stats import rankdata

from analytics.bands import red_share
from analytics.calibration import Calibration, calibration, with_prior
from analytics.features import untrained
from analytics.fitting import fit_blend, fit_strangers, sized
from analytics.labelled import Labelled, labelled
from analytics.market import Floats, Ints, Market
from analytics.network import bidders_of, communities
from analytics.training import PRIOR, auc, local_scores, platt, unseen_scores
from analytics.who import shares

__all__ = ["Figures", "Report", "evaluate", "found_at"]

_BUDGET = 0.05
_CLEARED = 30
_DRAWS = 200
_SURE = 500.0
_FEWEST = 20  # auctions to train on, or to test a community with
_SEED = 20261126
_NOBODY = -1

Told = Callable[[str], None]


class Figures(msgspec.Struct, frozen=True):
    """`found`: rigged auctions found while 5 % of the clean ones raise a false alarm; `top`: how
    many of the 5 % with the highest scores are rigged.
    """

    auctions: int
    auc: float
    found: float
    top: float


class Report(msgspec.Struct, frozen=True):
    """By market; None where a market has no firms' names, or no community to hold out. `spared`:
    communities held out, but firms of theirs left in where fewer than twenty auctions would remain;
    `bidders`: AUC of bidders within partly rigged auctions; `red`: clean auctions that turn red
    after thirty local ones were cleared.
    """

    market: str
    rigged: float
    untrained: float
    grouped: Figures
    unseen: Figures | None
    community: Figures | None
    spared: Figures | None
    bidders: float | None
    red: float | None
    calibration: Calibration | None


def evaluate(markets: Sequence[Market], told: Told = lambda _: None) -> list[Report]:
    lessons = labelled(markets)
    unseen = unseen_scores(lessons, told) if len(lessons) > 1 else [None] * len(lessons)
    reports = []
    for lesson, scores in zip(lessons, unseen, strict=True):
        told(f"{lesson.market.name}: 分组 grouped, 社群 community")
        reports.append(
            Report(
                lesson.market.name,
                float(lesson.labels.mean()),
                auc(lesson.labels, untrained(lesson.features)),
                _figures(lesson.labels, local_scores(lesson)),
                _figures(lesson.labels, scores) if scores is not None else None,
                _community(lesson, lessons, _measured),
                _community(lesson, lessons, _spared),
                _bidders(lesson.market),
                _red(lesson, scores) if scores is not None else None,
                _calibration(lesson, lessons, unseen) if scores is not None else None,
            )
        )
    return reports


def _figures(labels: Ints, scores: Floats) -> Figures:
    highest = np.argsort(-scores, kind="stable")[: max(1, round(len(scores) * _BUDGET))]
    top = float(labels[highest].mean())
    return Figures(len(labels), auc(labels, scores), found_at(labels, scores), top)


def found_at(labels: Ints, scores: Floats) -> float:
    """The share of rigged auctions above the score that 5 % of the clean ones exceed."""
    clean = np.sort(scores[labels == 0])
    limit = clean[int(np.ceil(len(clean) * (1 - _BUDGET))) - 1]
    return float((scores[labels == 1] > limit).mean())


Measured = tuple[float, float, float]
Measure = Callable[[Labelled, Ints, Ints, Sequence[Labelled]], Measured | None]


def _community(lesson: Labelled, lessons: Sequence[Labelled], measure: Measure) -> Figures | None:
    """Each community of firms is scored by a model that has seen none of its firms; where nothing
    is left to learn from, it is not scored.
    """
    if not lesson.market.has_bidders:
        return None
    others = [one for one in lessons if one is not lesson]
    tried = [(held, measure(lesson, held, kept, others)) for held, kept in _disjoint(lesson)]
    found = [(len(held), *measured) for held, measured in tried if measured]
    if not found:
        return None
    counts, aucs, shares, tops = (np.array(column) for column in zip(*found, strict=True))
    return Figures(int(counts.sum()), *(float(c.mean()) for c in (aucs, shares, tops)))


def _measured(
    lesson: Labelled, held: Ints, kept: Ints, others: Sequence[Labelled]
) -> Measured | None:
    own = lesson.part(kept)
    is_enough = len(kept) >= _FEWEST and own.has_both
    known = [*others, own] if is_enough else others
    if not known:
        return None
    scores = fit_blend(known).scores(lesson.features[held])
    figures = _figures(lesson.labels[held], scores)
    return figures.auc, figures.found, figures.top


def _spared(
    lesson: Labelled, held: Ints, kept: Ints, others: Sequence[Labelled]
) -> Measured | None:
    """The place's own trees beside what travels, by ranks: two to one."""
    own = lesson.part(kept)
    if len(kept) < _FEWEST or not own.has_both:
        own = lesson.part(np.setdiff1d(np.arange(len(lesson.labels)), held))
    if not others or len(own.labels) < _FEWEST or not own.has_both:
        return _measured(lesson, held, kept, others)
    prior = fit_blend(others).scores(lesson.features[held])
    local = fit_strangers(own).scores(sized(lesson)[held])
    figures = _figures(lesson.labels[held], rankdata(local) + rankdata(prior) / 2)
    return figures.auc, figures.found, figures.top


def _bidders(market: Market) -> float | None:
    """Of the untrained shares, auction by auction: nothing is fitted, so nothing needs grouping."""
    share, found = shares(market), []
    for auction in range(len(market)):
        within = market.within(auction)
        labels = market.bid_labels[within]
        if set(labels.tolist()) == {0, 1}:
            found.append(auc(labels, share[within]))
    return float(np.mean(found)) if found else None


def _disjoint(lesson: Labelled) -> Iterator[tuple[Ints, Ints]]:
    """Auctions in which a community has the most firms, and those in which none of these bids."""
    community = communities(lesson.market)
    firms = [bidders_of(lesson.market, int(place)) for place in lesson.places]
    home = np.array([_most([community[firm] for firm in named]) for named in firms])
    told = np.logical_and.reduceat(lesson.market.named, lesson.market.starts[:-1])[lesson.places]
    for label in np.unique(home[home != _NOBODY]):
        held = np.flatnonzero(home == label)
        if len(held) < _FEWEST or len(np.unique(lesson.labels[held])) < 2:
            continue
        tested = {firm for place in held for firm in firms[place]}
        apart = [n for n, named in enumerate(firms) if told[n] and tested.isdisjoint(named)]
        yield held, np.array(apart, dtype=np.int64)


def _most(labels: Sequence[int]) -> int:
    return max(sorted(set(labels)), key=labels.count, default=_NOBODY)


def _calibration(
    lesson: Labelled, lessons: Sequence[Labelled], unseen: Sequence[Floats | None]
) -> Calibration | None:
    """Probabilities by a curve fitted to the other markets, for this market's own share."""
    pairs = [
        (one, scores) for one, scores in zip(lessons, unseen, strict=True) if one is not lesson
    ]
    known = [(one, scores) for one, scores in pairs if scores is not None]
    own = next(s for one, s in zip(lessons, unseen, strict=True) if one is lesson)
    if not known or own is None:
        return None
    slope, constant = platt(
        np.concatenate([scores for _, scores in known]),
        np.concatenate([one.labels for one, _ in known]),
        np.concatenate([one.weights for one, _ in known]),
    )
    told = 1 / (1 + np.exp(-np.clip(slope * own + constant, -_SURE, _SURE)))
    return calibration(lesson.labels, with_prior(told, PRIOR, float(lesson.labels.mean())))


def _red(lesson: Labelled, scores: Floats) -> float | None:
    """Over 200 draws of thirty clean auctions of the place; the promise is a tenth."""
    clean = scores[lesson.labels == 0]
    if len(clean) <= _CLEARED + 1:
        return None
    draw = np.random.default_rng(_SEED)
    shares = []
    for _ in range(_DRAWS):
        order = draw.permutation(len(clean))
        cleared, rest = clean[order[:_CLEARED]], clean[order[_CLEARED:]]
        shares.append(red_share(rest, cleared.tolist()))
    return float(np.mean(shares))
