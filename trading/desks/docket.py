"""案卷 any stream that is not a tender's: load, decide, append; anew when somebody was faster."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from trading.desks.office import Office
from trading.kernel.errors import LostRace, Refusal, RequestMalformed
from trading.kernel.instant import Reading
from trading.kernel.party import Actor
from trading.ledger.entry import Folds, Stamp, folded
from trading.ledger.fact import Fact
from trading.ledger.port import Draft

__all__ = ["Docket"]

_TRIES = 20
_LONGEST = 40_000  # characters of one text: everybody carries it for ever


S = TypeVar("S", bound=Folds)


class Docket(Generic[S]):
    """`check(state, fact, actor, now)` refuses what may not come; it is asked for each fact before
    it is written, on the state that the ones before it lead to. `beside`: the streams that it, or a
    decision, looks at besides; they are loaded anew at each try, never before.
    """

    def __init__(
        self,
        office: Office,
        stream: str,
        new: Callable[[], S],
        check: Callable[[S, Fact, str, Reading], None],
        beside: Callable[[S], Sequence[str]] = lambda _: (),
    ) -> None:
        self._office, self._stream, self._new, self._check = office, stream, new, check
        self._beside = beside

    def load(self) -> S:
        return folded(self._office.ledger.stream(self._stream), self._new())

    def act(self, decide: Callable[[S, Reading], Sequence[Fact]], actor: Actor | None = None) -> S:
        """The state after it; nothing is written where nothing was decided, or where the very same
        act was written before.
        """
        race: LostRace | None = None
        for _ in range(_TRIES):
            state = self.load()
            height, beside = state.height, self._office.heights(self._beside(state))
            try:
                drafts = self._drafts(state, decide, actor, beside)
            except Refusal:
                if self._office.repeated(self._stream, actor) is None:
                    raise
                return self.load()
            if not drafts:
                return state
            try:
                self._office.ledger.append(self._stream, height, drafts)
            except LostRace as lost:
                race = lost
            else:
                return self.load()
        raise race or LostRace(stream=self._stream, expected="?", actual="?")

    def _drafts(
        self,
        state: S,
        decide: Callable[[S, Reading], Sequence[Fact]],
        actor: Actor | None,
        beside: tuple[tuple[str, int], ...],
    ) -> list[Draft]:
        """`state` is where they lead to, afterwards."""
        now = self._office.clock.read()
        facts = decide(state, now)
        self._try(state, facts, actor, now)
        drafts = [self._office.draft(self._stream, fact, actor) for fact in facts]
        return [msgspec.structs.replace(draft, beside=beside) for draft in drafts]

    def _try(self, state: S, facts: Sequence[Fact], actor: Actor | None, now: Reading) -> None:
        party = str(actor.party) if actor else ""
        for fact in facts:
            _check_lengths(fact)
            self._check(state, fact, party, now)
            state.apply(fact, Stamp(-1, now.at, self._stream, state.height, party, ""))


def _check_lengths(fact: Fact) -> None:
    for name in fact.__struct_fields__:
        value = getattr(fact, name)
        if isinstance(value, str) and len(value) > _LONGEST:
            raise RequestMalformed(problem=f"{name}：超过 {_LONGEST} 字 / too long")
