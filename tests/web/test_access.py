"""The access matrix cell by cell, and what a request's signature is worth."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from builders import ABid, AStory
from database import Server
from edge import (
    ANYONE,
    COKEY,
    COVERS,
    SALTS,
    URL,
    Kind,
    TestEdge,
    a_draft,
    check_form,
    chunk_headers,
    entry_facts,
    tag_of,
)
from litestar import Litestar, get

from trading.envelope.layout import Prefix
from trading.envelope.seal import BidKey, withdrawal_message
from trading.envelope.token import blind
from trading.facts.bidding import EnvelopeReceived
from trading.facts.opening import CokeyMissing
from trading.kernel.errors import RequestReplayed
from trading.kernel.ids import PartyId
from trading.kernel.party import Actor, Role
from trading.ledger.committer import GroupLedger
from trading.ledger.fact import Fact
from trading.ledger.signature import ActorKey
from trading.ledger.store_postgres import PostgresStore
from trading.tender import MACHINE, Phase
from web import assets
from web.access import MATRIX, allow, check_complete, handlers
from web.auth import authenticate
from web.client import act_id
from web.parties import Parties
from web.signing import Message, check_signature

NOBODY = "0" * 64
COLUMNS: dict[str, Role | None] = {  # the party that acts in each role
    "purchaser": Role.PURCHASER,
    "agency": Role.AGENCY,
    "experts": Role.PANEL,
    "bidder": Role.BIDDER,
    "inspector": Role.INSPECTOR,
    "platform": Role.PLATFORM,
    "trustee": Role.TRUSTEE,
    "witness": Role.WITNESS,
    ANYONE: None,
}
# What an operation leads to where its row names no fact, because it writes several or none itself.
LEADS_TO: dict[str, type[Fact]] = {
    "create_upload": EnvelopeReceived,
    "end_cokey_window": CokeyMissing,
}
SILENT = {"create_upload"}  # led by a phase, but nothing of it goes into the ledger
IDLE = {"end_cokey_window"}  # where there is nothing to end, it says so and does nothing
HASTY = {"award", "sign_contract"}  # must follow within days of the law


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[TestEdge]:
    made = TestEdge(tmp_path)
    made.centre.publisher.publish()
    yield made
    made.centre.verify_everything()
    made.close()


class Cell(msgspec.Struct):
    """One square of the matrix; `bid` is what the tender's bidder keeps, if that matters."""

    edge: TestEdge
    operation: str
    party: str
    phase: Phase
    is_own: bool
    story: AStory
    made: datetime
    bid: ABid | None = None

    def __str__(self) -> str:
        whose = "own" if self.is_own else "another's"
        return f"{self.operation} by {self.party or 'anyone'}, {self.phase}, {whose}"

    @property
    def path(self) -> str:
        return f"/v1/tenders/{self.story.tender}"

    @property
    def leads_to(self) -> type[Fact] | None:
        return MATRIX[self.operation].fact or LEADS_TO.get(self.operation)

    @property
    def may(self) -> bool:
        """Whether the machine has a row for what the operation leads to."""
        if self.operation == "draft":
            return self.phase is Phase.DRAFT and self.is_own
        return self.leads_to is None or self.leads_to in MACHINE.may(self.phase)


