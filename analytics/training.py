"""训练 how a model comes about: fitted to auctions, calibrated on markets that it did not see."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from analytics.features import untrained, with_known
from analytics.fitting import fit_blend, fit_local
from analytics.labelled import FOLDS, Labelled, folds, labelled
from analytics.local import local_matrix, middle_of
from analytics.market import Floats, Ints, Market
from analytics.model import VERSION, Card, Model, codes
from trading.kernel.errors import InputUnusable, Usage

__all__ = ["PRIOR", "auc", "local_scores", "platt", "train", "unseen_scores"]

PRIOR = 0.1  # how much of the field is rigged, as a working assumption

Told = Callable[[str], None]


def train(markets: Sequence[Market], told: Told = lambda _: None, place: str = "") -> Model:
    """InputUnusable where nothing can be told apart. `place`: the market that the model is for;
    it learns there besides, and its bands are those of that place.
    """
    lessons = labelled(markets)
    model = _travelling(lessons, told)
    if not place:
        return model
    own = [lesson for lesson in lessons if lesson.market.name == place]
    if not own:
        names = "、".join(lesson.market.name for lesson in lessons)
        raise Usage(problem=f"没有市场 {place} / no such market: {names}")
    told(f"{place}: 本地 local")
    return _settled(model, own[0])


def _settled(model: Model, lesson: Labelled) -> Model:
    scores, labels = local_scores(lesson), lesson.labels
    middle = middle_of(lesson.market)
    features = local_matrix(lesson.market, middle)[lesson.places]
    slope, constant = platt(scores, labels, lesson.weights)
    name = lesson.market.name
    grouped = model.card.unseen_auc | {name: round(auc(labels, scores), 4)}
    return msgspec.structs.replace(
        model,
        card=msgspec.structs.replace(model.card, unseen_auc=grouped, place=name),
        slope=slope,
        constant=constant,
        clean=sorted(scores[labels == 0].tolist()),
        rigged=sorted(scores[labels == 1].tolist()),
        usual=_usual(lesson.features, labels),
        local=fit_local(lesson, features),
    )


def _travelling(lessons: Sequence[Labelled], told: Told) -> Model:
    scores = unseen_scores(lessons, told)
    unseen = np.concatenate(scores)
    labels = np.concatenate([one.labels for one in lessons])
    weights = np.concatenate([one.weights for one in lessons])
    features = np.vstack([one.features for one in lessons])
    slope, constant = platt(unseen, labels, weights)
    told("合并 together")
    return Model(
        _card(lessons, scores),
        fit_blend(lessons),
        slope,
        constant,
        sorted(unseen[labels == 0].tolist()),
        sorted(unseen[labels == 1].tolist()),
        _usual(features, labels),
    )


def _usual(features: Floats, labels: Ints) -> list[float]:
    """What clean auctions look like."""
    return list(np.nanmedian(with_known(features)[labels == 0], axis=0).tolist())


def unseen_scores(lessons: Sequence[Labelled], told: Told = lambda _: None) -> list[Floats]:
    """Of each market by a model of the others; of a single one, fold by fold of its auctions."""
    found = []
    for lesson in lessons:
        others = [one for one in lessons if one is not lesson]
        told(lesson.market.name)
        found.append(fit_blend(others).scores(lesson.features) if others else _folded(lesson))
    return found


def _folded(lesson: Labelled) -> Floats:
    part, scores = folds(lesson.labels), np.zeros(len(lesson.labels))
    for fold in range(FOLDS):
        held = part == fold
        kept = lesson.part(np.flatnonzero(~held))
        _check_both(kept)
        scores[held] = fit_blend([kept]).scores(lesson.features[held])
    return scores


def local_scores(lesson: Labelled) -> Floats:
    """Of each auction by a local model of the other four fifths."""
    part, scores = folds(lesson.labels), np.zeros(len(lesson.labels))
    features = local_matrix(lesson.market, middle_of(lesson.market))[lesson.places]
    for fold in range(FOLDS):
        held = part == fold
        kept = lesson.part(np.flatnonzero(~held))
        _check_both(kept)
        scores[held] = fit_local(kept, features[~held]).of(features[held])
    return scores


def _check_both(kept: Labelled) -> None:
    if not kept.has_both:
        problem = "拍卖太少 / too few auctions"
        raise InputUnusable(path=Path(kept.market.name), problem=problem)


def _card(lessons: Sequence[Labelled], scores: Sequence[Floats]) -> Card:
    pairs = list(zip(lessons, scores, strict=True))
    return Card(
        VERSION,
        codes(),
        [one.taught for one in lessons],
        {one.market.name: round(auc(one.labels, score), 4) for one, score in pairs},
        {one.market.name: round(auc(one.labels, untrained(one.features)), 4) for one in lessons},
        PRIOR,
    )


def auc(labels: Ints, scores: Floats) -> float:
    return float(roc_auc_score(labels, np.nan_to_num(scores)))


def platt(scores: Floats, labels: Ints, weights: Floats) -> tuple[float, float]:
    """Both classes weigh alike in training; the field's share goes into the constant."""
    fitted = LogisticRegression(C=1e6).fit(scores[:, None], labels, sample_weight=weights)
    slope, constant = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return slope, constant + float(np.log(PRIOR / (1 - PRIOR)))
