"""预警核验 warnings held against what was opened: a room of `kaifeng verify`."""

from analytics.opening import openings_of
from analytics.record import Models, Warnings, check_model, check_warning
from trading.facts.warning import MODELS
from trading.kernel.errors import Broken, EntryBroken, Refusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.reader import TenderReader
from trading.tender import Tender

__all__ = ["Warned"]


class Warned:
    """What the model said is its own affair; that it looked at these very prices is checked."""

    zh, en = "预警", "warnings"

    def __init__(self) -> None:
        self._models = Models()
        self._warnings: dict[str, Warnings] = {}

    def follow(self, fact: Fact, stamp: Stamp, reader: TenderReader) -> None:
        """EntryBroken unless the fact may stand there; `reader` has read all before it."""
        kind, _, name = stamp.stream.partition(":")
        try:
            if stamp.stream == MODELS:
                check_model(self._models, fact)
                self._models.apply(fact, stamp)
            elif kind == "warnings":
                tender = reader.tenders.get(name, Tender(name))
                openings = {one.lot: one for one in openings_of(tender)}
                kept = self._warnings.setdefault(name, Warnings())
                check_warning(kept, openings, self._models, fact)
                kept.apply(fact, stamp)
        except Broken:
            raise
        except Refusal as problem:
            raise EntryBroken(index=stamp.index, problem=problem) from problem

    def finish(self) -> str:
        return f"{sum(len(one.recorded) for one in self._warnings.values())}"