class Ask(msgspec.Struct):
    """A request with all it needs to be right; `signer` signs the act where it is not the party."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    content: bytes | None = None
    signer: Actor | None = None


def _post(path: str, **body: Any) -> Callable[[Cell], Ask]:
    return lambda cell: Ask("POST", f"{cell.path}{path}", body)


def _act(path: str, **body: Any) -> Callable[[Cell], Ask]:
    return lambda cell: Ask("POST", f"{cell.path}{path}", {"id": act_id(), **body})


def _get(path: str, method: str = "GET") -> Callable[[Cell], Ask]:
    return lambda cell: Ask(method, path.replace("TENDER", cell.path))


def _draft(cell: Cell) -> Ask:
    """A tender that exists, but for the one cell where there is nothing before it."""
    tender = act_id() if cell.may else str(cell.story.tender)
    return Ask("POST", "/v1/tenders", a_draft(tender=tender))


def _enrol(_: Cell) -> Ask:
    newcomer = Actor(PartyId(act_id()), frozenset({Role.BIDDER}), ActorKey.generate())
    fields = {
        "party": newcomer.party,
        "name": "新来的公司",
        "roles": ["bidder"],
        "key": newcomer.key.public.hex(),
    }
    return Ask("POST", "/v1/parties", {"id": act_id(), **fields}, signer=newcomer)


def _publish(cell: Cell) -> Ask:
    now = cell.edge.centre.clock.at.replace(microsecond=0)
    deadline = now + timedelta(seconds=3)
    return _act("/publication", deadline=deadline, documents_until=deadline)(cell)


def _correct(cell: Cell) -> Ask:
    deadline = cell.story.state.deadline or cell.edge.centre.clock.at
    return _act("/corrections", text="更正", deadline=deadline + timedelta(seconds=1))(cell)


def _answer(cell: Cell) -> Ask:
    state = cell.story.state
    open_ones = [name for name in state.questions if name not in state.answers]
    return _act("/answers", question=(open_ones or ["none"])[0], text="答复")(cell)


def _upload(cell: Cell, method: str, **content: Any) -> Ask:
    upload = cell.edge.ports.uploads.create(str(cell.story.tender), 1000, b"", act_id())
    return Ask(method, f"/v1/uploads/{upload.id}", **content)


def _seal(cell: Cell) -> Ask:
    """Its bytes are stored already: nothing but the seal itself is in question."""
    envelope = ABid("91330", 9_000_000).seal(cell.story.state)
    prefix = envelope[:418]
    cell.edge.centre.objects.put(Prefix.parse(prefix).eid, [envelope])
    return Ask("POST", f"{cell.path}/seals", {"id": act_id(), "envelope": prefix, "token": b""})


def _withdraw(cell: Cell) -> Ask:
    if cell.bid is None:
        return _act("/withdrawals", eid=NOBODY, signature="")(cell)
    received = next(iter(cell.story.state.received.values()))
    message = withdrawal_message(received.prefix, received.prefix.header.seq)
    signature = cell.bid.key.sign(message).hex()
    return _act("/withdrawals", eid=received.eid, signature=signature)(cell)


def _reveal(cell: Cell) -> Ask:
    bids = cell.story.state.final(cell.story.wanted.stages[-1])
    left = [bid.eid for bid in bids if bid.eid not in cell.story.state.cokeys]
    return _post("/cokeys", eid=(left or [NOBODY])[0], cokey=COKEY.hex())(cell)


def _take_tokens(cell: Cell) -> Ask:
    key = cell.story.wanted.token_key
    blinded = blind(bytes.fromhex(key)).blinded if key else b"\0" + secrets.token_bytes(255)
    return _post("/tokens", blinded=blinded)(cell)


def _reveal_covers(cell: Cell) -> Ask:
    salt = SALTS.get(cell.party, NOBODY)
    return _act("/cover-revelations", salt=salt, keys=COVERS)(cell)


def _award(cell: Cell) -> Ask:
    recommended = cell.story.state.recommended
    first = [c.eid for c in recommended.ranking if c.rank == 1] if recommended else [NOBODY]
    return _act("/awards", awards=[{"lot": 1, "eid": first[0]}])(cell)


def _publish_candidates(cell: Cell) -> Ask:
    until = cell.edge.centre.clock.at + timedelta(days=1)
    return _act("/publicity", until=until)(cell)


def _stage(path: str) -> Callable[[Cell], Ask]:
    """Of the last stage, which is the one that leads to the fact."""
    return lambda cell: Ask("POST", f"{cell.path}/stages/{cell.story.wanted.stages[-1]}/{path}")


def _known_act(suffix: str) -> Callable[[Cell], Ask]:
    def ask(cell: Cell) -> Ask:
        record = next(cell.edge.centre.ledger.records(0, 1))
        key = msgspec.json.decode(record.raw)["id"]
        return Ask("GET", f"/v1/acts/{key}{suffix}")

    return ask


REQUESTS: dict[str, Callable[[Cell], Ask]] = {
    "healthz": _get("/healthz"),
    "readyz": _get("/readyz"),
    "metrics": _get("/metrics"),
    "api_reference": _get("/docs"),
    "viewer": _get("/static/vendor/scalar.js"),
    "checkpoint": _get("/checkpoint"),
    "tile": _get("/tile/0/000.p/2"),
    "feed": _get("/v1/feed?cursor=1&limit=5"),
    "consistency": _get("/v1/consistency?old=1&new=2"),
    "policy": _get("/v1/policy"),
    "charter": _get("/v1/charter"),
    "act": _known_act(""),
    "receipt": _known_act("/receipt"),
    "party": _get("/v1/parties/owner"),
    "enrol": _enrol,
    "tenders": _get("/v1/tenders?limit=5"),
    "tender": _get("TENDER"),
    "entries": _get("TENDER/entries?height=1"),
    "invitation": _get("TENDER/invitations/2"),
    "deadlines": _get("/v1/deadlines"),
    "draft": _draft,
    "form_committee": _post("/committees", stage=2, threshold=3),
    "publish": _publish,
    "correct": _correct,
    "answer": _answer,
    "cancel": _act("/cancellation", ground="项目取消"),
    "ask": _post("/questions", text="何时踏勘？"),
    "promise_covers": _act("/cover-promises", digest="c" * 64),
    "reveal_covers": _reveal_covers,
    "take_tokens": _take_tokens,
    "create_upload": lambda cell: Ask(
        "POST", f"{cell.path}/uploads", headers={"Upload-Length": "1000"}
    ),
    "upload_options": _get("/v1/uploads", "OPTIONS"),
    "upload_offset": partial(_upload, method="HEAD"),
    "append_upload": partial(_upload, method="PATCH", content=b"KFE1", headers=chunk_headers(0)),
    "drop_upload": partial(_upload, method="DELETE"),
    "seal": _seal,
    "withdraw": _withdraw,
    "bid": _get(f"TENDER/bids/{NOBODY}"),
    "reveal": _reveal,
    "close": lambda cell: Ask("POST", f"{cell.path}/closing"),
    "end_cokey_window": _stage("cokey-window-end"),
    "open": _stage("opening"),
    "recommend": _act("/recommendation"),
    "publish_candidates": _publish_candidates,
    "award": _award,
    "send_notice": _act("/award-notice"),
    "sign_contract": _act("/contracts", lot=1, document=b"%PDF"),
    "ask_suspension": _act("/suspension-request", ground="停电"),
    "suspend": _act("/suspension"),
    "ask_resumption": _act("/resumption-request", ground="来电"),
    "resume": _act("/resumption"),
}


class Tenders:
    """Tenders in one phase, each used until a request has changed it."""

    def __init__(self, edge: TestEdge, phase: Phase) -> None:
        self._edge, self._phase = edge, phase
        self._known: dict[tuple[str, Kind], Cell] = {}

    def cell(self, operation: str, party: str, *, is_own: bool) -> Cell:
        kind = self._kind(operation, party, is_own=is_own)
        fact = MATRIX[operation].fact
        is_special = operation in {*PREPARED, *HASTY} and fact in MACHINE.may(self._phase)
        step = operation if is_special else ""
        cell = self._known.get((step, kind))
        if cell is None or self._is_over(step, party, cell):
            story = self._edge.tender(self._phase, kind)
            now = self._edge.centre.clock.at
            cell = Cell(self._edge, operation, party, self._phase, is_own, story, now)
            if step in PREPARED:
                PREPARED[step](cell)
            self._known[step, kind] = cell
        return msgspec.structs.replace(cell, operation=operation, party=party, is_own=is_own)

    def changed(self, cell: Cell) -> None:
        self._known = {key: kept for key, kept in self._known.items() if kept.story != cell.story}

    def _is_over(self, step: str, party: str, cell: Cell) -> bool:
        """The clock went on for another tender's sake, and a period of this one has ended."""
        now, deadline = self._edge.centre.clock.at, cell.story.state.deadline
        if self._phase is Phase.BIDDING and deadline and step != "close":
            return deadline - now < timedelta(seconds=1)
        matters = step in HASTY and COLUMNS[party] in MATRIX[step].roles
        return matters and now - cell.made > timedelta(milliseconds=200)

    def _kind(self, operation: str, party: str, *, is_own: bool) -> Kind:
        phase = self._phase
        owner = "agency" if party == "agency" else "purchaser"
        return Kind(
            owner=owner if is_own else "other-purchaser",
            panel="experts" if is_own else "other-experts",
            stages=(1, 2) if phase is Phase.TECHNICAL else (2,),
            procedure="open-procurement"  # the one kind of law that knows no publicity
            if (operation, phase) == ("award", Phase.RECOMMENDED)
            else "open-tender",
            cokey=operation in ("reveal", "end_cokey_window")
            and phase in (Phase.SEALED, Phase.TECHNICAL),
            tokens=(operation, phase) == ("take_tokens", Phase.BIDDING),
            formed=(operation, phase) != ("form_committee", Phase.DRAFT),
            covered=(operation, phase) == ("reveal_covers", Phase.SEALED),
        )


