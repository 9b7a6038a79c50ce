"""围串标预警 what the model says of one market's auctions: score, band, reasons; or nothing."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import scipy

from analytics.bands import FEWEST_CLEARED, REVIEW, Bands
from analytics.features import matrix, untrained
from analytics.labelled import FEWEST
from analytics.market import Floats, Market
from analytics.model import Model
from analytics.reasons import reasons
from trading.kernel.files import durable_folder

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

    @property
    def told(self) -> str:
        """The score as decimal text, empty where there is none."""
        return "" if self.score is None else f"{self.score:.9f}"


def warn(model: Model, market: Market, cleared: Market | None = None) -> list[Warned]:
    """In the order of the market; `cleared`: auctions of the same place that people found clean."""
    features = matrix(market)
    enough = market.firms >= FEWEST
    seen = features[enough]
    scores = model.scores(market, features)[enough]
    is_silent = model.local is None and not has_signal(scores, seen)
    known = _cleared(model, cleared)
    bands = Bands(model.clean, model.rigged, is_local=model.local is not None).localised(known)
    notes = _notes(model, bands, len(known))
    said = iter(
        zip(
            model.probability(scores).tolist(),
            bands.of(scores),
            reasons(model, market, seen, np.flatnonzero(enough)),
            strict=True,
        )
    )
    return [
        _warned(auction, said, notes, is_silent=is_silent) if is_enough else _few(auction)
        for auction, is_enough in zip(market.auctions, enough, strict=True)
    ]


def has_signal(scores: Floats, features: Floats) -> bool:
    """Whether the model ranks this market at all as theory does; few auctions cannot tell."""
    if len(scores) < _ENOUGH:
        return True
    theory = np.nan_to_num(untrained(features), nan=np.nanmin(untrained(features)))
    if np.ptp(scores) == 0 or np.ptp(theory) == 0:
        return False
    ranked = scipy.stats.rankdata
    return float(np.corrcoef(ranked(scores), ranked(theory))[0, 1]) >= _AGREE


def _cleared(model: Model, cleared: Market | None) -> list[float]:
    if cleared is None:
        return []
    is_clean = (cleared.firms >= FEWEST) & (cleared.labels != 1)
    return list(model.scores(cleared, matrix(cleared))[is_clean].tolist())


def _notes(model: Model, bands: Bands, cleared: int) -> list[str]:
    """What stands under every warning: where the model and its bands come from."""
    notes = []
    if model.local is not None:
        place = model.card.place
        notes.append(f"本地模型，只适用于 {place} / a model of {place}, for that place alone")
    if not bands.is_local:
        notes.append(_FOREIGN)
    if 0 < cleared < FEWEST_CLEARED:
        notes.append(
            f"已核清 {cleared} 场，不足 {FEWEST_CLEARED} 场，未用于分档 / {cleared} cleared "
            f"auctions are too few to make bands of: {FEWEST_CLEARED} are needed"
        )
    return notes


def _few(auction: str) -> Warned:
    return Warned(auction, None, INSUFFICIENT, (_FEW,), abstain=True)


def _warned(
    auction: str,
    said: Iterator[tuple[float, str, list[str]]],
    notes: Sequence[str],
    *,
    is_silent: bool,
) -> Warned:
    score, band, found = next(said)
    if is_silent:
        return Warned(auction, score, REVIEW, (_SILENT,), abstain=True)
    return Warned(auction, score, band, (*found, *notes), abstain=False)


def write_warnings(path: Path, warned: Iterable[Warned]) -> None:
    """CSV with the columns of `COLUMNS`, reasons joined."""
    durable_folder(path.parent)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in warned:
            why = "；".join(one.reasons)
            writer.writerow((one.auction, one.told, one.band, why, int(one.abstain)))
