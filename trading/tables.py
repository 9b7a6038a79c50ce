"""列表 lists of tenders: a projection that follows the ledger and can be rebuilt from it."""

from datetime import datetime

import msgspec
from sqlalchemy import Column, Engine, Integer, String, Table, insert, select

from trading.facts.bidding import EnvelopeReceived
from trading.facts.tender import TenderDrafted
from trading.kernel.database import METADATA, Fen, Instant
from trading.kernel.money import Money
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.tender import MACHINE, Phase

__all__ = ["TenderList", "TenderRow"]

_TENDERS = Table(
    "tender",
    METADATA,
    Column("id", String, primary_key=True),
    Column("height", Integer, nullable=False),
    Column("number", String, nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("buyer", String, nullable=False),
    Column("procedure", String, nullable=False),
    Column("phase", String, nullable=False),
    Column("deadline", Instant),
    Column("estimate", Fen),
    Column("envelopes", Integer, nullable=False),
)


class TenderRow(msgspec.Struct, frozen=True):
    id: str
    number: str
    title: str
    buyer: str
    procedure: str
    phase: str
    deadline: datetime | None
    estimate: Money | None
    envelopes: int


class TenderList:
    """A follower; a fact that a row has already seen (its height) changes nothing."""

    name = "tender-list"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle(self, fact: Fact, stamp: Stamp) -> None:
        if not stamp.stream.startswith("tender:"):
            return
        tender = stamp.stream.removeprefix("tender:")
        with self._engine.begin() as db:
            if isinstance(fact, TenderDrafted):
                exists = db.execute(select(_TENDERS.c.id).where(_TENDERS.c.id == tender)).first()
                if not exists:
                    db.execute(insert(_TENDERS).values(id=tender, **_first(fact)))
                return
            row = db.execute(select(_TENDERS).where(_TENDERS.c.id == tender)).one()
            if row.height < stamp.height:
                change = _change(Phase(row.phase), row.envelopes, fact)
                where = _TENDERS.c.id == tender
                db.execute(_TENDERS.update().where(where).values(height=stamp.height, **change))

    def rows(self) -> list[TenderRow]:
        return self.page("", None)

    def page(self, after: str, limit: int | None) -> list[TenderRow]:
        """By id, from the one behind `after` on."""
        query = select(_TENDERS).where(_TENDERS.c.id > after).order_by(_TENDERS.c.id).limit(limit)
        wanted = TenderRow.__struct_fields__
        with self._engine.connect() as db:
            found = db.execute(query).mappings()
            return [TenderRow(**{name: row[name] for name in wanted}) for row in found]

    def deadlines(self) -> list[datetime]:
        """Of the tenders that take bids."""
        query = select(_TENDERS.c.deadline).where(_TENDERS.c.phase == Phase.BIDDING.value)
        with self._engine.connect() as db:
            return [moment for (moment,) in db.execute(query) if moment]

    def bidding(self) -> list[str]:
        """Ids of the tenders that take bids."""
        query = select(_TENDERS.c.id).where(_TENDERS.c.phase == Phase.BIDDING.value)
        with self._engine.connect() as db:
            return [name for (name,) in db.execute(query)]

    def unopened(self) -> list[str]:
        """Ids of the tenders whose bids are in and not all opened."""
        phases = (Phase.SEALED.value, Phase.TECHNICAL.value)
        query = select(_TENDERS.c.id).where(_TENDERS.c.phase.in_(phases))
        with self._engine.connect() as db:
            return [name for (name,) in db.execute(query)]


def _first(fact: TenderDrafted) -> dict[str, object]:
    estimates = [lot.estimate for lot in fact.lots if lot.estimate is not None]
    return {
        "height": 0,
        "number": fact.number,
        "title": fact.title,
        "buyer": fact.buyer,
        "procedure": fact.procedure,
        "phase": Phase.DRAFT.value,
        "estimate": Money(sum(estimates)) if estimates else None,
        "envelopes": 0,
    }


def _change(phase: Phase, envelopes: int, fact: Fact) -> dict[str, object]:
    change: dict[str, object] = {"phase": MACHINE.after(phase, type(fact)).value}
    deadline = getattr(fact, "deadline", None)
    if deadline:
        change["deadline"] = deadline
    if isinstance(fact, EnvelopeReceived):
        change["envelopes"] = envelopes + 1
    return change