def _asked(cell: Cell) -> None:
    cell.edge.centre.purchaser.ask(cell.story.tender, "何时踏勘？")


def _bid(cell: Cell) -> None:
    cell.bid = ABid("91331", 9_500_000, key=BidKey())
    cell.story.hand_in(cell.bid)


PREPARED: dict[str, Callable[[Cell], None]] = {
    "answer": _asked,
    "withdraw": _bid,
    "close": lambda cell: cell.edge.pass_deadline(cell.story),
    "suspend": lambda cell: cell.edge.suspend(cell.story, steps=1),
    "ask_resumption": lambda cell: cell.edge.suspend(cell.story, steps=2),
    "resume": lambda cell: cell.edge.suspend(cell.story, steps=3),
}


def _send(cell: Cell, ask: Ask) -> httpx.Response:
    if ask.body is not None:
        return cell.edge.act(cell.party, ask.path, ask.body, ask.signer)
    return cell.edge.send(
        cell.party, ask.method, ask.path, content=ask.content, headers=ask.headers
    )


def _problem(cell: Cell, answer: httpx.Response, written: list[tuple[str, str]]) -> str:
    """What is wrong with the answer, or an empty string."""
    row, role = MATRIX[cell.operation], COLUMNS[cell.party]
    status, is_refused = answer.status_code, False
    if row.roles and role not in row.roles:
        is_refused, wanted = True, {403 if role else 401}
    elif row.own and not cell.is_own:
        is_refused, wanted = True, {403} if cell.may else {403, 404, 409, 422}
    elif not cell.may and cell.operation in IDLE:
        is_refused, wanted = True, {200, 409}
    elif not cell.may:
        is_refused, wanted = True, {404, 409, 422}
    elif cell.operation == "viewer" and not assets.VIEWER.exists():
        wanted = {404}
    else:
        wanted = {200, 201, 204}
    if status not in wanted:
        return f"{status} {answer.text[:120]}, wanted {sorted(wanted)}"
    if status >= 400 and "code" not in answer.text and cell.operation != "viewer":
        return f"{status} without a code"
    return _mark(cell, written, is_refused=is_refused)


