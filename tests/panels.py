"""A panel at work: five experts, drawn, enrolled under names that tell nothing; their sheets."""

from collections.abc import Callable
from datetime import timedelta

from builders import AStory
from centre import TestCentre

from evaluation.composition import Composition
from evaluation.desks.bank import BankDesk
from evaluation.desks.panel import PanelDesk
from evaluation.entrant import blind_code
from evaluation.expert import Dossier, Wanted
from evaluation.order import sheet_digest
from evaluation.panel import Panel
from evaluation.sitting import Sitting
from trading.draw import TRUSTEE
from trading.facts.panel import (
    ChairVoted,
    Member,
    MemberSignedIn,
    PanelFormed,
    ReportSigned,
    SheetOpened,
    SheetSealed,
    UndertakingGiven,
)
from trading.facts.rubric import Item, Kind, Mark, ReviewStage
from trading.kernel.party import Actor, Role
from trading.lots import commitment, draw_digest

SALT = "ab" * 32
UNDERTAKING = "cd" * 32
SCORED = (
    Item("qualified", "资格条件", ReviewStage.QUALIFICATION, Kind.PASS, article="条例 51（三）"),
    Item("small", "小微企业", ReviewStage.QUALIFICATION, Kind.FLAG),
    Item("responsive", "实质性响应", ReviewStage.CONFORMITY, Kind.PASS, article="条例 51（六）"),
    Item("plan", "施工方案", ReviewStage.TECHNICAL, Kind.SCORE, "0", "20", "0.5"),
    Item("record", "业绩", ReviewStage.TECHNICAL, Kind.SCORE, "0", "10", "2", objective=True),
)
Fill = Callable[[str, str, Item], str]  # member, bid, item


def plain(member: str, bid: str, item: Item) -> str:
    """Everybody agrees, everything passes."""
    return {"pass": "yes", "flag": "no", "score": "10", "amount": "0", "deviation": "none"}[
        item.kind
    ]


