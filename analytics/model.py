"""预警模型 the model, a file of numbers: it holds no code; the same input, the same score."""

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from analytics.blend import Blend
from analytics.features import FEATURES
from analytics.labelled import Taught
from analytics.local import Local
from analytics.market import Floats, Market
from trading.kernel.canonical import canonical
from trading.kernel.errors import InputUnusable
from trading.kernel.files import durable_write

__all__ = ["VERSION", "Card", "Model", "codes"]

VERSION = "kaifeng collusion model v2"
_SURE = 500.0


class Card(msgspec.Struct, frozen=True):
    """模型卡 what everybody who relies on the model should know. AUC of each market: of a model
    that had not seen it, and of the one screen that needs no training. `place`: where the model has
    learnt besides, and the only place for it; its AUC is then by fifths of its auctions.
    """

    version: str
    features: list[str]
    markets: list[Taught]
    unseen_auc: dict[str, float]
    untrained_auc: dict[str, float]
    prior: float
    place: str = ""


class Model(msgspec.Struct, frozen=True):
    """`slope` and `constant` make a score a probability (Platt); `clean` and `rigged` are the
    scores of auctions by models that had not seen their markets, ascending; `usual` is what clean
    auctions look like. With `local` all of these are of that place.
    """

    card: Card
    blend: Blend
    slope: float
    constant: float
    clean: list[float]
    rigged: list[float]
    usual: list[float]
    local: Local | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical(self)).hexdigest()

    def scores(self, market: Market, features: Floats) -> Floats:
        """Of each auction of the market, whose `features` are those of the blend."""
        return self.local.scores(market) if self.local else self.blend.scores(features)

    def probability(self, scores: Floats) -> Floats:
        logit = np.clip(self.slope * scores + self.constant, -_SURE, _SURE)
        return np.asarray(1 / (1 + np.exp(-logit)))

    def save(self, path: Path) -> None:
        durable_write(path, [msgspec.json.format(canonical(self), indent=1), b"\n"])

    @classmethod
    def load(cls, path: Path) -> "Model":
        """InputUnusable for a file that is none, or of other features than these."""
        try:
            model = msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError, RecursionError) as error:
            raise InputUnusable(path=path, problem=error) from error
        if model.card.version != VERSION or model.card.features != codes():
            raise InputUnusable(path=path, problem=f"另一版本的模型 / {model.card.version}")
        if len(model.usual) != len(model.card.features):
            raise InputUnusable(path=path, problem="模型不完整 / the model is incomplete")
        return model


def codes() -> list[str]:
    return [feature.code for feature in FEATURES]
