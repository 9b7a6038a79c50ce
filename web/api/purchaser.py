"""招标人·代理窗口: draft, committee, publication, corrections, answers, cancellation."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.params import FromPath, JSONBody

from trading.committee import Charter
from trading.facts.committee import CommitteeFormed
from trading.facts.rubric import Item
from trading.facts.tender import Lot, OutageRule, TenderDrafted
from trading.kernel.calendar import Pace, check_moment
from trading.kernel.errors import DeadlineCrowded, RoleMissing
from trading.kernel.ids import TenderId
from trading.phase import MACHINE
from web.access import allow
from web.api.bodies import Body, Calls, Here, Name, Number, SignedBody, Text, answered
from web.auth import actor, authenticate
from web.deadlines import free_hour, hour_of
from web.ports import Ports

__all__ = ["PurchaserController"]

Answer = dict[str, object]
Fen = Annotated[int, msgspec.Meta(ge=0, le=10**17)]
Stages = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1, le=2)], ...], msgspec.Meta(min_length=1, max_length=2)
]
Values = Annotated[tuple[Name, ...], msgspec.Meta(max_length=1000)]
Pairs = Annotated[dict[str, str], msgspec.Meta(max_length=100)]


class LotBody(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    number: Number
    title: Name
    ceiling: Fen | None = None
    estimate: Fen | None = None


class Draft(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields of `tender.drafted/1`. The token key is the centre's: left out, none is used."""

    tender: UUID
    number: Name
    title: Name
    buyer: Name
    buyer_id: Name
    procedure: Name
    method: Name
    lots: Annotated[tuple[LotBody, ...], msgspec.Meta(max_length=1000)]
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] = "CNY"
    stages: Stages = (2,)
    parameters: Pairs = msgspec.field(default_factory=dict)
    invited: Annotated[tuple[Name, ...], msgspec.Meta(max_length=1000)] = ()
    cokey: bool = False
    cokey_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 30
    panel: Annotated[str, msgspec.Meta(max_length=200)] = ""
    state_funded: bool = True
    authorities: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$", max_length=20_000)], ...],
        msgspec.Meta(max_length=50),
    ] = ()
    day_millis: Annotated[int, msgspec.Meta(ge=1, le=86_400_000)] = 86_400_000
    with_tokens: bool = True
    rubric: Annotated[tuple[Item, ...], msgspec.Meta(max_length=500)] = ()
    low_price: Pairs = msgspec.field(default_factory=dict)
    award: Annotated[str, msgspec.Meta(max_length=60)] = ""
    drawn: Annotated[dict[str, Values], msgspec.Meta(max_length=20)] = msgspec.field(
        default_factory=dict
    )
    panel_size: Annotated[int, msgspec.Meta(ge=0, le=99)] = 0
    minor_deviations: Annotated[int, msgspec.Meta(ge=0, le=500)] = 0


