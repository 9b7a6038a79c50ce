"""预警模型 the model: trained on auctions, calibrated on markets that it did not see, and a file of
numbers: the same input, the same score.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from analytics.blend import Blend, fit_blend
from analytics.features import FEATURES, untrained, with_known
from analytics.labelled import Labelled, Taught, labelled
from analytics.market import Floats, Ints, Market
from trading.kernel.canonical import canonical
from trading.kernel.errors import InputUnusable
from trading.kernel.files import durable_write

__all__ = ["Card", "Model", "auc", "train", "unseen_scores"]

_VERSION = "kaifeng collusion model v1"
_PRIOR = 0.1  # how much of the field is rigged, as a working assumption
_FOLDS = 5
_SURE = 500.0

Told = Callable[[str], None]


class Card(msgspec.Struct, frozen=True):
    """模型卡 what everybody who relies on the model should know. AUC of each market: of a model
    that had not seen it, and of the one screen that needs no training.
    """

    version: str
    features: list[str]
    markets: list[Taught]
    unseen_auc: dict[str, float]
    untrained_auc: dict[str, float]
    prior: float


class Model(msgspec.Struct, frozen=True):
    """`slope` and `constant` make a score a probability (Platt); `clean` and `rigged` are the
    scores of auctions by models that had not seen their markets, ascending; `usual` is what clean
    auctions look like.
    """

    card: Card
    blend: Blend
    slope: float
    constant: float
    clean: list[float]
    rigged: list[float]
    usual: list[float]

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical(self)).hexdigest()

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
        if model.card.version != _VERSION or model.card.features != _codes():
            raise InputUnusable(path=path, problem=f"另一版本的模型 / {model.card.version}")
        return model


def train(markets: Sequence[Market], told: Told = lambda _: None) -> Model:
    """InputUnusable where there is nothing to tell apart."""
    lessons = labelled(markets)
    scores = unseen_scores(lessons, told)
    unseen = np.concatenate(scores)
    labels = np.concatenate([one.labels for one in lessons])
    weights = np.concatenate([one.weights for one in lessons])
    features = np.vstack([one.features for one in lessons])
    slope, constant = _platt(unseen, labels, weights)
    told("合并 together")
    return Model(
        _card(lessons, scores),
        fit_blend(lessons),
        slope,
        constant,
        sorted(unseen[labels == 0].tolist()),
        sorted(unseen[labels == 1].tolist()),
        np.nanmedian(with_known(features)[labels == 0], axis=0).tolist(),
    )


def unseen_scores(lessons: Sequence[Labelled], told: Told = lambda _: None) -> list[Floats]:
    """Of each market by a model of the others; of a single one, fold by fold of its auctions."""
    found = []
    for lesson in lessons:
        others = [one for one in lessons if one is not lesson]
        told(lesson.market.name)
        found.append(fit_blend(others).scores(lesson.features) if others else _folded(lesson))
    return found


def _folded(lesson: Labelled) -> Floats:
    places = np.arange(len(lesson.labels))
    scores = np.zeros(len(places))
    for fold in range(_FOLDS):
        held = places % _FOLDS == fold
        kept = lesson.part(places[~held])
        if not kept.has_both:
            problem = "拍卖太少 / too few auctions"
            raise InputUnusable(path=Path(lesson.market.name), problem=problem)
        scores[held] = fit_blend([kept]).scores(lesson.features[held])
    return scores


def _card(lessons: Sequence[Labelled], scores: Sequence[Floats]) -> Card:
    pairs = list(zip(lessons, scores, strict=True))
    return Card(
        _VERSION,
        _codes(),
        [one.taught for one in lessons],
        {one.market.name: round(auc(one.labels, score), 4) for one, score in pairs},
        {one.market.name: round(auc(one.labels, untrained(one.features)), 4) for one in lessons},
        _PRIOR,
    )


def _codes() -> list[str]:
    return [feature.code for feature in FEATURES]


def auc(labels: Ints, scores: Floats) -> float:
    return float(roc_auc_score(labels, np.nan_to_num(scores)))


def _platt(scores: Floats, labels: Ints, weights: Floats) -> tuple[float, float]:
    """Both classes weigh alike in training; the field's share goes into the constant."""
    fitted = LogisticRegression(C=1e6).fit(scores[:, None], labels, sample_weight=weights)
    slope, constant = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return slope, constant + float(np.log(_PRIOR / (1 - _PRIOR)))
