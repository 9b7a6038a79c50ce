"""办公室 what every desk works with: the ports, and the one way to read and write a tender."""

from collections.abc import Callable, Mapping, Sequence

from trading.facts.party import STREAM, PartyEnrolled
from trading.kernel.calendar import Calendar
from trading.kernel.errors import LostRace, RoleMissing, StreamUnknown
from trading.kernel.files import Objects
from trading.kernel.ids import Ids
from trading.kernel.instant import Clock, Reading
from trading.kernel.party import Actor, Role
from trading.ledger.entry import Stamp, act_message
from trading.ledger.fact import Fact, write_fact
from trading.ledger.port import ANY, Draft, Ledger
from trading.ledger.publish import Publisher
from trading.tender import Tender, fold, stream_of

__all__ = ["Decide", "Office"]

Decide = Callable[[Tender, Reading], Sequence[Fact]]
_TRIES = 20


class Office:
    """Ports in, nothing global. `publisher` takes heads to the witnesses, `check_method` knows
    the evaluation methods (which lie above this package).
    """

    def __init__(  # noqa: PLR0913  the composition root hands over every port once
        self,
        *,
        ledger: Ledger,
        publisher: Publisher,
        clock: Clock,
        ids: Ids,
        objects: Objects,
        calendar: Calendar,
        check_method: Callable[[str, Mapping[str, str]], None],
    ) -> None:
        self.ledger, self.publisher, self.objects = ledger, publisher, objects
        self.clock, self.ids, self.calendar = clock, ids, calendar
        self.check_method = check_method

    def load(self, tender: str) -> Tender:
        facts = self.ledger.stream(stream_of(tender))
        if not facts:
            raise StreamUnknown(stream=stream_of(tender))
        return fold(tender, facts)

    def act(
        self, tender: str, decide: Decide, actor: Actor | None = None, *, in_time: bool = False
    ) -> Tender:
        """Load, decide, append; decided anew when somebody else was faster.

        `in_time` lets the writer itself refuse the act once the tender's deadline has come.
        """
        for _ in range(_TRIES):
            state = self.load(tender)
            facts = decide(state, self.clock.read())
            phase = state.phase
            for fact in facts:  # nothing is written that the fold would not take
                phase = state.next_phase(phase, fact, actor.party if actor else "")
            drafts = [
                self.draft(stream_of(tender), fact, actor, state if in_time else None)
                for fact in facts
            ]
            if not drafts:
                return state
            try:
                stamps = self.ledger.append(stream_of(tender), state.height, drafts)
            except LostRace:
                continue
            for fact, stamp in zip(facts, stamps, strict=True):
                state.apply(fact, stamp)
            return state
        raise LostRace(stream=stream_of(tender), expected=state.height, actual="?")

    def draft(
        self, stream: str, fact: Fact, actor: Actor | None, limit: Tender | None = None
    ) -> Draft:
        """Signed by the actor; RoleMissing if its roles do not allow the fact."""
        key, before = self.ids.mint(), limit.deadline if limit else None
        article = str(limit.procedure.articles.late) if limit else ""
        roles = actor.roles if actor else frozenset({Role.PLATFORM})
        if not fact.by & roles:
            allowed = "、".join(sorted(fact.by))
            party = actor.party if actor else "platform"
            raise RoleMissing(party=party, fact=type(fact).__name__, roles=allowed)
        if actor is None:
            return Draft(fact, key, before=before, article=article)
        message = act_message(stream, key, actor.party, write_fact(fact))
        return Draft(fact, key, actor.party, actor.key.sign(message).hex(), before, article)

    def enrol(self, actor: Actor, name: str) -> Stamp:
        """登记: a party's name, roles and key, signed by the key itself."""
        fact = PartyEnrolled(
            party=actor.party,
            name=name,
            roles=tuple(sorted(actor.roles)),
            key=actor.key.public.hex(),
        )
        return self.ledger.append(STREAM, ANY, [self.draft(STREAM, fact, actor)])[0]
