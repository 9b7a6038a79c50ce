"""The access matrix cell by cell."""

import re
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from builders import ABid
from cells import COLUMNS, NOBODY, Ask, Cell, act, get, post
from edge import (
    COKEY,
    COVERS,
    SALTS,
    Kind,
    TestEdge,
    a_draft,
    an_expert,
    chunk_headers,
    entry_facts,
    tag_of,
)
from elsewhere import ELSEWHERE
from litestar import Litestar
from litestar import get as route

from trading.envelope.layout import Prefix
from trading.envelope.seal import BidKey, withdrawal_message
from trading.envelope.token import blind
from trading.kernel.ids import PartyId
from trading.kernel.party import Actor, Role
from trading.ledger.signature import ActorKey
from trading.tender import MACHINE, Phase
from web import assets
from web.access import MATRIX, Row, allow, check_complete, handlers
from web.auth import authenticate
from web.client import act_id

FAR_APART = (Phase.DRAFT, Phase.OPENED, Phase.COMPLETE)  # where acts elsewhere are tried
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


def _admit(cell: Cell) -> Ask:
    """Somebody new each time."""
    return Ask("POST", "/v1/experts", an_expert(cell.edge.centre.ledger.size()))


def _publish(cell: Cell) -> Ask:
    now = cell.edge.centre.clock.at.replace(microsecond=0)
    deadline = now + timedelta(seconds=3)
    return act("/publication", deadline=deadline, documents_until=deadline)(cell)


def _correct(cell: Cell) -> Ask:
    deadline = cell.story.state.deadline or cell.edge.centre.clock.at
    return act("/corrections", text="更正", deadline=deadline + timedelta(seconds=1))(cell)


def _answer(cell: Cell) -> Ask:
    state = cell.story.state
    open_ones = [name for name in state.questions if name not in state.answers]
    return act("/answers", question=(open_ones or ["none"])[0], text="答复")(cell)


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
        return act("/withdrawals", eid=NOBODY, signature="")(cell)
    received = next(iter(cell.story.state.received.values()))
    message = withdrawal_message(received.prefix, received.prefix.header.seq)
    signature = cell.bid.key.sign(message).hex()
    return act("/withdrawals", eid=received.eid, signature=signature)(cell)


def _reveal(cell: Cell) -> Ask:
    bids = cell.story.state.final(cell.story.wanted.stages[-1])
    left = [bid.eid for bid in bids if bid.eid not in cell.story.state.cokeys]
    return post("/cokeys", eid=(left or [NOBODY])[0], cokey=COKEY.hex())(cell)


def _take_tokens(cell: Cell) -> Ask:
    key = cell.story.wanted.token_key
    blinded = blind(bytes.fromhex(key)).blinded if key else b"\0" + secrets.token_bytes(255)
    return post("/tokens", blinded=blinded)(cell)


def _reveal_covers(cell: Cell) -> Ask:
    salt = SALTS.get(cell.party, NOBODY)
    return act("/cover-revelations", salt=salt, keys=COVERS)(cell)


def _award(cell: Cell) -> Ask:
    recommended = cell.story.state.recommended
    first = [c.eid for c in recommended.ranking if c.rank == 1] if recommended else [NOBODY]
    return act("/awards", awards=[{"lot": 1, "eid": first[0]}])(cell)


def _publish_candidates(cell: Cell) -> Ask:
    until = cell.edge.centre.clock.at + timedelta(days=1)
    return act("/publicity", until=until)(cell)


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
    "healthz": get("/healthz"),
    "readyz": get("/readyz"),
    "metrics": get("/metrics"),
    "api_reference": get("/docs"),
    "viewer": get("/static/vendor/scalar.js"),
    "checkpoint": get("/checkpoint"),
    "tile": get("/tile/0/000.p/2"),
    "feed": get("/v1/feed?cursor=1&limit=5"),
    "consistency": get("/v1/consistency?old=1&new=2"),
    "policy": get("/v1/policy"),
    "charter": get("/v1/charter"),
    "act": _known_act(""),
    "receipt": _known_act("/receipt"),
    "party": get("/v1/parties/owner"),
    "enrol": _enrol,
    "tenders": get("/v1/tenders?limit=5"),
    "tender": get("TENDER"),
    "entries": get("TENDER/entries?height=1"),
    "invitation": get("TENDER/invitations/2"),
    "records": get("TENDER/records/panel"),
    "deadlines": get("/v1/deadlines"),
    "draft": _draft,
    "form_committee": post("/committees", stage=2, threshold=3),
    "publish": _publish,
    "correct": _correct,
    "answer": _answer,
    "cancel": act("/cancellation", ground="项目取消"),
    "ask": post("/questions", text="何时踏勘？"),
    "promise_covers": act("/cover-promises", digest="c" * 64),
    "reveal_covers": _reveal_covers,
    "take_tokens": _take_tokens,
    "create_upload": lambda cell: Ask(
        "POST", f"{cell.path}/uploads", headers={"Upload-Length": "1000"}
    ),
    "upload_options": get("/v1/uploads", "OPTIONS"),
    "upload_offset": partial(_upload, method="HEAD"),
    "append_upload": partial(_upload, method="PATCH", content=b"KFE1", headers=chunk_headers(0)),
    "drop_upload": partial(_upload, method="DELETE"),
    "seal": _seal,
    "withdraw": _withdraw,
    "bid": get(f"TENDER/bids/{NOBODY}"),
    "reveal": _reveal,
    "close": lambda cell: Ask("POST", f"{cell.path}/closing"),
    "end_cokey_window": _stage("cokey-window-end"),
    "open": _stage("opening"),
    "recommend": act("/recommendation"),
    "publish_candidates": _publish_candidates,
    "award": _award,
    "send_notice": act("/award-notice"),
    "sign_contract": act("/contracts", lot=1, document=b"%PDF"),
    **ELSEWHERE,
    "admit_expert": _admit,
    "ask_suspension": act("/suspension-request", ground="停电"),
    "suspend": act("/suspension"),
    "ask_resumption": act("/resumption-request", ground="来电"),
    "resume": act("/resumption"),
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
    elif cell.operation in ELSEWHERE:
        is_refused, wanted = _elsewhere(cell, row, status)
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


