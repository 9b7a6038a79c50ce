"""预警核验 warnings held against what was opened: a room of `kaifeng verify`.

That each looked at these very prices, and chose nothing to overlook, is checked always. With the
model's file, which is no part of the ledger, every score is made again from the prices and from
what was known of the place. What documents have in common is not compared again.
"""

from collections.abc import Iterator, Mapping

from analytics.opening import Opening, openings_of
from analytics.place import Place, Scored, Scorer
from analytics.record import Models, Warnings, check_model, check_warning
from trading.facts.opening import OpeningRecorded
from trading.facts.warning import MODELS, WarningJudged, WarningRecorded
from trading.kernel.errors import Broken, EntryBroken, Refusal, Usage, WarningRefusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.reader import TenderReader
from trading.tender import Tender

__all__ = ["Warned"]

_SHOWN = 3  # names


class Warned:
    """`again`: what scores by the models at hand, by their digests (analytics/scoring.py)."""

    zh, en = "预警", "warnings"

    def __init__(self, again: Mapping[str, Scorer] = {}) -> None:
        self._given = again
        self._models = Models()
        self._warnings: dict[str, Warnings] = {}
        self._place, self._checked = Place(), 0
        self._opened: list[tuple[int, str, TenderReader]] = []  # which had not read them yet

    def follow(self, fact: Fact, stamp: Stamp, reader: TenderReader) -> None:
        """EntryBroken unless the fact may stand there; `reader` has read all before it."""
        self._take_opened()
        kind, _, name = stamp.stream.partition(":")
        try:
            if stamp.stream == MODELS:
                check_model(self._models, fact)
                self._models.apply(fact, stamp)
            elif kind == "warnings":
                self._follow_warning(name, fact, stamp, reader)
            elif kind == "tender" and isinstance(fact, OpeningRecorded):
                self._opened.append((stamp.index, name, reader))
        except Broken:
            raise
        except Refusal as problem:
            raise EntryBroken(index=stamp.index, problem=problem) from problem

    def _take_opened(self) -> None:
        for index, name, reader in self._opened:
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
            self._place.judge(stamp.index, (name, fact.lot), fact.verdict, stamp.at)
        kept.apply(fact, stamp)

    def _check_score(self, opening: Opening, fact: WarningRecorded, stamp: Stamp) -> None:
        """WarningRefusal where the score knew what had not been written, overlooked what had, or
        comes out otherwise.
        """
        if fact.read > stamp.index:
            raise WarningRefusal(problem=f"标段 {fact.lot} 所据账本尚不存在 / read before written")
        if fact.model and not self._place.is_fair(opening, fact.read, stamp.at):
            raise WarningRefusal(problem=f"标段 {fact.lot} 所据账本过旧 / scored by an old reading")
        score = self._given.get(fact.model)
        if score is None:
            return
        again = score(opening, self._place.beside(opening, fact.read))
        if again != Scored.of(fact):
            problem = (
                f"标段 {fact.lot} 的预警与重算不符 / lot {fact.lot} scores otherwise: {again.score}"
            )
            raise WarningRefusal(problem=problem)
        self._checked += 1

    def finish(self) -> str:
        """Usage for a model that never was this ledger's."""
        strange = [digest for digest in self._given if digest not in self._models.adopted]
        if strange:
            problem = f"模型 {strange[0][:16]} 未在此账本登记 / was not adopted in this ledger"
            raise Usage(problem=problem)
        self._take_opened()
        return "，".join(self._told())

    def _told(self) -> Iterator[str]:
        recorded = {
            (name, lot): fact
            for name, one in self._warnings.items()
            for lot, fact in one.recorded.items()
        }
        yield f"{len(recorded)}"
        if self._given:
            yield f"重算 {self._checked} scored again"
        unscored = sum(not fact.model for fact in recorded.values())
        if unscored and self._models.adopted:
            yield f"未评分 {unscored} unscored"
        unseen = self._place.unseen(recorded)
        if unseen and recorded:
            yield f"未看 {len(unseen)} not looked at: {'、'.join(unseen[:_SHOWN])}"
