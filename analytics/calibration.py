"""校准 how far probabilities can be believed: Brier's score, and the expected calibration error."""

import msgspec
import numpy as np

from analytics.market import Floats, Ints

__all__ = ["Calibration", "calibration", "with_prior"]

_BINS = 10
_SURE = 1e-9


class Calibration(msgspec.Struct, frozen=True):
    """`brier`: mean squared error of the probabilities; `base`: the same for who always says the
    market's own share; `ece`: mean distance of told and true shares over ten bins of equal size.
    """

    brier: float
    base: float
    ece: float


def calibration(labels: Ints, probabilities: Floats) -> Calibration:
    share = float(labels.mean())
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    off = [len(p) * abs(float(labels[p].mean() - probabilities[p].mean())) for p in parts]
    return Calibration(
        float(np.mean((probabilities - labels) ** 2)),
        share * (1 - share),
        sum(off) / len(labels),
    )


def with_prior(probabilities: Floats, told: float, wanted: float) -> Floats:
    """Probabilities that assume a share `told` of rigged auctions, for a field where it is
    `wanted`; both between 0 and 1 (Saerens, Latinne and Decaestecker 2002).
    """
    safe = np.clip(probabilities, _SURE, 1 - _SURE)
    odds = safe / (1 - safe) * (wanted / (1 - wanted)) / (told / (1 - told))
    return np.asarray(odds / (1 + odds))
