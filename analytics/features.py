"""特征 what the model looks at in one auction, and which way each figure points.

The sign comes from theory and holds in every market: a feature whose sign had to be learnt would
carry one market's habits into the next. Nothing here names a firm, a date or a case.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from analytics.market import Floats, Market
from analytics.screens import screens

__all__ = [
    "FAMILIES",
    "FEATURES",
    "Family",
    "Feature",
    "lowest_wins",
    "matrix",
    "untrained",
    "with_known",
]


class Feature(msgspec.Struct, frozen=True):
    """`sign`: +1 if more of it speaks for collusion; `family`: what it is a measure of."""

    code: str
    sign: int
    family: str


class Family(msgspec.Struct, frozen=True):
    """How a reason is worded; `{seen}` and `{usual}` of its `headline` feature, `{n}` bids."""

    code: str
    headline: str
    zh: str
    en: str


FEATURES = (
    Feature("cv", -1, "spread"),
    Feature("losers_cv", -1, "spread"),
    Feature("median_cv_4", -1, "spread"),
    Feature("low_cv_3", -1, "spread"),
    Feature("most_cv_4", -1, "spread"),
    Feature("skew", -1, "shape"),
    Feature("won_most", 1, "shape"),
    Feature("won_control", 1, "control"),
)
FAMILIES = (
    Family(
        "spread",
        "cv",
        "{n} 家报价的变异系数为 {seen}，一般为 {usual}：报价异常接近（条例 第四十条（四）线索）",
        "the {n} bids vary by {seen}, usual is {usual}: unusually close (Art. 40(4), a clue)",
    ),
    Family(
        "shape",
        "won_most",
        "中标价为最高报价的 {seen}，一般为 {usual}：没有拉开差距（条例 第四十条（四）线索）",
        "the winner is at {seen} of the highest bid, usual {usual}: close (Art. 40(4), a clue)",
    ),
    Family(
        "control",
        "won_control",
        "中标价为控制价的 {seen}，一般为 {usual}：报价贴近控制价（条例 第三十九条线索）",
        "the winning bid is {seen} of the ceiling, usual is {usual}: close to it (Art. 39, a clue)",
    ),
)
_SUBSETS = ("_4", "_3")
_MOST = 0.5


def matrix(market: Market) -> Floats:
    """One row for each auction, one column for each feature; nan where a figure does not exist."""
    found = screens(market)
    # Where the lowest does not win, it points the other way.
    found["won_control"] = np.where(lowest_wins(market), found["won_control"], np.nan)
    return np.stack([_known(found, feature.code) for feature in FEATURES], axis=1)


def lowest_wins(market: Market) -> npt.NDArray[np.bool_]:
    """By the rules of each auction where they are known, or else by what is usual in the market."""
    ruled = market.lowest_wins
    return np.where(np.isnan(ruled), _usually(market), ruled == 1)


def _usually(market: Market) -> bool:
    """Whether this is a market of first prices: the lowest bid wins most auctions; where nobody
    says who won, it is taken to.
    """
    winning = np.where(market.winner, market.bids, np.inf)
    lowest = np.minimum.reduceat(market.bids, market.starts[:-1])
    won = np.minimum.reduceat(winning, market.starts[:-1])
    known = np.isfinite(won)
    return not known.any() or bool(np.mean(won[known] <= lowest[known]) >= _MOST)


def with_known(features: Floats) -> Floats:
    """Columns that no auction of these knows become constant: nothing is learnt from them."""
    unknown = np.isnan(features).all(axis=0)
    return np.where(unknown, 0.0, features)


def _known(found: Mapping[str, Floats], code: str) -> Floats:
    """Three bids have no subset of four: the whole auction stands for it."""
    column = found[code]
    return np.where(np.isnan(column), found["cv"], column) if code.endswith(_SUBSETS) else column


def untrained(features: Floats) -> Floats:
    """The one screen of theory that needs no training: how little fours of bids vary."""
    return -features[:, [feature.code for feature in FEATURES].index("median_cv_4")]