def _elsewhere(cell: Cell, row: Row, status: int) -> tuple[bool, set[int]]:
    """Whether it is refused, and what may be answered."""
    refused = {403, 404, 409, 422}
    if row.own and not cell.is_own:
        return True, refused
    return status >= 400, refused | {200, 201, 204}


def _mark(cell: Cell, written: list[tuple[str, str]], *, is_refused: bool) -> str:
    """What was written should not have been, or is not what was."""
    if is_refused and cell.operation == "seal":  # that it was refused may be kept
        written = [item for item in written if not item[0].startswith("refusals:")]
    fact = cell.leads_to
    if cell.operation in ELSEWHERE and fact is None:
        return f"written: {written}" if written and is_refused else ""
    if is_refused or cell.operation in SILENT or (fact is None and cell.operation != "enrol"):
        return f"written: {written}" if written else ""
    tag = tag_of(fact) if fact else "party.enrolled/1"
    return "" if tag in [kind for _, kind in written] else f"{tag} is not among {written}"


def _tried(tenders: Tenders, operation: str, party: str, *, is_own: bool = True) -> str:
    """What is wrong with the cell, or an empty string."""
    cell = tenders.cell(operation, party, is_own=is_own)
    ask, size = REQUESTS[operation](cell), cell.edge.centre.ledger.size()
    answer = _send(cell, ask)
    written = entry_facts(cell.edge, size)
    problem = _problem(cell, answer, written)
    if written:
        tenders.changed(cell)
    return f"{cell}: {problem}" if problem else ""


@pytest.mark.parametrize("phase", Phase)
def test_every_cell_of_the_matrix(phase: Phase, edge: TestEdge) -> None:
    assert REQUESTS.keys() == MATRIX.keys()
    tenders = Tenders(edge, phase)
    due = [name for name in REQUESTS if name not in ELSEWHERE or phase in FAR_APART]
    tried = [
        _tried(tenders, operation, party, is_own=is_own)
        for operation, party, is_own in product(due, COLUMNS, (True, False))
    ]
    assert len(tried) == len(due) * len(COLUMNS) * 2
    assert set(MATRIX) - set(due) == (set() if phase in FAR_APART else set(ELSEWHERE))
    assert not any(tried), "\n".join(filter(None, tried))


@pytest.mark.parametrize(
    ("operation", "party", "phase"),
    [
        ("enrol", "bidder", Phase.BIDDING),
        ("take_tokens", "inspector", Phase.BIDDING),
        ("close", "purchaser", Phase.BIDDING),
        ("open", "experts", Phase.SEALED),
        ("end_cokey_window", "witness", Phase.SEALED),
    ],
)
def test_with_its_guard_taken_away_a_cell_is_wrong(
    operation: str, party: str, phase: Phase, edge: TestEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each of these nobody but the guard refuses, and without it they are done."""
    tenders = Tenders(edge, phase)
    assert _tried(tenders, operation, party) == ""
    monkeypatch.setattr(allow, "__code__", (lambda connection, handler: None).__code__)
    wrong = _tried(tenders, operation, party)
    assert re.fullmatch(rf"{operation} by {party}, .*: 20[01] .*, wanted \[403\]", wrong), wrong


# -- the guards -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["backdoor", None])
def test_a_route_without_a_row_does_not_start(name: str | None) -> None:
    @route("/backdoor", name=name, sync_to_thread=False)
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
