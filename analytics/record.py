"""预警记录 warnings of one tender, models they come from: folds, and what may be added."""

from collections.abc import Mapping

import msgspec

from analytics.opening import Opening
from analytics.place import UNSCORED, Scored
from trading.facts.warning import ModelAdopted, Verdict, WarningJudged, WarningRecorded
from trading.kernel.canonical import is_digest
from trading.kernel.errors import IllegalTransition, WarningRefusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact

__all__ = ["Judged", "Models", "Warnings", "check_model", "check_warning", "stream_of_warnings"]

_LONGEST = 4000


class Models(msgspec.Struct):
    """A fold of the stream `models`: by digest, in the order of their adoption."""

    height: int = 0
    adopted: dict[str, ModelAdopted] = {}

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        if isinstance(fact, ModelAdopted):
            self.adopted[fact.model] = fact
        self.height = stamp.height + 1


class Judged(msgspec.Struct, frozen=True):
    verdict: Verdict
    ground: str
    by: str


class Warnings(msgspec.Struct):
    """A fold of the stream `warnings:`, by lot."""

    height: int = 0
    recorded: dict[int, WarningRecorded] = {}
    judged: dict[int, list[Judged]] = {}

    def apply(self, fact: Fact, stamp: Stamp) -> None:
        match fact:
            case WarningRecorded():
                self.recorded[fact.lot] = fact
            case WarningJudged():
                judged = Judged(fact.verdict, fact.ground, stamp.actor)
                self.judged.setdefault(fact.lot, []).append(judged)
            case _:
                pass
        self.height = stamp.height + 1

    def verdict(self, lot: int) -> Verdict | None:
        """The newest."""
        judged = self.judged.get(lot)
        return judged[-1].verdict if judged else None


def stream_of_warnings(tender: str) -> str:
    return f"warnings:{tender}"


def check_model(kept: Models, fact: Fact) -> None:
    """WarningRefusal for a digest that is none, or a model that was adopted before."""
    if not isinstance(fact, ModelAdopted):
        raise IllegalTransition(phase="models", fact=type(fact).__name__)
    if not is_digest(fact.model) or fact.model in kept.adopted:
        raise WarningRefusal(problem=f"模型 {fact.model[:16]} 已登记或不是摘要 / adopted before")


def check_warning(
    kept: Warnings, openings: Mapping[int, Opening], models: Models, fact: Fact
) -> None:
    """A coded refusal unless the fact may come: once a lot, about what was opened, by a model that
    was adopted; judged only what was recorded.
    """
    if isinstance(fact, WarningRecorded):
        _check_recorded(kept, openings, models, fact)
    elif isinstance(fact, WarningJudged):
        _check_judged(kept, fact)
    else:
        raise IllegalTransition(phase="warnings", fact=type(fact).__name__)


def _check_recorded(
    kept: Warnings, openings: Mapping[int, Opening], models: Models, fact: WarningRecorded
) -> None:
    opening = openings.get(fact.lot)
    if opening is None or opening.given != fact.given:
        raise WarningRefusal(problem=f"标段 {fact.lot} 与开标记录不符 / not what was opened")
    if fact.lot in kept.recorded:
        raise WarningRefusal(problem=f"标段 {fact.lot} 已有预警 / has its warning")
    if fact.model and fact.model not in models.adopted:
        raise WarningRefusal(problem=f"模型 {fact.model[:16]} 未登记 / was not adopted")
    if not fact.model and Scored.of(fact) != UNSCORED:
        raise WarningRefusal(problem=f"标段 {fact.lot} 无模型而有评分 / a score without a model")


def _check_judged(kept: Warnings, fact: WarningJudged) -> None:
    if fact.lot not in kept.recorded:
        raise WarningRefusal(problem=f"标段 {fact.lot} 没有预警 / has no warning")
    if not fact.ground.strip() or len(fact.ground) > _LONGEST:
        raise WarningRefusal(problem=f"须写明理由，至多 {_LONGEST} 字 / a ground is needed")
    judged = kept.judged.get(fact.lot, [])
    if judged and judged[-1].verdict is fact.verdict and judged[-1].ground == fact.ground:
        raise WarningRefusal(problem="同一处理意见已记录 / the same decision stands already")
