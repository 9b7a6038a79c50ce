"""办公室 what every desk works with: the ports, and the one way to read and write a tender."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial

import msgspec

from trading.bidding import claims
from trading.desks.live import LiveTenders
from trading.desks.mailbox import answered
from trading.facts.party import STREAM, PartyEnrolled
from trading.facts.tender import TenderDrafted
from trading.kernel.calendar import Calendar
from trading.kernel.errors import (
    ClaimTaken,
    KeyReused,
    LostRace,
    Refusal,
    RoleMissing,
    StreamUnknown,
)
from trading.kernel.ids import Ids
from trading.kernel.instant import Clock, Reading
from trading.kernel.objects import Objects
from trading.kernel.party import Actor, Role
from trading.ledger.entry import Stamp, act_message
from trading.ledger.fact import Fact, write_fact
from trading.ledger.port import ANY, Draft, Ledger
from trading.ledger.publish import Publisher
from trading.tender import Phase, Tender, stream_of

__all__ = ["Act", "Acting", "Decide", "Office", "driven", "finish"]

Decide = Callable[[Tender, Reading], Sequence[Fact]]
Acting = Generator["Future[tuple[Stamp, ...]]", tuple[Stamp, ...], tuple[Stamp, ...]]
_TRIES = 20
_FRESH = timedelta(seconds=4)  # verifiers allow five between a decision and its commit


class Act(msgspec.Struct, frozen=True):
    """One act on a tender. `key` makes it idempotent: with the same `wanted` fact it is answered
    as the first time. `in_time` has the writer itself refuse it once the tender's deadline has
    come. `patient` acts commute, and may be decided on a state a moment old. `beside`: streams that
    `decide` looks at as well; if one moves meanwhile, it is asked again.
    """

    decide: Decide
    actor: Actor | None = None
    in_time: bool = False
    key: str = ""
    wanted: Fact | None = None
    patient: bool = False
    beside: tuple[str, ...] = ()


def finish(acting: Acting) -> tuple[Stamp, ...]:
    """Wait for each attempt in this thread."""
    try:
        attempt = next(acting)
        while True:
            try:
                stamps = attempt.result()
            except LostRace as lost:
                attempt = acting.throw(lost)
            else:
                attempt = acting.send(stamps)
    except StopIteration as done:
        answer: tuple[Stamp, ...] = done.value
        return answer


async def driven(acting: Acting) -> tuple[Stamp, ...]:
    """The same without a thread: an event loop goes on while the writer commits."""
    try:
        attempt = next(acting)
        while True:
            try:
                stamps = await answered(attempt)
            except LostRace as lost:
                attempt = acting.throw(lost)
            else:
                attempt = acting.send(stamps)
    except StopIteration as done:
        answer: tuple[Stamp, ...] = done.value
        return answer


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
        check_method: Callable[[TenderDrafted], None],
    ) -> None:
        self.ledger, self.publisher, self.objects = ledger, publisher, objects
        self.live = LiveTenders(ledger)
        self.clock, self.ids, self.calendar = clock, ids, calendar
        self.check_method = check_method

    def load(self, tender: str) -> Tender:
        """A copy of the tender's state; StreamUnknown if there is none."""
        with self.live.held(tender) as state:
            return state.snapshot()

    def phase_of(self, tender: str) -> Phase | None:
        """None if there is no such tender."""
        try:
            with self.live.held(tender) as state:
                return state.phase
        except StreamUnknown:
            return None

    def act(
        self,
        tender: str,
        decide: Decide,
        actor: Actor | None = None,
        *,
        in_time: bool = False,
        beside: tuple[str, ...] = (),
    ) -> Tender:
        """Load, decide, append; decided anew when somebody else was faster."""
        finish(self.acting(tender, Act(decide, actor, in_time=in_time, beside=beside)))
        return self.load(tender)

    def acting(self, tender: str, act: Act) -> Acting:
        """The same as steps: every yielded future is one attempt to write, to be waited for by a
        thread (`finish`) or by an event loop. Returns the stamps of what was written.
        """
        race: LostRace | None = None
        for attempt in range(_TRIES):
            beside = self.heights(act.beside)
            try:
                drafts, height = self.live.decided(
                    tender,
                    partial(self._decided, act=act, beside=beside),
                    fresh=attempt > 0,
                    patient=act.patient,
                )
            except Refusal:
                repeated = self.repeated(stream_of(tender), act.actor, act.key, act.wanted)
                if repeated is None:
                    raise
                return repeated
            if not drafts:
                return ()
            try:
                return (yield self.ledger.submit(stream_of(tender), height, drafts))
            except LostRace as lost:
                race = lost
        raise race or LostRace(stream=stream_of(tender), expected="?", actual="?")

    def heights(self, streams: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """How far other streams are, before a decision looks at them."""
        return tuple((name, self._height(name)) for name in streams)

    def _height(self, stream: str) -> int:
        kind, _, name = stream.partition(":")
        if kind == "tender" and self.phase_of(name):
            with self.live.held(name) as state:
                return state.height
        acts = self.ledger.stream(stream)
        return acts[-1][1].height + 1 if acts else 0

    def _decided(
        self, state: Tender, act: Act, beside: tuple[tuple[str, int], ...]
    ) -> tuple[list[Draft], int]:
        """The drafts, and the height at which they follow."""
        now = self.clock.read()
        facts, actor = act.decide(state, now), act.actor
        party = actor.party if actor else ""
        _check_fold(state, facts, party, now.at)
        stream, limit = stream_of(state.id), state if act.in_time else None
        drafts = [
            self.draft(stream, fact, actor, limit, "" if number else act.key)
            for number, fact in enumerate(facts)
        ]
        replace, until = msgspec.structs.replace, now.at + _FRESH
        claimed = [
            replace(
                draft,
                claims=claims(state, draft.fact, party),
                fresh_until=until,
                beside=beside,
            )
            for draft in drafts
        ]
        return claimed, state.height

    def repeated(
        self, stream: str, actor: Actor | None, key: str = "", wanted: Fact | None = None
    ) -> tuple[Stamp, ...] | None:
        """The stamp of the first time, if this is a second time; KeyReused if it is another act."""
        key = key or (actor.act_id if actor else "")
        earlier = self.ledger.find(key) if key else None
        if earlier is None:
            return None
        fact, stamp = earlier
        wanted = _signed_again(actor, stream, fact) if actor else wanted
        if fact != wanted or stamp.stream != stream:
            raise KeyReused(key=key)
        return (stamp,)

    def draft(
        self,
        stream: str,
        fact: Fact,
        actor: Actor | None,
        limit: Tender | None = None,
        key: str = "",
    ) -> Draft:
        """Signed by the actor; RoleMissing if its roles do not allow the fact."""
        key = key or (actor.act_id if actor else "") or self.ids.mint()
        before = limit.deadline if limit and limit.phase is Phase.BIDDING else None
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
        return self.admit_party(fact, actor)

    def admit_party(self, fact: PartyEnrolled, actor: Actor) -> Stamp:
        """Once: a name that is taken is ClaimTaken, the same enrolment is answered as before."""
        draft = self.draft(STREAM, fact, actor)
        draft = msgspec.structs.replace(draft, claims=(f"party:{fact.party}",))
        try:
            return self.ledger.append(STREAM, ANY, [draft])[0]
        except ClaimTaken:
            for known, stamp in self.ledger.stream(STREAM):
                if known == fact:
                    return stamp
            raise


def _check_fold(state: Tender, facts: Sequence[Fact], party: str, at: datetime) -> None:
    """Nothing is written that the fold would not take. What commutes moves no clock and no phase;
    for anything else the step itself is tried, on a copy.
    """
    phase = state.phase
    for fact in facts:
        phase = state.next_phase(phase, fact, party)
    if all(fact.commutes for fact in facts):
        return
    tried = state.snapshot()
    for offset, fact in enumerate(facts):
        tried.apply(fact, Stamp(-1, at, stream_of(state.id), state.height + offset, party, ""))


def _signed_again(actor: Actor, stream: str, fact: Fact) -> Fact | None:
    """The fact, if the actor's signature is over it: then the same act was sent twice."""
    try:
        actor.key.sign(act_message(stream, actor.act_id, actor.party, write_fact(fact)))
    except Refusal:
        return None
    return fact