def _mark(cell: Cell, written: list[tuple[str, str]], *, is_refused: bool) -> str:
    """What was written should not have been, or is not what was."""
    if is_refused and cell.operation == "seal":  # that it was refused may be kept
        written = [item for item in written if not item[0].startswith("refusals:")]
    fact = cell.leads_to
    if is_refused or cell.operation in SILENT or (fact is None and cell.operation != "enrol"):
        return f"written: {written}" if written else ""
    tag = tag_of(fact) if fact else "party.enrolled/1"
    return "" if tag in [kind for _, kind in written] else f"{tag} is not among {written}"


@pytest.mark.parametrize("phase", Phase)
def test_every_cell_of_the_matrix(phase: Phase, edge: TestEdge) -> None:
    assert REQUESTS.keys() == MATRIX.keys()
    tenders, executed, wrong = Tenders(edge, phase), 0, []
    for operation, party, is_own in product(REQUESTS, COLUMNS, (True, False)):
        cell = tenders.cell(operation, party, is_own=is_own)
        ask, size = REQUESTS[operation](cell), edge.centre.ledger.size()
        answer = _send(cell, ask)
        written = entry_facts(edge, size)
        problem = _problem(cell, answer, written)
        wrong += [f"{cell}: {problem}"] if problem else []
        if written:
            tenders.changed(cell)
        executed += 1
    assert executed == len(MATRIX) * len(COLUMNS) * 2
    assert not wrong, "\n".join(wrong)


