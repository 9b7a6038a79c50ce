"""评委窗口 the desk of panels: forms, seats, takes sheets, concludes; any step may be repeated."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from evaluation.clarify import questions_message
from evaluation.desks.sittings import draws_for, draws_named, sitting_of
from evaluation.entrant import blind_code, blind_digest, entrants
from evaluation.order import check_sitting, unexplained
from evaluation.panel import Asked, Panel, PanelPhase, stream_of_panel
from evaluation.result import report_digest
from evaluation.seating import chosen_chair, kept_stages
from evaluation.sitting import Sitting
from trading.desks.docket import Docket
from trading.desks.office import Office
from trading.draw import stream_of_draw
from trading.facts.panel import (
    ConsentPresumed,
    MemberReplaced,
    PanelConcluded,
    PanelFormed,
    PanelSeated,
    ReportSealed,
    StageConcluded,
    TechnicalBlinded,
    TechnicalUnblinded,
    TimeExtended,
)
from trading.facts.rubric import ReviewStage
from trading.kernel.errors import ClarificationRefusal
from trading.kernel.instant import Reading
from trading.kernel.party import Actor
from trading.ledger.fact import Fact
from trading.ledger.signature import check_act
from trading.tender import stream_of

__all__ = ["PanelDesk"]

Decide = Callable[[Sitting], Sequence[Fact]]


class PanelDesk:
    """Of its own it does what follows from what the members did; they act by `act`. A step that is
    done already is not done again.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def load(self, tender: str) -> Sitting:
        return sitting_of(self._office, tender)

    def act(self, member: Actor, tender: str, fact: Fact) -> Panel:
        """A member's own act; one that it has done already is refused by its rule."""
        return self._do(tender, lambda _: [fact], member)

    def questions(self, tender: str, key: bytes, signature: bytes) -> list[tuple[Asked, datetime]]:
        """What the panel asks the bids of one pseudonym, and until when it may answer;
        ClarificationRefusal unless it signed.
        """
        if not check_act(key, signature, questions_message(tender)):
            raise ClarificationRefusal(problem="签名不符 / not signed by the bid's own key")
        sitting = self.load(tender)
        own = {one.number for one in entrants(sitting.tender) if one.key == key.hex()}
        found = [asked for asked in sitting.panel.asked.values() if asked.fact.bid in own]
        return [(asked, sitting.answer_until(asked)) for asked in found]

    def form(self, formed: PanelFormed) -> Panel:
        return self._do(
            formed.tender,
            lambda sitting: [] if sitting.panel.formed == formed else [formed],
            more=(formed,),
        )

    def seat(self, tender: str) -> Panel:
        def decide(sitting: Sitting) -> list[Fact]:
            is_done = sitting.panel.phase in (PanelPhase.SITTING, PanelPhase.SIGNING)
            return [] if is_done else [PanelSeated(chair=chosen_chair(sitting))]

        return self._do(tender, decide)

    def replace(self, tender: str, replaced: MemberReplaced) -> Panel:
        return self._do(
            tender,
            lambda sitting: [msgspec.structs.replace(replaced, keeps=kept_stages(sitting))],
        )

    def extend(self, tender: str, minutes: int) -> Panel:
        return self._do(tender, lambda _: [TimeExtended(minutes=minutes)])

    def blind(self, tender: str, salt: str) -> Panel:
        """Numbers the technical bids anew; `salt`: 64 hex digits of pure chance, kept secret."""

        def decide(sitting: Sitting) -> list[Fact]:
            if sitting.panel.blinded and not sitting.panel.salt:
                return []
            left = sitting.remaining(ReviewStage.TECHNICAL)
            codes = tuple(sorted(blind_code(salt, entrant) for entrant in left))
            return [TechnicalBlinded(digest=blind_digest(salt), codes=codes)]

        return self._do(tender, decide)

    def unblind(self, tender: str, salt: str) -> Panel:
        return self._do(
            tender,
            lambda sitting: [] if sitting.panel.salt == salt else [TechnicalUnblinded(salt=salt)],
        )

    def answer(self, tender: str, answered: Fact) -> Panel:
        """A bidder's answer, signed by the key of its envelope."""
        return self._do(tender, lambda _: [answered])

    def conclude_stage(self, tender: str, stage: ReviewStage) -> Panel:
        return self._do(
            tender,
            lambda sitting: (
                []
                if stage in sitting.panel.concluded
                else [StageConcluded(stage=stage, unexplained=unexplained(sitting, stage))]
            ),
        )

    def report(self, tender: str, draws: tuple[str, ...] = ()) -> Panel:
        sealed = ReportSealed(digest="", draws=draws)
        return self._do(
            tender,
            lambda sitting: (
                []
                if sitting.panel.report and sitting.panel.report.draws == draws
                else [ReportSealed(digest=report_digest(sitting, draws), draws=draws)]
            ),
            more=(sealed,),
        )

    def presume_consent(self, tender: str, member: str) -> Panel:
        return self._do(tender, lambda _: [ConsentPresumed(member=member)])

    def conclude(self, tender: str) -> Panel:
        return self._do(
            tender,
            lambda sitting: (
                [] if sitting.panel.phase is PanelPhase.CONCLUDED else [PanelConcluded()]
            ),
        )

    def _do(
        self, tender: str, decide: Decide, actor: Actor | None = None, more: tuple[Fact, ...] = ()
    ) -> Panel:
        def facts(panel: Panel, _: Reading) -> Sequence[Fact]:
            return decide(self._sitting(panel, tender, *more))

        return self._docket(tender, *more).act(facts, actor)

    def _docket(self, tender: str, *more: Fact) -> Docket[Panel]:
        """What it decides also depends on the tender and on the draws that it relies on."""
        return Docket(
            self._office,
            stream_of_panel(tender),
            lambda: Panel(tender),
            lambda panel, fact, party, now: check_sitting(
                self._sitting(panel, tender, fact), fact, party, now
            ),
            lambda panel: (stream_of(tender), *map(stream_of_draw, draws_named(panel, *more))),
        )

    def _sitting(self, panel: Panel, tender: str, *more: Fact) -> Sitting:
        return Sitting(panel, self._office.load(tender), draws_for(self._office, panel, *more))
