"""理由 why a score is what it is, in fixed sentences with the numbers of auction and rivals.

A family of figures counts as much as the score would fall if they were those of ordinary auctions.
It is a clue for people to look into 线索, never a finding 认定.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from analytics.features import FAMILIES, FEATURES, Family
from analytics.market import Floats, Ints, Market
from analytics.model import Model

__all__ = ["reasons"]

_LEAST = 0.15  # of the score's own unit, below which a family is not named
_CODES = [feature.code for feature in FEATURES]
_SIGNS = {feature.code: feature.sign for feature in FEATURES}


def reasons(model: Model, market: Market, features: Floats, places: Ints) -> list[list[str]]:
    """For each row of `features`, which stands for the auction at its place; weightiest first."""
    weights = _weights(model, features)
    usual = np.array(model.usual)
    return [
        _sentences(
            _told(features[row], {code: found[row] for code, found in weights.items()}, usual),
            market.bids[market.within(int(place))],
            market.bidders[market.within(int(place))],
        )
        for row, place in enumerate(places)
    ]


def _weights(model: Model, features: Floats) -> dict[str, Floats]:
    scores, usual = model.blend.scores(features), np.array(model.usual)
    found = {}
    for family in FAMILIES:
        columns = [n for n, feature in enumerate(FEATURES) if feature.family == family.code]
        ordinary = features.copy()
        known = ~np.isnan(features[:, columns])
        ordinary[:, columns] = np.where(known, usual[columns], np.nan)
        found[family.code] = scores - model.blend.scores(ordinary)
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


def _sentences(
    told: Sequence[tuple[Family, float, float]], bids: Floats, bidders: Sequence[str]
) -> list[str]:
    said = []
    for family, seen, usual in told:
        words = {"n": len(bids), "seen": f"{seen:.2%}", "usual": f"{usual:.2%}"}
        said.append(f"{family.zh.format(**words)} / {family.en.format(**words)}")
    return [*said, _closest(bids, bidders)] if said else []


def _closest(bids: Floats, bidders: Sequence[str]) -> str:
    """The two rivals whose prices lie closest."""
    order = np.argsort(bids, kind="stable")
    gaps = np.diff(bids[order]) / bids[order][:-1]
    at = int(np.argmin(gaps))
    pair = [bidders[order[n]] or f"{bids[order[n]]:.2f}" for n in (at, at + 1)]
    off = f"{gaps[at]:.3%}"
    return f"最接近的两家 {pair[0]}、{pair[1]}，相差 {off} / the closest two differ by {off}"
