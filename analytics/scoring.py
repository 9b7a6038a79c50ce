"""评分 one opening scored beside its place: by the desk, and again by whoever has the model."""

from collections.abc import Iterable
from functools import partial

from analytics.features import matrix
from analytics.ledger_market import market_of
from analytics.model import Model
from analytics.opening import Opening
from analytics.place import Beside, Scored, Scorer
from analytics.warning import warn

__all__ = ["score", "scorers"]


def score(model: Model, opening: Opening, beside: Beside) -> Scored:
    """The same model, opening and place, the same score."""
    market = market_of([*beside.recent, opening])
    cleared = market_of(beside.cleared) if beside.cleared else None
    said = warn(model, market, cleared)[-1]
    return Scored(
        said.band,
        tuple(f"{value:.9g}" for value in matrix(market)[-1].tolist()),
        said.told,
        said.reasons,
        said.abstain,
        len(beside.cleared),
        beside.read,
    )


def scorers(models: Iterable[Model]) -> dict[str, Scorer]:
    """By the digest under which a ledger adopts them."""
    return {model.digest: partial(score, model) for model in models}
