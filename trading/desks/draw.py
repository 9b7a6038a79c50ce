"""抽取窗口 the desk of draws: announces, collects, binds to the ledger, decides. It has no say."""

from collections.abc import Callable, Collection, Sequence

from trading.announcing import Announcing, check_announcing
from trading.desks.ceremony import AsksTrustee, CeremonyDesk
from trading.desks.docket import Docket
from trading.desks.office import Office
from trading.disclosure import check_unsealing
from trading.draw import (
    TRUSTEE,
    Draw,
    DrawPhase,
    check_draw,
    decided_draw,
    stand_in,
    stream_of_draw,
)
from trading.facts.draw import (
    DrawAnnounced,
    DrawCommitted,
    DrawRevealed,
    DrawRooted,
    DrawVoided,
    NamesUnsealed,
    TrusteeCommitted,
    TrusteeRevealed,
    Unsealing,
)
from trading.facts.party import STREAM as PARTIES
from trading.facts.party import PartyEnrolled
from trading.kernel.errors import DrawRefusal
from trading.kernel.instant import Reading
from trading.kernel.party import Actor, Role
from trading.ledger.fact import Fact
from trading.tender import stream_of

__all__ = ["DrawDesk"]

_DIGITS = 2  # of the number of a draw


class DrawDesk:
    """Every step may be taken again after a crash: the ledger knows what is done. `trustees`: the
    keys of the charter, hex.
    """

    def __init__(
        self, office: Office, ceremony: CeremonyDesk, trustees: Callable[[], Collection[str]]
    ) -> None:
        self._office, self._ceremony, self._trustees = office, ceremony, trustees

    def load(self, draw: str) -> Draw:
        return self._docket(draw).load()

    def announce(self, owner: Actor | None, wanted: DrawAnnounced) -> Draw:
        """DrawRefusal if there was such a draw before, and nothing calls for another."""
        if self._office.phase_of(wanted.tender) is None:
            raise DrawRefusal(problem=f"没有项目 {wanted.tender} / no such tender")

        def announced(state: Draw, _: Reading) -> list[DrawAnnounced]:
            if state.announced == wanted:
                return []
            self._check(owner, wanted)
            return [wanted]

        earlier = map(stream_of_draw, self._earlier(wanted.draw))
        beside = (stream_of(wanted.tender), *earlier)
        return self._docket(wanted.draw, beside).act(announced, owner)

    def _check(self, owner: Actor | None, wanted: DrawAnnounced) -> None:
        tender = self._office.load(wanted.tender)
        if tender.suspended_at:
            raise DrawRefusal(problem="项目已暂停 / the tender is suspended")
        check_announcing(
            wanted,
            Announcing(
                str(owner.party) if owner else "",
                tender,
                [draw for draw in map(self.load, self._earlier(wanted.draw)) if draw.announced],
                frozenset(self._trustees()),
                self._inspectors(),
            ),
        )

    def _earlier(self, draw: str) -> list[str]:
        kind, _, number = draw.rpartition(":")
        if not number.isascii() or not number.isdecimal() or len(number) > _DIGITS:
            raise DrawRefusal(problem="编号 / id")
        return [f"{kind}:{n}" for n in range(1, int(number))]

    def _inspectors(self) -> frozenset[str]:
        facts = (fact for fact, _ in self._office.ledger.stream(PARTIES))
        return frozenset(
            fact.party
            for fact in facts
            if isinstance(fact, PartyEnrolled) and Role.INSPECTOR in fact.roles
        )

    def commit(self, party: Actor, draw: str, commitment: str) -> Draw:
        """Again with the same commitment: nothing more happens."""
        fact = DrawCommitted(commitment=commitment)
        return self._docket(draw).act(
            lambda state, _: (
                [] if state.commitments.get(str(party.party)) == commitment else [fact]
            ),
            party,
        )

    def reveal(self, party: Actor, draw: str, secret: str) -> Draw:
        fact = DrawRevealed(secret=secret)
        return self._docket(draw).act(
            lambda state, _: [] if state.secrets.get(str(party.party)) == secret else [fact], party
        )

    def ask_commitments(self, draw: str, trustees: Sequence[AsksTrustee]) -> Draw:
        for trustee in self._expected(draw, trustees):
            said = self._ceremony.ask_contribution(draw, trustee, is_secret=False)
            fact = TrusteeCommitted(
                trustee=trustee.key.hex(), commitment=said.value, signature=said.signature.hex()
            )
            self._contribute(draw, fact)
        return self.load(draw)

    def ask_secrets(self, draw: str, trustees: Sequence[AsksTrustee]) -> Draw:
        for trustee in self._expected(draw, trustees):
            said = self._ceremony.ask_contribution(draw, trustee, is_secret=True)
            fact = TrusteeRevealed(
                trustee=trustee.key.hex(), secret=said.value, signature=said.signature.hex()
            )
            self._contribute(draw, fact)
        return self.load(draw)

    def root(self, draw: str) -> Draw:
        """The first cosigned head after the last commitment; witnesses have dated it."""
        state = self.load(draw)
        if state.phase is not DrawPhase.COMMITTING:
            return state
        self._office.publisher.publish()
        size = state.last_commitment + 1
        notes = (i.note for i in self._office.publisher.history() if i.checkpoint.size >= size)
        note = next(notes, None)
        if note is None:
            raise DrawRefusal(problem="尚无联署的检查点 / no cosigned head yet")
        return self._docket(draw).act(lambda _, __: [DrawRooted(note=note)])

    def decide(self, draw: str) -> Draw:
        return self._docket(draw).act(
            lambda state, _: [] if state.phase is DrawPhase.DECIDED else [decided_draw(state)]
        )

    def go_on(self, draw: str, trustees: Sequence[AsksTrustee]) -> Draw:
        """As far as the parties' own parts allow: trustees asked, the head taken, decided."""
        state = self.load(draw)
        if state.phase is DrawPhase.COMMITTING:
            state = self.ask_commitments(draw, trustees)
            state = state if state.absent else self.root(draw)
        if state.phase is DrawPhase.ROOTED:
            state = self.ask_secrets(draw, trustees)
            state = state if state.absent else self.decide(draw)
        return state

    def void(self, inspector: Actor, draw: str, ground: str) -> Draw:
        return self._docket(draw).act(
            lambda state, _: (
                []
                if state.phase is DrawPhase.VOID
                else [DrawVoided(absent=tuple(state.absent), ground=ground)]
            ),
            inspector,
        )

    def call_stand_in(self, inspector: Actor, draw: str, gone: str, reason: str) -> Draw:
        """Once: who is gone already is not replaced a second time."""
        return self._docket(draw).act(
            lambda state, _: [] if gone in state.gone else [stand_in(state, gone, reason)],
            inspector,
        )

    def unseal(self, draw: str, names: Sequence[Unsealing]) -> Draw:
        def unsealed(state: Draw, _: Reading) -> list[NamesUnsealed]:
            check_unsealing(state, self._office.phase_of(state.terms.tender))
            return [NamesUnsealed(names=tuple(names))]

        tender = self.load(draw).terms.tender
        return self._docket(draw, (stream_of(tender),)).act(unsealed)

    def _expected(self, draw: str, trustees: Sequence[AsksTrustee]) -> list[AsksTrustee]:
        absent = self.load(draw).absent
        return [trustee for trustee in trustees if TRUSTEE + trustee.key.hex() in absent]

    def _contribute(self, draw: str, fact: Fact, party: Actor | None = None) -> Draw:
        return self._docket(draw).act(lambda _, __: [fact], party)

    def _docket(self, draw: str, beside: tuple[str, ...] = ()) -> Docket[Draw]:
        return Docket(
            self._office,
            stream_of_draw(draw),
            lambda: Draw(draw),
            lambda state, fact, party, _: check_draw(state, fact, party),
            lambda _: beside,
        )