class ASitting:
    """A tender, opened, with a panel; each method is a step of a test."""

    def __init__(self, centre: TestCentre, story: AStory) -> None:
        self.centre, self.story, self.tender = centre, story, story.tender
        self.desk = PanelDesk(centre.office)
        self.actors: dict[str, Actor] = {}
        self.supervisor: Actor | None = None
        self.draw, self.offset = f"{self.tender}:experts:1", 0
        self.bank = BankDesk(centre.office, centre.draws, centre.folder / "bank")

    @property
    def sitting(self) -> Sitting:
        return self.desk.load(self.tender)

    @property
    def panel(self) -> Panel:
        return self.sitting.panel

    def again(self) -> "ASitting":
        """Another panel, from another draw, with other seats."""
        self.draw, self.offset = f"{self.tender}:experts:2", 5
        self.actors = {}
        return self.seated()

    def drawn(self) -> list[str]:
        """The codes of five experts of the bank."""
        for number in range(9):
            dossier = Dossier(who=f"id-{number}", name=f"专家{number}", salt=f"{number:064x}")
            self.bank.admit(dossier, ("works",), "senior", "A")
        wanted = Wanted(
            draw=self.draw,
            region="A",
            parties=frozenset({"buyer-1"}),
            specialities=("works",),
            at=self.centre.clock.at,
        )
        inspector = self.supervisor or self.centre.actor("supervisor", Role.INSPECTOR)
        self.supervisor = inspector
        actors = {"owner": self.centre.owner, "supervisor": inspector}
        composition = Composition((("works", 5),))
        names = (*actors, TRUSTEE + self.centre.trustees[0].key.hex())
        self.bank.announce(self.centre.owner, wanted, composition, names)
        digest = draw_digest(self.centre.draws.load(self.draw).terms)
        self.centre.draws.ask_commitments(self.draw, self.centre.trustees)
        for name, actor in actors.items():
            self.centre.draws.commit(actor, self.draw, commitment(digest, name, bytes(32)))
        self.centre.draws.root(self.draw)
        for actor in actors.values():
            self.centre.draws.reveal(actor, self.draw, bytes(32).hex())
        self.centre.draws.ask_secrets(self.draw, self.centre.trustees)
        return self.centre.draws.decide(self.draw).present["works"]

    def formed(self, *, blind: bool = False, minutes: int = 0) -> "ASitting":
        codes = self.drawn()
        members = tuple(self.enrol(n, code) for n, code in enumerate(codes, 1 + self.offset))
        self.desk.form(
            PanelFormed(
                tender=self.tender,
                draw=self.draw,
                members=members,
                blind=blind,
                minutes=minutes,
                pace=self.story.state.drafted.pace,
            )
        )
        return self

    def enrol(self, number: int, code: str) -> Member:
        party = f"seat-{number}"
        self.actors[party] = self.centre.actor(party, Role.EXPERT)
        return Member(party, f"评委{number}", code)

    def gather(self, *parties: str) -> "ASitting":
        for party in parties or tuple(self.actors):
            self.act(party, MemberSignedIn(site="主场" if party < "seat-3" else "副场"))
            self.act(party, UndertakingGiven(text=UNDERTAKING))
        return self

    def seated(self, **formed: object) -> "ASitting":
        self.formed(**formed).gather()  # type: ignore[arg-type]
        for party in self.actors:
            self.act(party, ChairVoted(candidate=f"seat-{1 + self.offset}"))
        self.desk.seat(self.tender)
        return self

    def act(self, party: str, fact: object) -> Panel:
        return self.desk.act(self.actors[party], self.tender, fact)  # type: ignore[arg-type]

    def marks(self, stage: ReviewStage, party: str, fill: Fill = plain) -> tuple[Mark, ...]:
        sitting = self.sitting
        names = sitting.names(stage)
        if sitting.is_blind(stage):
            names = {blind_code(SALT, entrant): entrant for entrant in sitting.remaining(stage)}
        return tuple(
            Mark(bid, item.code, value, "不符合" if value in ("no", "minor", "major") else "")
            for bid in names
            for item in sitting.items_in(stage)
            for value in [fill(party, names[bid].number, item)]
        )

    def seal(self, stage: ReviewStage, party: str, fill: Fill = plain) -> SheetOpened:
        marks = self.marks(stage, party, fill)
        digest = sheet_digest(stage, party, marks, SALT)
        self.act(party, SheetSealed(stage=stage, digest=digest))
        return SheetOpened(stage=stage, marks=marks, salt=SALT)

    def filled(self, stage: ReviewStage, fill: Fill = plain) -> "ASitting":
        """All sheets of a stage, sealed by all and then opened by all."""
        members = [party for party in self.actors if party in self.panel.members]
        opened = {party: self.seal(stage, party, fill) for party in members}
        for party, sheet in opened.items():
            self.act(party, sheet)
        return self

    def reviewed(self, stage: ReviewStage, fill: Fill = plain) -> "ASitting":
        if self.sitting.is_blind(stage):
            self.desk.blind(self.tender, SALT)
        if self.sitting.remaining(stage):
            self.filled(stage, fill)
        if self.sitting.is_blind(stage):
            self.desk.unblind(self.tender, SALT)
        self.desk.conclude_stage(self.tender, stage)
        return self

    def reviewed_all(self, fill: Fill = plain) -> "ASitting":
        while self.sitting.stage:
            self.reviewed(self.sitting.stage, fill)
        return self

    def reported(self, draws: tuple[str, ...] = ()) -> "ASitting":
        self.desk.report(self.tender, draws)
        return self

    def sign(self, *parties: str) -> "ASitting":
        report = self.panel.report
        assert report
        for party in parties or tuple(self.panel.members):
            self.act(party, ReportSigned(digest=report.digest))
        return self

    def concluded(self) -> "ASitting":
        self.sign()
        self.desk.conclude(self.tender)
        return self

    def later(self, **span: float) -> None:
        self.centre.clock.advance(timedelta(**span))
