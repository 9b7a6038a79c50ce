"""预警核验 warnings held against what was opened: a room of `kaifeng verify`.

That each looked at these very prices is checked always. With the model's file, which is no part of
the ledger, every score is made again from the prices and from what was known of the place.
"""

from collections.abc import Sequence

from analytics.model import Model
from analytics.opening import Opening, openings_of
from analytics.place import ALONE, Place, score
from analytics.record import Models, Warnings, check_model, check_warning
from trading.facts.opening import OpeningRecorded
from trading.facts.warning import MODELS, WarningJudged, WarningRecorded
from trading.kernel.errors import Broken, EntryBroken, Refusal, WarningRefusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.reader import TenderReader
from trading.tender import Tender

__all__ = ["Warned"]


class Warned:
    """`models`: those to score again with."""

    zh, en = "预警", "warnings"

    def __init__(self, models: Sequence[Model] = ()) -> None:
        self._given = {model.digest: model for model in models}
        self._models = Models()
        self._warnings: dict[str, Warnings] = {}
        self._place, self._again = Place(), 0
        self._opened: list[tuple[int, str]] = []  # not yet read by the reader when it was followed

    def follow(self, fact: Fact, stamp: Stamp, reader: TenderReader) -> None:
        """EntryBroken unless the fact may stand there; `reader` has read all before it."""
        self._take_opened(reader)
        kind, _, name = stamp.stream.partition(":")
        try:
            if stamp.stream == MODELS:
                check_model(self._models, fact)
                self._models.apply(fact, stamp)
            elif kind == "warnings":
                self._follow_warning(name, fact, stamp, reader)
            elif kind == "tender" and isinstance(fact, OpeningRecorded):
                self._opened.append((stamp.index, name))
        except Broken:
            raise
        except Refusal as problem:
            raise EntryBroken(index=stamp.index, problem=problem) from problem

    def _take_opened(self, reader: TenderReader) -> None:
        for index, name in self._opened:
            self._place.open(index, openings_of(reader.tenders[name]))
        self._opened.clear()

    def _follow_warning(self, name: str, fact: Fact, stamp: Stamp, reader: TenderReader) -> None:
        tender = reader.tenders.get(name, Tender(name))
        openings = {one.lot: one for one in openings_of(tender)}
        kept = self._warnings.setdefault(name, Warnings())
        check_warning(kept, openings, self._models, fact)
        if isinstance(fact, WarningRecorded):
            self._check_score(openings[fact.lot], fact, stamp)
        elif isinstance(fact, WarningJudged):
            self._place.judge(stamp.index, (name, fact.lot), fact.verdict)
        kept.apply(fact, stamp)

    def _check_score(self, opening: Opening, fact: WarningRecorded, stamp: Stamp) -> None:
        """WarningRefusal where the score knew what had not been written, or comes out otherwise."""
        if fact.read > stamp.index:
            raise WarningRefusal(problem=f"标段 {fact.lot} 所据账本尚不存在 / read before written")
        model = self._given.get(fact.model)
        if model is None:
            return
        beside = self._place.beside(opening, fact.read) if fact.read else ALONE
        scored = score(model, opening, beside)
        said = scored.said
        again = (scored.features, said.told, said.band, said.reasons, said.abstain)
        if again != (fact.features, fact.score, fact.band, fact.reasons, fact.abstains):
            problem = (
                f"标段 {fact.lot} 的预警与重算不符 / lot {fact.lot} scores otherwise: {said.told}"
            )
            raise WarningRefusal(problem=problem)
        self._again += 1

    def finish(self) -> str:
        recorded = sum(len(one.recorded) for one in self._warnings.values())
        again = f"，重算 {self._again} scored again" if self._given else ""
        return f"{recorded}{again}"