# -- the guards -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["backdoor", None])
def test_a_route_without_a_row_does_not_start(name: str | None) -> None:
    @get("/backdoor", name=name, sync_to_thread=False)
    def backdoor() -> str:
        return ""

    with pytest.raises(TypeError, match=f"no row for \\['{name}'\\], no route for .*'healthz'"):
        check_complete(Litestar([backdoor]))


def test_operations_with_roles_stand_behind_both_guards_and_the_others_behind_none(
    edge: TestEdge,
) -> None:
    found = {str(h.name): h.resolve_guards() for h in handlers(edge.bare_app())}
    assert found.keys() == MATRIX.keys()
    for operation, row in MATRIX.items():
        wanted = [authenticate, allow] if row.roles else []
        guards = [getattr(guard, "func", guard) for guard in found[operation]]
        assert guards == wanted, operation
        assert row.roles or not row.own, operation


def test_every_fact_that_only_some_may_record_is_behind_those_roles() -> None:
    """What the ledger would refuse anyway is refused at the door."""
    for operation, row in MATRIX.items():
        if row.fact and row.roles and row.fact.by != frozenset({Role.PLATFORM}):
            assert row.roles == row.fact.by, operation


# -- the signature of a request -------------------------------------------------------------------

CLOSING = f"/v1/tenders/{act_id()}/closing"  # no such tender: 404 for whoever is let in


def _altered(
    edge: TestEdge, method: str = "POST", path: str = f"{CLOSING}?a=1", content: bytes = b"{}"
) -> httpx.Request:
    """A rightly signed request, and then something else under the same signature."""
    signed = edge.signed("platform", httpx.Request("POST", f"{URL}{CLOSING}?a=1", content=b"{}"))
    return httpx.Request(method, f"{URL}{path}", headers=_without_length(signed), content=content)


def _without_length(request: httpx.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name != "content-length"}


def _status(edge: TestEdge, request: httpx.Request) -> tuple[int, str]:
    answer = edge.deliver([request])[0]
    return answer.status_code, str(answer.json().get("code"))


def test_a_rightly_signed_request_is_let_in(edge: TestEdge) -> None:
    assert _status(edge, edge.signed_as_platform(CLOSING)) == (404, "KF-106")
    assert _status(edge, edge.signed_as_platform(CLOSING, body=b"{}")) == (404, "KF-106")


def test_an_unsigned_request_is_not(edge: TestEdge) -> None:
    answer = edge.send(ANYONE, "POST", CLOSING)
    check_form(answer)
    assert (answer.status_code, answer.json()["code"]) == (401, "KF-121")


@pytest.mark.parametrize(
    "change",
    [
        {"content": b'{"id":"y"}'},
        {"path": f"/v1/tenders/{act_id()}/closing?a=1"},
        {"path": f"{CLOSING}?a=2"},
        {"path": f"{CLOSING}"},
        {"path": f"{CLOSING}/?a=1"},
        {"path": f"{CLOSING.replace('closing', '%63losing')}?a=1"},
        {"path": f"{CLOSING}?a=1&b=2"},
        {"path": f"{CLOSING.replace('closing', 'suspension')}?a=1"},
    ],
    ids=["body", "path", "query", "no query", "slash", "escape", "more query", "operation"],
)
def test_what_was_altered_is_refused(change: dict[str, Any], edge: TestEdge) -> None:
    assert _status(edge, _altered(edge, **change)) == (401, "KF-121")