class FormCommittee(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    stage: Annotated[int, msgspec.Meta(ge=1, le=2)]
    threshold: Annotated[int, msgspec.Meta(ge=1, le=100)]


class Publish(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    deadline: datetime
    documents_until: datetime


class Correct(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: Text
    deadline: datetime | None = None


class AnswerQuestion(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    question: Annotated[str, msgspec.Meta(max_length=64)]
    text: Text


class Cancel(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    ground: Text


class PurchaserController(Controller):
    path = "/v1/tenders"
    tags = ("招标人 purchaser",)
    guards = (authenticate, allow)

    @post("/", name="draft", sync_to_thread=True)
    def draft(self, data: JSONBody[Draft], ports: Here, request: Calls) -> Answer:
        """拟制: a new tender under an id of the caller's; UUIDs are not reused."""
        wanted = _drafted(data, ports)
        return answered(ports.desks.purchaser.draft(actor(request, data), wanted))

    @post("/{tender:uuid}/committees", name="form_committee", sync_to_thread=True)
    def form_committee(
        self, tender: FromPath[UUID], data: JSONBody[FormCommittee], ports: Here, request: Calls
    ) -> Answer:
        """密钥仪式: the trustees make the key of one stage, in their own time."""
        name = TenderId(str(tender))
        _check_owner(ports, name, request.scope["user"].party)
        charter = Charter.parse(ports.charter)
        formed = ports.desks.ceremony.form(
            name, data.stage, data.threshold, ports.trustees, charter
        )
        return answered(ports.desks.purchaser.form_committee(name, formed))

    @post("/{tender:uuid}/publication", name="publish", sync_to_thread=True)
    def publish(
        self, tender: FromPath[UUID], data: JSONBody[Publish], ports: Here, request: Calls
    ) -> Answer:
        """发布, with the periods of the law, in an hour that is not crowded."""
        _check_crowd(ports, data.deadline)
        state = ports.desks.purchaser.publish(
            actor(request, data), TenderId(str(tender)), data.deadline, data.documents_until
        )
        return answered(state)

    @post("/{tender:uuid}/corrections", name="correct", sync_to_thread=True)
    def correct(
        self, tender: FromPath[UUID], data: JSONBody[Correct], ports: Here, request: Calls
    ) -> Answer:
        """更正: the deadline only ever moves later."""
        if data.deadline:
            _check_crowd(ports, data.deadline, ports.office.load(TenderId(str(tender))).deadline)
        state = ports.desks.purchaser.correct(
            actor(request, data), TenderId(str(tender)), data.text, data.deadline
        )
        return answered(state)

    @post("/{tender:uuid}/answers", name="answer", sync_to_thread=True)
    def answer(
        self, tender: FromPath[UUID], data: JSONBody[AnswerQuestion], ports: Here, request: Calls
    ) -> Answer:
        """答疑, to everyone."""
        state = ports.desks.purchaser.answer(
            actor(request, data), TenderId(str(tender)), data.question, data.text
        )
        return answered(state)

    @post("/{tender:uuid}/cancellation", name="cancel", sync_to_thread=True)
    def cancel(
        self, tender: FromPath[UUID], data: JSONBody[Cancel], ports: Here, request: Calls
    ) -> Answer:
        """终止."""
        owner = actor(request, data)
        return answered(ports.desks.purchaser.cancel(owner, TenderId(str(tender)), data.ground))


def _check_owner(ports: Ports, tender: TenderId, party: str) -> None:
    """The ceremony's record is the platform's own entry: who asked for it is checked here."""
    with ports.office.live.held(tender) as state:
        if state.owner != party:
            raise RoleMissing(party=party, fact=CommitteeFormed.__name__, roles=state.owner)
        MACHINE.after(state.phase, CommitteeFormed)  # before five institutions are troubled


def _drafted(data: JSONBody[Draft], ports: Ports) -> TenderDrafted:
    given = msgspec.structs.asdict(data)
    lots = tuple(Lot(**msgspec.structs.asdict(lot)) for lot in given.pop("lots"))
    pace, with_tokens = Pace(given.pop("day_millis")), given.pop("with_tokens")
    for name in ("id", "sig"):
        given.pop(name)
    tender = str(given.pop("tender"))
    key = ports.issuers.of(tender).public.hex() if with_tokens else ""
    return TenderDrafted(
        **given, tender=tender, lots=lots, pace=pace, token_key=key, outage_rule=OutageRule()
    )


def _check_crowd(ports: Ports, deadline: datetime, current: datetime | None = None) -> None:
    """DeadlineCrowded with the next free hour; a cap on purpose, so that no minute is too full.
    Within the hour of its `current` deadline a tender takes nobody's place.
    """
    check_moment(deadline, "截标时间")
    if current and hour_of(current) == hour_of(deadline):
        return
    crowd = ports.lists.deadlines()
    count = crowd.get(hour_of(deadline), 0)
    if count >= ports.deadline_limit:
        free = free_hour(crowd, deadline, ports.deadline_limit, ports.office.calendar)
        raise DeadlineCrowded(moment=deadline, count=count, limit=ports.deadline_limit, free=free)
