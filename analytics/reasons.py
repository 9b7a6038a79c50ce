"""理由 why a score is what it is, in fixed sentences with the numbers of auction and rivals.

A family of figures counts as much as the score would fall if they were those of ordinary auctions:
by the model that scored, which in a place with labels of its own is that place's.
It is a clue for people to look into 线索, never a finding 认定.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analytics.features import FAMILIES, FEATURES, Family
from analytics.local import LOCAL, LOCAL_FAMILIES, local_matrix
from analytics.market import Floats, Ints, Market
from analytics.model import Model

__all__ = ["reasons"]

_LEAST = 0.15  # of the score's own unit, below which a family is not named
_CODES = [feature.code for feature in FEATURES]
_COLUMNS = {
    family.code: [n for n, feature in enumerate(FEATURES) if feature.family == family.code]
    for family in FAMILIES
}
_LOCAL_COLUMNS = {
    family: [LOCAL.index(code) for code in codes] for family, codes in LOCAL_FAMILIES.items()
}
_SIGNS = {feature.code: feature.sign for feature in FEATURES}


def reasons(model: Model, market: Market, features: Floats, places: Ints) -> list[list[str]]:
    """For each row of `features`, which stands for the auction at its place; weightiest first."""
    usual = np.array(model.usual)
    local = model.local
    if local is None:
        weights = _weights(model.blend.scores, features, usual, _COLUMNS)
    else:
        own = local_matrix(market, local.middle)[places]
        weights = _weights(local.of, own, np.array(local.usual), _LOCAL_COLUMNS)
    found = []
    for row, place in enumerate(places):
        within = market.within(int(place))
        weight = {code: float(each[row]) for code, each in weights.items()}
        bids = market.bids[within]
        said = [*_sentences(_told(features[row], weight, usual), len(bids)), *_habit(weight, bids)]
        found.append([*said, _closest(bids, market.bidders[within])] if said else [])
    return found


def _weights(
    scores: Callable[[Floats], Floats],
    features: Floats,
    usual: Floats,
    families: Mapping[str, Sequence[int]],
) -> dict[str, Floats]:
    whole, found = scores(features), {}
    for code, columns in families.items():
        ordinary = features.copy()
        known = ~np.isnan(features[:, columns])
        ordinary[:, columns] = np.where(known, usual[columns], np.nan)
        found[code] = whole - scores(ordinary)
    return found


def _told(
    row: Floats, weights: Mapping[str, float], usual: Floats
) -> list[tuple[Family, float, float]]:
    """Families with the seen and the usual figure, where the headline points the suspicious way."""
    told = []
    for family in sorted(FAMILIES, key=lambda one: -weights[one.code]):
        place = _CODES.index(family.headline)
        seen, ordinary = float(row[place]), float(usual[place])
        points = (seen - ordinary) * _SIGNS[family.headline] > 0
        if weights[family.code] >= _LEAST and points:
            told.append((family, seen, ordinary))
    return told


def _sentences(told: Sequence[tuple[Family, float, float]], bids: int) -> list[str]:
    said = []
    for family, seen, usual in told:
        words = {"n": bids, "seen": f"{seen:.2%}", "usual": f"{usual:.2%}"}
        said.append(f"{family.zh.format(**words)} / {family.en.format(**words)}")
    return said


def _habit(weights: Mapping[str, float], bids: Floats) -> list[str]:
    """What a place alone can learn: how many bid there, and on what size, where it was rigged."""
    if weights.get("habit", 0.0) < _LEAST:
        return []
    n, middle = len(bids), f"{np.median(bids):,.2f}"
    zh = f"家数 {n}、报价中位数 {middle} 与本地查实的场次相近（线索）"
    en = f"{n} bids around {middle}: as in the auctions that were rigged here (a clue)"
    return [f"{zh} / {en}"]


def _closest(bids: Floats, bidders: Sequence[str]) -> str:
    """The two rivals whose prices lie closest."""
    order = np.argsort(bids, kind="stable")
    gaps = np.diff(bids[order]) / bids[order][:-1]
    at = int(np.argmin(gaps))
    pair = [bidders[order[n]] or f"{bids[order[n]]:.2f}" for n in (at, at + 1)]
    off = f"{gaps[at]:.3%}"
    return f"最接近的两家 {pair[0]}、{pair[1]}，相差 {off} / the closest two differ by {off}"
