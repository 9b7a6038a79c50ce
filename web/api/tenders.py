"""项目的门 tenders for everyone: lists, one tender, its public entries, whom to seal to."""

from datetime import datetime
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter

from trading.disclosure import is_public, is_shown
from trading.facts.award import Candidate
from trading.facts.tender import Lot, OutageRule
from trading.kernel.calendar import check_moment
from trading.kernel.ids import TenderId
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.tender import Phase, Tender, stream_of
from web.api.bodies import Here
from web.deadlines import free_hour, hour_of
from web.ports import Listed

__all__ = ["TenderController"]

_TEXT = "text/plain; charset=utf-8"


class Question(msgspec.Struct, frozen=True):
    question: str
    text: str
    answer: str = ""


class Correction(msgspec.Struct, frozen=True):
    text: str
    at: datetime
    deadline: datetime | None


class Opened(msgspec.Struct, frozen=True):
    eid: str
    lot: int
    stage: int
    bidder_id: str
    bidder_name: str
    price: int | None
    currency: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A tender as anyone may see it; who bids and how many stays out until the opening."""

    id: str
    number: str
    title: str
    buyer: str
    procedure: str
    method: str
    phase: str
    height: int
    is_suspended: bool
    is_rehearsal: bool
    currency: str
    lots: tuple[Lot, ...]
    stages: tuple[int, ...]
    committees: dict[int, str]
    token_key: str
    outage_rule: OutageRule
    published_at: datetime | None
    deadline: datetime | None
    documents_until: datetime | None
    corrections: list[Correction]
    questions: list[Question]
    opened: list[Opened]
    ranking: tuple[Candidate, ...]
    publicity_until: datetime | None
    contracts: dict[int, str]


class Entry(msgspec.Struct, frozen=True):
    index: int
    at: datetime
    actor: str
    fact: Any


class Crowd(msgspec.Struct, frozen=True):
    """How full the hours are, and where there is room."""

    limit: int
    hours: dict[str, int]
    suggestion: datetime


class TenderController(Controller):
    path = "/v1"
    tags = ("项目 tenders",)

    @get("/tenders", name="tenders", sync_to_thread=True)
    def tenders(
        self,
        ports: Here,
        after: Annotated[str, QueryParameter(max_length=36)] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    ) -> list[Listed]:
        """By id, which is by the time of drafting; go on with the last id of a page."""
        return ports.lists.page(after, limit)

    @get("/tenders/{tender:uuid}", name="tender", sync_to_thread=True)
    def tender(self, tender: FromPath[UUID], ports: Here) -> View:
        with ports.office.live.held(str(tender)) as state:
            return _view(state)

    @get("/tenders/{tender:uuid}/entries", name="entries", sync_to_thread=True)
    def entries(
        self,
        tender: FromPath[UUID],
        ports: Here,
        after: Annotated[int, QueryParameter(ge=-1, le=2**53)] = -1,
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 1000,
    ) -> list[Entry]:
        """The public facts of one tender behind an index; all of them once the bids are in."""
        with ports.office.live.held(str(tender)) as state:
            phase = state.phase
        facts = ports.office.ledger.stream(stream_of(str(tender)))
        shown = (
            _entry(fact, stamp)
            for fact, stamp in facts
            if stamp.index > after and is_public(fact, phase)
        )
        return list(islice(shown, limit))

    @get("/tenders/{tender:uuid}/records/{kind:str}", name="records", sync_to_thread=True)
    def records(
        self,
        tender: FromPath[UUID],
        kind: Annotated[str, PathParameter(pattern="^(panel|award|objections|contract|papers)$")],
        ports: Here,
    ) -> list[Entry]:
        """What else the ledger holds of a tender, as far as it may be read now."""
        with ports.office.live.held(str(tender)) as state:
            phase = state.phase
        facts = ports.office.ledger.stream(f"{kind}:{tender}")
        return [_entry(fact, stamp) for fact, stamp in facts if is_shown(fact, phase)]

    @get(
        "/tenders/{tender:uuid}/invitations/{stage:int}",
        name="invitation",
        media_type=_TEXT,
        sync_to_thread=True,
    )
    def invitation(
        self, tender: FromPath[UUID], stage: Annotated[int, PathParameter(ge=1, le=2)], ports: Here
    ) -> Response[str]:
        """What bidders seal by: the proof that the committee's ceremony stands in the ledger."""
        text = ports.desks.bidder.invitation(TenderId(str(tender)), stage)
        return Response(text, media_type=_TEXT)

    @get("/deadlines", name="deadlines", sync_to_thread=True)
    def deadlines(self, ports: Here, wanted: FromQuery[datetime | None] = None) -> Crowd:
        """错峰: hours with many deadlines, and the next one with room."""
        crowd, now = ports.lists.deadlines(), ports.office.clock.read().at
        if wanted:
            check_moment(wanted, "错峰")
        free = free_hour(crowd, wanted or now, ports.deadline_limit, ports.office.calendar)
        full = {hour: count for hour, count in crowd.items() if hour >= hour_of(now)}
        return Crowd(ports.deadline_limit, full, free)


def _entry(fact: Fact, stamp: Stamp) -> Entry:
    raw = msgspec.Raw(msgspec.json.encode(fact))
    return Entry(stamp.index, stamp.at, stamp.actor, raw)


def _view(state: Tender) -> View:
    draft = state.drafted
    answers = {question: fact.text for question, (fact, _) in state.answers.items()}
    return View(
        id=state.id,
        number=draft.number,
        title=draft.title,
        buyer=draft.buyer,
        procedure=draft.procedure,
        method=draft.method,
        phase=state.phase.value,
        height=state.height if state.phase not in (Phase.DRAFT, Phase.BIDDING) else 0,
        is_suspended=state.suspended_at is not None,
        is_rehearsal=draft.pace.is_rehearsal,
        currency=draft.currency,
        lots=draft.lots,
        stages=draft.stages,
        committees={stage: seat.kid.hex() for stage, seat in state.seats.items()},
        token_key=draft.token_key,
        outage_rule=draft.outage_rule,
        published_at=state.published_at,
        deadline=state.deadline,
        documents_until=state.documents_until,
        corrections=[Correction(fact.text, at, fact.deadline) for fact, at in state.corrections],
        questions=[
            Question(fact.question, fact.text, answers.get(fact.question, ""))
            for fact in state.questions.values()
        ],
        opened=[
            Opened(b.eid, b.lot, b.stage, b.bidder_id, b.bidder_name, b.price, b.currency)
            for b in state.opened.values()
        ],
        ranking=state.recommended.ranking if state.recommended else (),
        publicity_until=state.publicity.until if state.publicity else None,
        contracts={lot: fact.number for lot, fact in state.contracts.items()},
    )
