"""三档 three bands, 放行、复核、红色, by split conformal prediction for each class.

Red keeps its promise: of clean auctions like the ones it was calibrated on, at most a tenth turn
red. Thresholds of other markets do not travel, so a new place clears some thirty of its own
auctions first; until then the bands are those of the markets the model knows, and say so.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from analytics.market import Floats

__all__ = ["ALPHA", "CLEAR", "FEWEST_CLEARED", "RED", "REVIEW", "Bands", "red_share"]

CLEAR, REVIEW, RED = "放行", "复核", "红色"
ALPHA = 0.1
FEWEST_CLEARED = 19  # below which a tenth cannot be told: 2 of 20


class Bands(msgspec.Struct, frozen=True):
    """Scores for calibration, ascending; `is_local`: of auctions that were cleared on the spot."""

    clean: list[float]
    rigged: list[float]
    is_local: bool = False

    def of(self, scores: Floats) -> list[str]:
        looks_clean, looks_rigged = self.cleanness(scores), self._rigged(scores)
        return [
            RED if clean <= ALPHA < rigged else CLEAR if rigged <= ALPHA < clean else REVIEW
            for clean, rigged in zip(looks_clean, looks_rigged, strict=True)
        ]

    def cleanness(self, scores: Floats) -> Floats:
        """How usual so high a score is among clean auctions (a p-value)."""
        above = len(self.clean) - np.searchsorted(self.clean, scores, side="left")
        return np.asarray((1 + above) / (len(self.clean) + 1))

    def _rigged(self, scores: Floats) -> Floats:
        below = np.searchsorted(self.rigged, scores, side="right")
        return np.asarray((1 + below) / (len(self.rigged) + 1))

    def localised(self, cleared: Sequence[float]) -> "Bands":
        """With auctions that people of this place have looked at and cleared; the same if they are
        too few.
        """
        if len(cleared) < FEWEST_CLEARED:
            return self
        return Bands(sorted(cleared), self.rigged, is_local=True)


def red_share(scores: Floats, cleared: Sequence[float]) -> float:
    """How many of the scores would turn red after such a calibration."""
    values = Bands(sorted(cleared), [], is_local=True).cleanness(scores)
    return float((values <= ALPHA).mean())
