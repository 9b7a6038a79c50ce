"""Reading the facts of a whole ledger: each decided again, then folded; outages held against it."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from trading.announcing import Announcing, check_announcing
from trading.award import check_separated
from trading.awarding import Awarding, Committee, check_awarding, seated_by
from trading.disclosure import check_unsealing
from trading.draw import Draw, check_draw
from trading.facts.award import AwardDecided, EvaluationReopened
from trading.facts.awarding import AwardConcluded
from trading.facts.draw import DrawAnnounced, DrawRooted, NamesUnsealed
from trading.facts.panel import (
    MemberReplaced,
    PanelFormed,
    SheetOpened,
    StageConcluded,
    StageReopened,
)
from trading.facts.party import STREAM as PARTIES
from trading.facts.party import PartyEnrolled
from trading.facts.rubric import ReviewStage
from trading.facts.suspension import PLATFORM_STREAM, DeadlineExtended, OutageRecorded
from trading.facts.tender import TenderFailed
from trading.fulfilment import Fulfilment, check_fulfilment
from trading.kernel.errors import Broken, EntryBroken, Fatal, Refusal, TooLate
from trading.kernel.instant import Reading
from trading.kernel.party import Role
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.objection import (
    Objections,
    check_nothing_open,
    check_objection,
    check_reopening,
    ordered_failure,
)
from trading.redecide import LATENCY, Redecider
from trading.tender import Tender

__all__ = ["TenderReader"]

# A fact of the right shape may still name what does not exist, or hold hex that is none.
_NONSENSE = (
    ArithmeticError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    StopIteration,
)


_LOOK_BACK = 10_000  # entries; an outage is recorded as soon as the platform is back


class TenderReader:
    """Follows the facts of all tenders and draws: each decided again, then folded."""

    def __init__(self, redecider: Redecider) -> None:
        self._redecider = redecider
        self.tenders: dict[str, Tender] = {}
        self.draws: dict[str, Draw] = {}
        self.awardings: dict[str, Awarding] = {}
        self._objections: dict[str, Objections] = {}
        self._fulfilments: dict[str, Fulfilment] = {}
        self._evaluators: dict[str, set[str]] = {}
        self._members: dict[str, set[str]] = {}
        self._sheets: dict[tuple[str, ReviewStage], set[str]] = {}
        self.reviewed: set[tuple[str, ReviewStage]] = set()  # stages that panels have concluded
        self._inspectors: set[str] = set()
        self._outages: dict[int, OutageRecorded] = {}
        self._leads: dict[str, Callable[[str, Fact, Stamp], None]] = {
            "tender": self._tender,
            "draw": self._draw,
            PARTIES: self._party,
            "panel": self._panel,
            "award": self._awarding,
            "objections": self._objection,
            "contract": self._contract,
        }
        self._times = deque([datetime.min.replace(tzinfo=UTC)], maxlen=_LOOK_BACK)

    def read(self, fact: Fact, stamp: Stamp) -> None:
        """EntryBroken if the rules do not give this fact."""
        self._check_outage(fact, stamp)
        self._times.append(stamp.at)
        kind, _, name = stamp.stream.partition(":")
        lead = self._leads.get(kind)
        if lead is None:
            return
        try:
            lead(name, fact, stamp)
        except (Broken, Fatal):
            raise
        except Refusal as refusal:
            raise EntryBroken(index=stamp.index, problem=refusal) from refusal
        except _NONSENSE as error:
            problem = f"所指不存在 / it speaks of nothing: {error!r}"
            raise EntryBroken(index=stamp.index, problem=problem) from error

    def _tender(self, name: str, fact: Fact, stamp: Stamp) -> None:
        state = self.tenders.setdefault(name, Tender(name))
        if not self._is_ordered(name, state, fact):
            self._redecider.check(state, fact, stamp)
        if isinstance(fact, AwardDecided):
            check_separated(state, fact, self.awardings.get(name))
            check_nothing_open(self._objections_to(name), state)
        state.apply(fact, stamp)

    def _is_ordered(self, name: str, state: Tender, fact: Fact) -> bool:
        """Whether the decision on a complaint gives the fact, and not the tender's own rules."""
        if isinstance(fact, EvaluationReopened):
            check_reopening(self._objections_to(name), state, fact)
            return True
        return isinstance(fact, TenderFailed) and fact == ordered_failure(self._objections_to(name))

    def _objections_to(self, name: str) -> Objections:
        return self._objections.get(name) or Objections()

    def _panel(self, name: str, fact: Fact, stamp: Stamp) -> None:
        """What a panel may do, evaluation knows; here: how far it has come."""
        self._evaluators.setdefault(name, set()).update(seated_by(fact))
        match fact:
            case PanelFormed():
                self._members[name] = seated_by(fact)
                self._review_again(name, list(ReviewStage))
            case SheetOpened():
                self._sheets.setdefault((name, fact.stage), set()).add(stamp.actor)
            case StageConcluded():
                self._conclude(name, fact.stage)
            case StageReopened():
                order = list(ReviewStage)
                self._review_again(name, order[order.index(fact.stage) :])
            case MemberReplaced():
                self._replace(name, fact)
            case _:
                pass

    def _review_again(self, name: str, stages: Sequence[ReviewStage]) -> None:
        self.reviewed -= {(name, stage) for stage in stages}
        for stage in stages:
            self._sheets.pop((name, stage), None)

    def _replace(self, name: str, fact: MemberReplaced) -> None:
        """The others' sheets of the first stage that is done again stand, but no technical ones."""
        self._members[name] = self._members[name] - {fact.gone} | seated_by(fact)
        again = [stage for stage in ReviewStage if stage not in fact.keeps]
        begun = [stage for stage in again if (name, stage) in self._sheets]
        first = begun[0] if begun and begun[0] is not ReviewStage.TECHNICAL else None
        kept = self._sheets.get((name, first), set()) - {fact.gone} if first else set[str]()
        self._review_again(name, again)
        if first and kept:
            self._sheets[name, first] = kept

    def _conclude(self, name: str, stage: ReviewStage) -> None:
        """By the signed sheets of all members; of a stage that had no bid left there are none."""
        sheets = self._sheets.get((name, stage), set())
        before = any(key[0] == name for key in self.reviewed)
        if self._members.get(name) and (sheets >= self._members[name] or (before and not sheets)):
            self.reviewed.add((name, stage))

    def _awarding(self, name: str, fact: Fact, stamp: Stamp) -> None:
        state = self.awardings.setdefault(name, Awarding(name))
        draw = self.draws.get(fact.draw) if isinstance(fact, AwardConcluded) else None
        panel = frozenset(self._evaluators.get(name, ()))
        check_awarding(Committee(state, self.tenders[name], panel, draw), fact, stamp.actor)
        state.apply(fact, stamp)

    def _objection(self, name: str, fact: Fact, stamp: Stamp) -> None:
        state = self._objections.setdefault(name, Objections())
        tender, calendar = self.tenders[name], self._redecider.calendar
        try:
            check_objection(state, tender, fact, stamp.actor, Reading(stamp.at), calendar)
        except TooLate:
            decided = Reading(stamp.at - LATENCY)
            check_objection(state, tender, fact, stamp.actor, decided, calendar)
        state.apply(fact, stamp)

    def _contract(self, name: str, fact: Fact, stamp: Stamp) -> None:
        state = self._fulfilments.setdefault(name, Fulfilment())
        check_fulfilment(state, self.tenders[name], fact, stamp.actor)
        state.apply(fact, stamp)

    def _draw(self, name: str, fact: Fact, stamp: Stamp) -> None:
        state = self.draws.setdefault(name, Draw(name))
        check_draw(state, fact, stamp.actor)
        if isinstance(fact, DrawAnnounced):
            self._check_announced(state, fact, stamp.actor)
        if isinstance(fact, DrawRooted):
            self._redecider.witnessed(fact.note)
        if isinstance(fact, NamesUnsealed):
            tender = self.tenders.get(state.terms.tender)
            check_unsealing(state, tender.phase if tender else None)
        state.apply(fact, stamp)

    def _check_announced(self, state: Draw, fact: DrawAnnounced, actor: str) -> None:
        kind = fact.draw.rpartition(":")[0]
        earlier = [
            d for n, d in self.draws.items() if n != state.id and n.rpartition(":")[0] == kind
        ]
        trustees, inspectors = self._redecider.trustees, frozenset(self._inspectors)
        tender = self.tenders[fact.tender]
        check_announcing(fact, Announcing(actor, tender, earlier, trustees, inspectors))

    def _party(self, _: str, fact: Fact, __: Stamp) -> None:
        if isinstance(fact, PartyEnrolled) and Role.INSPECTOR in fact.roles:
            self._inspectors.add(fact.party)

    def _check_outage(self, fact: Fact, stamp: Stamp) -> None:
        """Nobody invents an outage: the ledger itself must have been silent for its whole time."""
        if isinstance(fact, OutageRecorded):
            written = any(fact.start < at < fact.end for at in self._times)
            if stamp.stream != PLATFORM_STREAM or written or fact.start < self._times[0]:
                problem = "停机期间有记录 / entries were written during the outage"
                raise EntryBroken(index=stamp.index, problem=problem)
            if not fact.start <= fact.end <= stamp.at:
                raise EntryBroken(index=stamp.index, problem="尚未发生 / not yet")
            self._outages[stamp.index] = fact
        elif isinstance(fact, DeadlineExtended):
            outage = OutageRecorded(start=fact.start, end=fact.end)
            if self._outages.get(fact.outage) != outage:
                raise EntryBroken(index=stamp.index, problem="没有该停机记录 / no such outage")
