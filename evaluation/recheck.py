"""评标核验 facts of banks and panels held against their rules, and every ranking made again."""

from evaluation.expert import Bank, check_bank
from evaluation.order import check_sitting
from evaluation.panel import Panel
from evaluation.result import concluded_result, evaluate
from evaluation.sitting import Sitting
from trading.facts.award import CandidatesRecommended
from trading.facts.expert import BANK_STREAM
from trading.kernel.errors import (
    Broken,
    ClarificationRefusal,
    EntryBroken,
    PanelIncomplete,
    Refusal,
    SheetLate,
)
from trading.kernel.instant import Reading
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.reader import TenderReader
from trading.redecide import LATENCY
from trading.tender import Tender

__all__ = ["Evaluations"]


class Evaluations:
    """A room of `kaifeng verify`."""

    zh, en = "评标", "evaluations"

    def __init__(self) -> None:
        self._bank = Bank()
        self._panels: dict[str, Panel] = {}
        self._rankings = 0

    def follow(self, fact: Fact, stamp: Stamp, reader: TenderReader) -> None:
        """EntryBroken unless the fact may stand there; `reader` has read all before it."""
        kind, _, name = stamp.stream.partition(":")
        try:
            if stamp.stream == BANK_STREAM:
                check_bank(self._bank, fact)
                self._bank.apply(fact, stamp)
            elif kind == "panel":
                self._follow_panel(name, fact, stamp, reader)
            elif isinstance(fact, CandidatesRecommended):
                self._check_ranking(name, fact, reader)
        except Broken:
            raise
        except (Refusal, ArithmeticError, LookupError, ValueError, TypeError) as problem:
            raise EntryBroken(index=stamp.index, problem=problem) from problem

    def finish(self) -> str:
        return f"{len(self._panels)} / {self._rankings}"

    def _follow_panel(self, name: str, fact: Fact, stamp: Stamp, reader: TenderReader) -> None:
        panel = self._panels.setdefault(name, Panel(name))
        sitting = Sitting(panel, reader.tenders.get(name, Tender(name)), reader.draws)
        try:
            check_sitting(sitting, fact, stamp.actor, Reading(stamp.at))
        except (SheetLate, ClarificationRefusal):
            check_sitting(sitting, fact, stamp.actor, Reading(stamp.at - LATENCY))
        panel.apply(fact, stamp)

    def _check_ranking(self, name: str, fact: CandidatesRecommended, reader: TenderReader) -> None:
        tender, panel = reader.tenders[name], self._panels.get(name)
        again = (
            evaluate(tender)
            if panel is None
            else concluded_result(Sitting(panel, tender, reader.draws))
        )
        if again != fact:
            raise PanelIncomplete(problem="排名与评审不符 / not what the bids and sheets give")
        self._rankings += 1
