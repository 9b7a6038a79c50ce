"""预警窗口 the desk of warnings: a model adopted, openings looked at, people's decisions.

Whoever asks it to look twice gets the first answer: a lot has one warning, and what becomes of it
is the supervising body's word.
"""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from analytics.evidence import Evidence, evidence_of
from analytics.model import Model
from analytics.opening import Opening, openings_of
from analytics.place import UNSCORED, Beside
from analytics.record import (
    Models,
    Warnings,
    check_model,
    check_warning,
    stream_of_warnings,
)
from analytics.scoring import score
from trading.desks.docket import Docket
from trading.desks.office import Office
from trading.facts.warning import MODELS, ModelAdopted, WarningJudged, WarningRecorded
from trading.kernel.canonical import canonical, sha256
from trading.kernel.instant import Reading
from trading.kernel.party import Actor
from trading.ledger.entry import folded
from trading.ledger.fact import Fact
from trading.tender import stream_of

__all__ = ["WarningDesk"]

Around = Callable[[Opening], Beside]


class WarningDesk:
    """`model` None: documents alone are compared. `around`: what is known of an opening's place."""

    def __init__(self, office: Office, model: Model | None, around: Around) -> None:
        self._office, self._model, self._around = office, model, around

    def adopt(self) -> Models:
        """Once a model: what is scored from here on names it."""
        docket = Docket(
            self._office, MODELS, Models, lambda kept, fact, _, __: check_model(kept, fact)
        )
        return docket.act(lambda kept, _: self._adoption(kept))

    def _adoption(self, kept: Models) -> list[Fact]:
        model = self._model
        if model is None or model.digest in kept.adopted:
            return []
        card = sha256(canonical(model.card)).hex()
        adopted = ModelAdopted(
            model=model.digest,
            version=model.card.version,
            features=tuple(model.card.features),
            card=card,
        )
        return [adopted]

    def load(self, tender: str) -> Warnings:
        return folded(self._office.ledger.stream(stream_of_warnings(tender)), Warnings())

    def look(self, tender: str) -> Warnings:
        """Scores every lot whose prices are opened and which has no warning yet."""
        state = self._office.load(tender)
        due = [one for one in openings_of(state) if one.lot not in self.load(tender).recorded]
        if not due:
            return self.load(tender)
        evidence = [evidence_of(self._office, state, one.lot) for one in due]
        facts = [self._recorded(*each) for each in zip(due, evidence, strict=True)]
        return self._docket(tender).act(lambda kept, _: _not_yet(kept, facts))

    def judge(self, inspector: Actor, tender: str, judged: WarningJudged) -> Warnings:
        """查实、排除、待补充."""
        return self._docket(tender).act(lambda _, __: [judged], inspector)

    def _docket(self, tender: str) -> Docket[Warnings]:
        return Docket(
            self._office,
            stream_of_warnings(tender),
            Warnings,
            partial(self._check, tender),
            lambda _: (stream_of(tender), MODELS),
        )

    def _check(self, tender: str, kept: Warnings, fact: Fact, _: str, __: Reading) -> None:
        openings = {one.lot: one for one in openings_of(self._office.load(tender))}
        models = folded(self._office.ledger.stream(MODELS), Models())
        check_warning(kept, openings, models, fact)

    def _recorded(self, opening: Opening, evidence: Evidence) -> WarningRecorded:
        model = self._model
        scored = score(model, opening, self._around(opening)) if model else UNSCORED
        return WarningRecorded(
            lot=opening.lot,
            model=model.digest if model else "",
            given=opening.given,
            matches=evidence.matches,
            unread=evidence.unread,
            **msgspec.structs.asdict(scored),
        )


def _not_yet(kept: Warnings, facts: Sequence[WarningRecorded]) -> list[Fact]:
    return [fact for fact in facts if fact.lot not in kept.recorded]