def test_another_method_is_refused(edge: TestEdge) -> None:
    assert _status(edge, _altered(edge)) == (404, "KF-106")  # unaltered, it is let in
    for method in ("PATCH", "PUT", "DELETE"):
        assert edge.deliver([_altered(edge, method)])[0].status_code in (401, 405)
    # a path that two methods share, where only the signature tells them apart
    signed = edge.signed("purchaser", httpx.Request("GET", f"{URL}/v1/tenders"))
    posted = httpx.Request("POST", signed.url, headers=signed.headers)
    assert _status(edge, posted) == (401, "KF-121")


@pytest.mark.parametrize(
    "given",
    [
        {"created": timedelta(minutes=-6)},
        {"created": timedelta(minutes=6)},
        {"created": timedelta(days=-30)},
        {"expires": timedelta(minutes=-1)},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": "n" * 65},
        {"tag": "another"},
        {"tag": None},
        {"key_id": "nobody"},
        {"key_id": "bidder"},
        {"key_id": ""},
        {"covered": ("@method",)},
        {"covered": ("@method", "@authority", "@path")},
        {"covered": ()},
    ],
    ids=str,
)
def test_a_signature_that_does_not_say_all_is_refused(
    given: dict[str, Any], edge: TestEdge
) -> None:
    now = edge.centre.clock.at
    for name in ("created", "expires"):
        if name in given:
            given = {**given, name: now + given[name]}
    assert _status(edge, edge.signed_as_platform(CLOSING, **given))[0] == 401


def test_a_body_that_was_added_is_refused(edge: TestEdge) -> None:
    for covered in (None, b""):
        bare = edge.signed_as_platform(CLOSING, covers=covered)
        added = httpx.Request("POST", bare.url, headers=_without_length(bare), content=b"{}")
        assert _status(edge, added) == (401, "KF-121")


def test_another_key_cannot_sign_in_its_place(edge: TestEdge) -> None:
    for key in (edge.actors["bidder"].key, ActorKey.generate()):
        assert _status(edge, edge.signed_as_platform(CLOSING, key=key)) == (401, "KF-121")


def test_a_party_whose_enrolment_comes_late_is_known_at_once(edge: TestEdge) -> None:
    newcomer = edge.centre.actor("newcomer", Role.PLATFORM)
    edge.actors["newcomer"] = newcomer
    assert edge.send("newcomer", "POST", CLOSING).status_code == 404


def test_a_request_counts_once_here_in_a_second_application_and_after_a_restart(
    edge: TestEdge,
) -> None:
    request = edge.signed("platform", httpx.Request("POST", f"{URL}{CLOSING}"))
    assert _status(edge, request) == (404, "KF-106")
    assert _status(edge, request) == (401, "KF-122")
    second = edge.make_app()
    assert edge.deliver([request], second)[0].json()["code"] == "KF-122"
    edge.restart()
    assert _status(edge, request) == (401, "KF-122")


def test_of_many_copies_at_once_one_counts(edge: TestEdge) -> None:
    request = edge.signed("platform", httpx.Request("POST", f"{URL}{CLOSING}"))
    copies = [httpx.Request("POST", request.url, headers=request.headers) for _ in range(20)]
    codes = sorted(answer.json()["code"] for answer in edge.deliver(copies))
    assert codes == ["KF-106"] + 19 * ["KF-122"]


def test_a_request_counts_once_for_all_processes_on_one_database(
    edge: TestEdge, postgres: Server
) -> None:
    url, keys = postgres.database(), edge.centre.log_keys
    known = Parties(edge.centre.ledger).keys()
    with (
        GroupLedger(PostgresStore(url), keys, edge.centre.clock) as here,
        GroupLedger(PostgresStore(url), keys, edge.centre.clock) as there,
    ):
        request = edge.signed_as_platform(CLOSING)
        message = Message("POST", str(request.url), dict(request.headers))
        assert check_signature(message, b"", known, here, edge.centre.clock) == "platform"
        for ledger in (here, there):
            with pytest.raises(RequestReplayed):
                check_signature(message, b"", known, ledger, edge.centre.clock)
