"""围串标预警 what the model says of one market's auctions: score, band, reasons; or nothing."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from scipy.stats import rankdata

from analytics.bands import REVIEW, Bands
from analytics.features import matrix, untrained
from analytics.labelled import FEWEST
from analytics.market import Floats, Market
from analytics.model import Model
from analytics.reasons import reasons

__all__ = ["COLUMNS", "INSUFFICIENT", "Warned", "has_signal", "warn", "write_warnings"]

INSUFFICIENT = "insufficient"
COLUMNS = ("auction_id", "score", "band", "reasons", "abstain")
_AGREE = 0.2  # rank correlation with the screen of theory, below which nothing is claimed
_ENOUGH = 20  # auctions, for a correlation to mean something
_FEW = f"有效报价不足 {FEWEST} 家，不作判断 / fewer than {FEWEST} bids: insufficient"
_SILENT = "本市场无可靠信号，不作判断 / no signal that can be relied on in this market"
_FOREIGN = "分档以其他市场校准 / bands calibrated elsewhere"


class Warned(msgspec.Struct, frozen=True):
    """`score`: a probability for queues, None where there are too few bids; `abstain`: do not act
    on it.
    """

    auction: str
    score: float | None
    band: str
    reasons: tuple[str, ...]
    abstain: bool


def warn(model: Model, market: Market, cleared: Market | None = None) -> list[Warned]:
    """In the order of the market; `cleared`: auctions of the same place that people found clean."""
    features = matrix(market)
    enough = market.firms >= FEWEST
    seen = features[enough]
    scores = model.scores(market, features)[enough]
    is_silent = model.local is None and not has_signal(scores, seen)
    bands = _bands(model, cleared)
    said = iter(
        zip(
            model.probability(scores).tolist(),
            bands.of(scores),
            reasons(model, market, seen, np.flatnonzero(enough)),
            strict=True,
        )
    )
    return [
        _warned(auction, said, bands, is_silent=is_silent) if is_enough else _few(auction)
        for auction, is_enough in zip(market.auctions, enough, strict=True)
    ]


def has_signal(scores: Floats, features: Floats) -> bool:
    """Whether the model ranks this market at all as theory does; few auctions cannot tell."""
    if len(scores) < _ENOUGH:
        return True
    theory = np.nan_to_num(untrained(features), nan=np.nanmin(untrained(features)))
    if np.ptp(scores) == 0 or np.ptp(theory) == 0:
        return False
    return float(np.corrcoef(rankdata(scores), rankdata(theory))[0, 1]) >= _AGREE


def _bands(model: Model, cleared: Market | None) -> Bands:
    bands = Bands(model.clean, model.rigged, is_local=model.local is not None)
    if cleared is None:
        return bands
    is_clean = (cleared.firms >= FEWEST) & (cleared.labels != 1)
    scores = model.scores(cleared, matrix(cleared))[is_clean]
    return bands.localised(scores.tolist())


def _few(auction: str) -> Warned:
    return Warned(auction, None, INSUFFICIENT, (_FEW,), abstain=True)


def _warned(
    auction: str, said: Iterator[tuple[float, str, list[str]]], bands: Bands, *, is_silent: bool
) -> Warned:
    score, band, found = next(said)
    if is_silent:
        return Warned(auction, score, REVIEW, (_SILENT,), abstain=True)
    notes = found if bands.is_local else [*found, _FOREIGN]
    return Warned(auction, score, band, tuple(notes), abstain=False)


def write_warnings(path: Path, warned: Iterable[Warned]) -> None:
    """CSV with the columns of `COLUMNS`, reasons joined."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in warned:
            score = "" if one.score is None else f"{one.score:.9f}"
            told = "；".join(one.reasons)
            writer.writerow((one.auction, score, one.band, told, int(one.abstain)))
