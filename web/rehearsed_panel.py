"""演练评标 a panel of made-up experts on the whole way: bank, draw, sheets, report, signatures.

It repeats what a record says of a tender; a step that is done already is not done again.
"""

from collections.abc import Mapping
from functools import partial

from evaluation.composition import Composition
from evaluation.expert import Dossier, Wanted
from evaluation.order import sheet_digest
from evaluation.panel import Panel, PanelPhase
from evaluation.sitting import Sitting
from trading.draw import TRUSTEE, Draw, DrawPhase
from trading.facts.draw import EXPERTS
from trading.facts.panel import (
    ChairVoted,
    ClarificationAsked,
    Member,
    MemberSignedIn,
    PanelFormed,
    ReportSigned,
    SheetOpened,
    SheetSealed,
    UndertakingGiven,
)
from trading.facts.rubric import Item, Kind, Mark, ReviewStage
from trading.kernel.canonical import sha256
from trading.kernel.ids import TenderId
from trading.kernel.party import Actor, Role
from trading.ledger.fact import Fact
from trading.lots import commitment, draw_digest
from web.centre import Centre, wait_until

__all__ = ["RehearsedPanel"]

_EXPERTS, _SEATS = 12, 5
_SPECIALITY = "综合"
_RESPONSIVE = "responsive"
_UNDERTAKING = sha256("保密与廉洁承诺".encode()).hex()

Doubts = Mapping[tuple[str, int], str]  # by bidder and lot: why it is rejected


