"""列表 lists of tenders: a projection that follows the ledger and can be rebuilt from it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    String,
    Table,
    delete,
    insert,
    select,
)

from trading.facts.bidding import EnvelopeReceived
from trading.facts.suspension import TenderResumed, TenderSuspended
from trading.facts.tender import TenderDrafted
from trading.kernel.database import METADATA, Fen, Instant
from trading.kernel.instant import whole_seconds
from trading.kernel.money import Money
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.tender import MACHINE, Phase

__all__ = ["TenderList", "TenderRow"]

_MOST = 2**63

_TENDERS = Table(
    "listed_tender",
    METADATA,
    Column("id", String, primary_key=True),
    Column("height", Integer, nullable=False),
    Column("number", String, nullable=False, index=True),
    Column("title", String, nullable=False),
    Column("buyer", String, nullable=False),
    Column("procedure", String, nullable=False),
    Column("phase", String, nullable=False),
    Column("deadline", Instant),
    Column("suspended_at", Instant),
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

    name = "listed-tenders"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle(self, page: Sequence[tuple[Fact, Stamp]]) -> None:
        """One transaction a page: each tender's row is read once and written once."""
        rows: dict[str, dict[str, Any]] = {}
        with self._engine.begin() as db:
            for fact, stamp in page:
                if not stamp.stream.startswith("tender:"):
                    continue
                tender = stamp.stream.removeprefix("tender:")
                row = rows.get(tender) or _stored(db, tender)
                rows[tender] = _after(row, tender, fact, stamp)
            for tender, row in rows.items():
                db.execute(delete(_TENDERS).where(_TENDERS.c.id == tender))
                db.execute(insert(_TENDERS).values(row))

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


def _stored(db: Connection, tender: str) -> dict[str, Any]:
    """Empty before the tender's first fact."""
    found = db.execute(select(_TENDERS).where(_TENDERS.c.id == tender)).mappings().first()
    return dict(found) if found else {}


def _after(row: dict[str, Any], tender: str, fact: Fact, stamp: Stamp) -> dict[str, Any]:
    if isinstance(fact, TenderDrafted):
        return row or {"id": tender, **_first(fact)}
    if row["height"] >= stamp.height:
        return row
    return row | {"height": stamp.height} | _change(row, fact, stamp)


def _first(fact: TenderDrafted) -> dict[str, object]:
    estimates = [lot.estimate for lot in fact.lots if lot.estimate is not None]
    return {
        "height": 0,
        "number": fact.number,
        "title": fact.title,
        "buyer": fact.buyer,
        "procedure": fact.procedure,
        "phase": Phase.DRAFT.value,
        "deadline": None,
        "suspended_at": None,
        "estimate": _total(estimates),
        "envelopes": 0,
    }


def _total(estimates: list[int]) -> Money | None:
    """Nothing rather than a sum that the column cannot hold: lists are for everybody."""
    total = sum(estimates)
    return Money(total) if estimates and total < _MOST else None


def _change(row: dict[str, Any], fact: Fact, stamp: Stamp) -> dict[str, object]:
    change: dict[str, object] = {"phase": MACHINE.after(Phase(row["phase"]), type(fact)).value}
    deadline, since = row["deadline"], row["suspended_at"]
    if isinstance(fact, TenderSuspended):
        change["suspended_at"] = stamp.at
    elif isinstance(fact, TenderResumed):
        runs = deadline and since and deadline > since
        later = deadline + whole_seconds(stamp.at - since) if runs else deadline
        change |= {"suspended_at": None, "deadline": later}
    elif isinstance(fact, EnvelopeReceived):
        change["envelopes"] = row["envelopes"] + 1
    elif getattr(fact, "deadline", None):
        change["deadline"] = fact.deadline  # type: ignore[attr-defined]
    return change