class RehearsedPanel:
    """`review` ends with a concluded panel; the secrets of a rehearsal follow from its tender."""

    def __init__(self, centre: Centre, tender: TenderId) -> None:
        self._centre, self._tender = centre, tender
        self._draw = f"{tender}:{EXPERTS}:1"
        self._actors = {
            f"seat-{number}": centre.actor(f"seat-{number}", f"评委{number}", Role.EXPERT)
            for number in range(1, _SEATS + 1)
        }

    def review(self, doubts: Doubts) -> Panel:
        if self._panel.formed is None:
            self._form(self._drawn())
        if self._panel.phase is PanelPhase.GATHERING:
            self._gather()
        while (stage := self._sitting.stage) and self._panel.phase is PanelPhase.SITTING:
            self._review(stage, doubts)
        if self._panel.phase is PanelPhase.SITTING:
            self._centre.panels.report(self._tender)
        if self._panel.phase is PanelPhase.SIGNING:
            self._sign()
        return self._panel

    @property
    def _sitting(self) -> Sitting:
        return self._centre.panels.load(self._tender)

    @property
    def _panel(self) -> Panel:
        return self._sitting.panel

    def _act(self, party: str, fact: Fact) -> None:
        self._centre.panels.act(self._actors[party], self._tender, fact)

    # -- the draw -----------------------------------------------------------------------------

    def _drawn(self) -> Draw:
        """By owner, inspector and one trustee."""
        centre, draws = self._centre, self._centre.draws
        parties = {"owner": centre.owner, "inspector": centre.inspector}
        trustees = centre.trustees[:1]
        self._admit()
        if draws.load(self._draw).announced is None:
            names = (*parties, *(TRUSTEE + trustee.key.hex() for trustee in trustees))
            composition = Composition(((_SPECIALITY, _SEATS),))
            centre.bank.announce(centre.owner, self._wanted(), composition, names)
        state = draws.ask_commitments(self._draw, trustees)
        digest = draw_digest(state.terms)
        secrets = {name: self._secret(actor, digest) for name, actor in parties.items()}
        for name, actor in parties.items():
            if state.phase is DrawPhase.COMMITTING and name in state.absent:
                draws.commit(actor, self._draw, commitment(digest, name, secrets[name]))
        state = draws.root(self._draw)
        for name, actor in parties.items():
            if name in state.absent:
                draws.reveal(actor, self._draw, secrets[name].hex())
        draws.ask_secrets(self._draw, trustees)
        return draws.decide(self._draw)

    def _admit(self) -> None:
        for number in range(_EXPERTS):
            salt = sha256(f"rehearsal expert {number}".encode()).hex()
            dossier = Dossier(who=f"expert-{number}", name=f"演练专家{number + 1}", salt=salt)
            self._centre.bank.admit(dossier, (_SPECIALITY,), "高级", "演练")

    def _wanted(self) -> Wanted:
        return Wanted(
            draw=self._draw,
            region="演练",
            parties=frozenset({self._sitting.tender.drafted.buyer_id}),
            specialities=(_SPECIALITY,),
            at=self._centre.clock.read().at,
        )

    def _secret(self, actor: Actor, digest: bytes) -> bytes:
        """Out of the actor's own signature, so that a killed rehearsal goes on."""
        return sha256(actor.key.sign(b"rehearsal draw\n" + digest))

    # -- the sitting --------------------------------------------------------------------------

    def _form(self, draw: Draw) -> None:
        codes = draw.present[_SPECIALITY]
        members = tuple(
            Member(party, f"评委{number}", code)
            for number, (party, code) in enumerate(zip(self._actors, codes, strict=True), 1)
        )
        pace = self._sitting.tender.drafted.pace
        formed = PanelFormed(tender=self._tender, draw=self._draw, members=members, pace=pace)
        self._centre.panels.form(formed)

    def _gather(self) -> None:
        panel = self._panel
        chair = next(iter(self._actors))
        for party in self._actors:
            if party not in panel.sites:
                self._act(party, MemberSignedIn(site="演练评标室"))
            if party not in panel.undertakings:
                self._act(party, UndertakingGiven(text=_UNDERTAKING))
            if party not in panel.votes:
                self._act(party, ChairVoted(candidate=chair))
        self._centre.panels.seat(self._tender)

    def _review(self, stage: ReviewStage, doubts: Doubts) -> None:
        sitting = self._sitting
        if stage is ReviewStage.PRICE:
            self._ask(sitting)
        panel, marks = sitting.panel, self._marks(sitting, stage, doubts)
        salt = partial(self._salt, stage)
        if marks:
            for party in self._actors:
                if party not in panel.sealed.get(stage, {}):
                    digest = sheet_digest(stage, party, marks, salt(party))
                    self._act(party, SheetSealed(stage=stage, digest=digest))
            for party in self._actors:
                if party not in panel.sheets.get(stage, {}):
                    self._act(party, SheetOpened(stage=stage, marks=marks, salt=salt(party)))
        self._centre.panels.conclude_stage(self._tender, stage)

    def _ask(self, sitting: Sitting) -> None:
        """Whoever is abnormally low; nobody answers in a rehearsal, so the time is waited for."""
        for number in sorted(sitting.low_prices()):
            question = f"low-price-{number}"
            if question not in sitting.panel.asked:
                text, minutes = "请说明报价的合理性", 30
                fact = ClarificationAsked(
                    question=question, bid=number, text=text, minutes=minutes, low_price=True
                )
                self._act(sitting.panel.chair, fact)
        for asked in self._panel.asked.values():
            wait_until(self._centre, sitting.answer_until(asked))

    def _marks(self, sitting: Sitting, stage: ReviewStage, doubts: Doubts) -> tuple[Mark, ...]:
        return tuple(
            _mark(name, item, doubts.get((entrant.price.bidder_id, entrant.lot), ""))
            for name, entrant in sitting.names(stage).items()
            if entrant.price
            for item in sitting.items_in(stage)
        )

    def _salt(self, stage: ReviewStage, party: str) -> str:
        return sha256(f"rehearsal sheet {self._tender} {stage} {party}".encode()).hex()

    def _sign(self) -> None:
        panel = self._panel
        for party in self._actors:
            if panel.report and party not in panel.signed:
                self._act(party, ReportSigned(digest=panel.report.digest))
        self._centre.panels.conclude(self._tender)


def _mark(name: str, item: Item, doubt: str) -> Mark:
    if item.code == _RESPONSIVE and doubt:
        return Mark(name, item.code, "no", doubt)
    return Mark(name, item.code, "yes" if item.kind is Kind.PASS else "no")
