"""The whole edge in one process: the real application in its wall, on the ports of a test's centre.

Requests are signed by real keys and dated by the real clock, so the centre's frozen clock starts
at the real time and days are short: a tender's whole life passes inside the signature's window.
"""

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import http_message_signatures as rfc9421
import httpx
import msgspec
import requests
import requests.auth
from builders import ABid, AStory
from centre import TestCentre
from http_message_signatures import algorithms
from litestar import Litestar
from litestar.types import ASGIApp

from trading.cover import covers_digest
from trading.desks.office import Office
from trading.envelope.token import TokenIssuer
from trading.facts.award import Awarded
from trading.kernel.calendar import Pace
from trading.kernel.canonical import canonical
from trading.kernel.database import open_database
from trading.kernel.errors import ActUnsigned, Overloaded
from trading.kernel.instant import SystemClock
from trading.kernel.party import Actor, Role, Signs
from trading.ledger.committer import GroupLedger
from trading.ledger.fact import Fact
from trading.ledger.follow import Following
from trading.ledger.publish import Publisher
from trading.ledger.store_sqlite import SqliteStore
from trading.tables import TenderList
from trading.tender import Phase
from web.access import handlers
from web.app import create_app, hot_ways
from web.client import act_id
from web.deadlines import hour_of
from web.edge import Edge
from web.feed import FeedPages
from web.parties import Parties
from web.ports import Desks, Health, Listed, Ports
from web.signing import TAG, Message, RequestSigner
from web.tiles import Tiles
from web.uploads import Uploads

__all__ = [
    "ANYONE",
    "COKEY",
    "COVERS",
    "JSON",
    "SALTS",
    "URL",
    "Kind",
    "SignedByAll",
    "TestEdge",
    "a_draft",
    "an_expert",
    "check_form",
    "chunk_headers",
    "entry_facts",
    "known_values",
    "routes",
    "seal_body",
    "tag_of",
]

ANYONE = ""  # who signs nothing
COKEY = bytes(range(32))
COVERS = ("a" * 64, "b" * 64)  # what makers of covers have promised, each under its salt
SALTS = {"trustee": "5" * 64, "witness": "6" * 64}
JSON = {"content-type": "application/json"}
LIMIT = 32 << 20
URL = "http://centre.example"
COVERED = ("@method", "@authority", "@path", "@query")
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}
PACE = Pace(100)  # milliseconds that a day of the law lasts
_PATIENCE = 5.0
_BIDDING = 3 / 86_400  # days until the deadline: three seconds, for witnesses date in seconds
_ACTORS = {
    "purchaser": Role.PURCHASER,
    "agency": Role.AGENCY,
    "other-purchaser": Role.PURCHASER,
    "experts": Role.PANEL,
    "other-experts": Role.PANEL,
    "bidder": Role.BIDDER,
    "inspector": Role.INSPECTOR,
    "other-inspector": Role.INSPECTOR,
    "platform": Role.PLATFORM,
    "other-platform": Role.PLATFORM,
    "trustee": Role.TRUSTEE,
    "witness": Role.WITNESS,
    "expert": Role.EXPERT,
    "awarder": Role.AWARDER,
}
_PATH = (Phase.SEALED, Phase.TECHNICAL, Phase.OPENED, Phase.RECOMMENDED, Phase.PUBLICITY)
_END = (Phase.AWARDED, Phase.NOTICED, Phase.COMPLETE)


class Kind(msgspec.Struct, frozen=True):
    """What a tender is like, as far as a test of the edge cares."""

    owner: str = "purchaser"
    panel: str = "experts"
    stages: tuple[int, ...] = (2,)
    procedure: str = "open-tender"
    cokey: bool = False
    tokens: bool = False
    invited: tuple[str, ...] = ()
    formed: bool = True
    covered: bool = False  # trustee and witness have promised covers


class _Issuers:
    """In memory; one key a tender, as RFC 9474 wants it."""

    def __init__(self) -> None:
        self._known: dict[str, TokenIssuer] = {}

    def of(self, tender: str) -> TokenIssuer:
        if tender not in self._known:
            self._known[tender] = TokenIssuer.generate()
        return self._known[tender]


class _Lists:
    """The production projection, brought up to date whenever it is asked."""

    def __init__(self, centre: TestCentre) -> None:
        self.engine = open_database(f"sqlite:///{centre.folder / 'lists.db'}")
        self._rows = TenderList(self.engine)
        self._rows.name = "tender-list@edge"
        self._centre = centre
        centre.store.move_cursor(self._rows.name, 0)

    def page(self, after: str, limit: int) -> list[Listed]:
        self._catch_up()
        rows, wanted = self._rows.page(after, limit), Listed.__struct_fields__
        return [Listed(*(getattr(row, name) for name in wanted)) for row in rows]

    def deadlines(self) -> dict[str, int]:
        self._catch_up()
        crowd: dict[str, int] = {}
        for moment in self._rows.deadlines():
            crowd[hour_of(moment)] = crowd.get(hour_of(moment), 0) + 1
        return crowd

    def _catch_up(self) -> None:
        following = Following(self._centre.ledger, self._rows)
        while following.catch_up():
            continue


class _Owned:
    """The centre as another owner and another panel see it."""

    def __init__(self, centre: TestCentre, owner: Actor, panel: Actor) -> None:
        self._centre, self.owner, self.panel = centre, owner, panel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._centre, name)


class TestEdge:
    """`send` is one request as a party sends it, `act` one that also signs what it does."""

    __test__ = False

    def __init__(self, folder: Path, deadline_limit: int = 1500, trustees: int = 3) -> None:
        self.centre = TestCentre(folder, trustees=trustees)
        self.centre.clock.at = SystemClock().read().at
        self.actors = {name: self.centre.actor(name, role) for name, role in _ACTORS.items()}
        self.actors["owner"] = self.centre.owner
        self._limit, self._closing = deadline_limit, ExitStack()
        self._loop = self._start_loop()
        self.ports = self.make_ports()
        self.app = self.make_app()

    def _start_loop(self) -> asyncio.AbstractEventLoop:
        """On a thread of its own, as in a server: a loop that stands still would shed requests."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="edge", daemon=True)
        thread.start()
        self._closing.callback(loop.close)
        self._closing.callback(thread.join)
        self._closing.callback(lambda: loop.call_soon_threadsafe(loop.stop))
        self._closing.callback(lambda: self.run(_end_tasks()))
        return loop

    def make_ports(self) -> Ports:
        """As a node makes them, in this process."""
        centre, lists = self.centre, _Lists(self.centre)
        self._closing.callback(lists.engine.dispose)
        return Ports(
            office=centre.office,
            desks=Desks(
                centre.office,
                LIMIT,
                timedelta(seconds=30),
                centre.folder,
                centre.charter_text,
            ),
            parties=Parties(centre.ledger),
            uploads=Uploads(centre.folder / "uploads", centre.objects, centre.clock, LIMIT),
            tiles=Tiles(centre.ledger),
            feed=FeedPages(centre.ledger, centre.office.phase_of),
            issuers=_Issuers(),
            lists=lists,
            trustees=list(centre.trustees),
            policy=centre.policy_text,
            charter=centre.charter_text,
            probe=lambda: [Health("ledger", well=True, figure=f"{centre.ledger.size()}")],
            deadline_limit=self._limit,
        )

    def bare_app(self) -> Litestar:
        return create_app(self.ports)

    def make_app(self) -> ASGIApp:
        return Edge(self.bare_app(), hot=hot_ways(self.ports))

    def send(
        self,
        party: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        app: ASGIApp | None = None,
    ) -> httpx.Response:
        if body is not None:
            content, headers = canonical(body), JSON | dict(headers or {})
        request = httpx.Request(
            method, f"{URL}{path}", content=content, headers=dict(headers or {})
        )
        if party != ANYONE:
            request = self.signed(party, request)
        return self.deliver([request], app)[0]

    def signed(self, party: str, request: httpx.Request) -> httpx.Request:
        signer = RequestSigner(party, self.actors[party].key)
        return next(signer.auth_flow(request))

    def signed_as_platform(
        self, path: str, body: bytes = b"", key: Signs | None = None, **given: Any
    ) -> httpx.Request:
        """With whatever is to be wrong about it; `covers` is the body that is signed."""
        wanted: dict[str, Any] = {
            "key_id": "platform",
            "nonce": act_id(),
            "tag": TAG,
            "covered_component_ids": given.pop("covered", COVERED),
            "body": given.pop("covers", body),
        }
        message = Message("POST", f"{URL}{path}", {"host": urlsplit(URL).netloc})
        signer = rfc9421.HTTPMessageSigner(signature_algorithm=algorithms.ED25519)
        prepared = signer.prepare(message, **(wanted | given))
        key = key or self.actors["platform"].key
        signer.apply(message, prepared, key.sign(prepared.signature_base))
        return httpx.Request("POST", message.url, headers=message.headers, content=body)

    def deliver(
        self, requests: Iterable[httpx.Request], app: ASGIApp | None = None
    ) -> list[httpx.Response]:
        """All at once, as they are."""
        transport = httpx.ASGITransport(app or self.app)  # type: ignore[arg-type]

        async def together() -> list[httpx.Response]:
            async with httpx.AsyncClient(transport=transport, timeout=120) as client:
                return await asyncio.gather(*(_patiently(client, item) for item in requests))

        return self.run(together())

    def run(self, work: Any) -> Any:
        """On the one event loop of this edge."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def act(
        self, party: str, path: str, body: dict[str, Any], signer: Actor | None = None
    ) -> httpx.Response:
        """Asked what to sign, then signed by the party itself, or by whom it is about."""
        answer = self.send(party, "POST", path, body)
        said = answer.json() if answer.status_code == 422 else {}
        if said.get("code") != "KF-127":
            return answer
        key = (signer or self.actors[party]).key
        signature = key.sign(said["message"].encode()).hex()
        return self.send(party, "POST", path, body | {"sig": signature})

    def story(self, kind: Kind = Kind()) -> AStory:  # noqa: B008  a frozen value
        seen: Any = _Owned(self.centre, self.actors[kind.owner], self.actors[kind.panel])
        story = AStory(
            seen,
            panel=kind.panel,
            stages=kind.stages,
            procedure=kind.procedure,
            cokey=kind.cokey,
            invited=kind.invited,
            pace=PACE,
        )
        if kind.tokens:
            key = self.ports.issuers.of(story.tender).public.hex()
            story.wanted = msgspec.structs.replace(story.wanted, token_key=key)
        story.drafted()
        return story.formed() if kind.formed else story

    def tender(self, phase: Phase, kind: Kind = Kind()) -> AStory:  # noqa: B008  a frozen value
        """A tender in that phase, by the desks."""
        story = self.story(kind)
        if phase is Phase.DRAFT:
            return story
        story.published(_BIDDING)
        if kind.covered:
            for maker, salt in SALTS.items():
                digest = covers_digest(salt, COVERS)
                self.ports.desks.cover.promise(self.actors[maker], story.tender, digest)
        if phase is Phase.CANCELLED:
            self.centre.purchaser.cancel(story.centre.owner, story.tender, "项目取消")
        elif phase is not Phase.BIDDING:
            self._bid(story, phase)
            story.closed()
        if phase in (*_PATH[1:], *_END):
            self._open(story, phase)
        if phase in (*_PATH[3:], *_END):
            self._award(story, phase)
        assert story.state.phase is phase
        return story

    def _bid(self, story: AStory, phase: Phase) -> None:
        draft = story.wanted
        if draft.token_key or phase is Phase.FAILED:
            return  # nobody bids, and nobody is enough
        for number in range(3):
            bid = ABid(f"9133{number}", 9_800_000 + number, cokey=COKEY if draft.cokey else b"")
            for stage in draft.stages:
                fen = bid.fen if stage == 2 else None
                story.hand_in(msgspec.structs.replace(bid, stage=stage, fen=fen))

    def _open(self, story: AStory, phase: Phase) -> None:
        stages = story.wanted.stages[:1] if phase is Phase.TECHNICAL else story.wanted.stages
        for stage in stages:
            if story.wanted.cokey:
                for bid in story.state.final(stage):
                    self.centre.opening.reveal(story.tender, bid.eid, COKEY)
            story.shared(stage).opened(stage)

    def _award(self, story: AStory, phase: Phase) -> None:
        story.ranked()
        if phase is Phase.RECOMMENDED:
            return
        if story.state.procedure.publicity:
            story.publicised()
        if phase in (Phase.NOTICED, Phase.COMPLETE):
            story.awarded()
        elif phase is Phase.AWARDED:
            first = next(c for c in story.state.recommended.ranking if c.rank == 1)
            awards = (Awarded(first.lot, first.eid),)
            self.centre.award.decide(story.centre.owner, story.tender, awards)
        if phase is Phase.COMPLETE:
            story.contracted()

    def pass_deadline(self, story: AStory) -> None:
        """With the last checkpoint before it."""
        deadline = story.state.deadline
        assert deadline
        self.centre.clock.at = deadline - timedelta(seconds=1)
        self.centre.publisher.publish()
        self.centre.clock.at = deadline + timedelta(milliseconds=10)

    def suspend(self, story: AStory, steps: int) -> None:
        """Asked for, confirmed, asked to go on: by the others of each post."""
        first, second = self.actors["other-inspector"], self.actors["other-platform"]
        desk = self.ports.desks.suspension
        desk.ask_suspension(first, story.tender, "停电")
        if steps > 1:
            desk.suspend(second, story.tender)
        if steps > 2:
            desk.ask_resumption(first, story.tender, "来电")

    def upload(self, story: AStory, envelope: bytes, token: bytes = b"") -> str:
        """All bytes of an envelope, by tus; the place of the upload."""
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(envelope))}
        if token:
            headers["Upload-Token"] = token.hex()
        made = self.send(ANYONE, "POST", f"/v1/tenders/{story.tender}/uploads", headers=headers)
        assert made.status_code == 201, made.text
        place = made.headers["location"]
        done = self.send(ANYONE, "PATCH", place, content=envelope, headers=chunk_headers(0))
        assert done.status_code == 204, done.text
        return place

    def restart(self) -> None:
        """Another process on the same files: nothing is left but what was written."""
        centre = self.centre
        centre.ledger.close()
        centre.store = SqliteStore(centre.data / "ledger.db")
        centre.ledger = GroupLedger(centre.store, centre.log_keys, centre.clock)
        centre.publisher = Publisher(centre.ledger, list(centre.witnesses), centre.policy)
        centre.office = Office(
            ledger=centre.ledger,
            publisher=centre.publisher,
            clock=centre.clock,
            ids=centre.ids,
            objects=centre.objects,
            calendar=centre.office.calendar,
            check_method=centre.office.check_method,
        )
        self.ports = self.make_ports()
        self.app = self.make_app()

    def close(self) -> None:
        self._closing.close()
        self.centre.close()


class SignedByAll(requests.auth.AuthBase):
    """For a client of `requests`: every request signed by one party, its acts as well.

    So a fuzzer's bodies come as far as the rules: what it sends is what the party means.
    """

    def __init__(self, party: str, key: Signs) -> None:
        self._party, self._key = party, key
        self._signer = RequestSigner(party, key)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        content = body if isinstance(body, bytes) else str(body).encode()
        act = self._act(content)
        if act:
            asked = self._sign(request.copy(), canonical(act | {"sig": ""}))
            with requests.Session() as session:
                said = _json(session.send(asked).content)
            if said.get("code") == ActUnsigned.code:
                signature = self._key.sign(str(said["message"]).encode()).hex()
                content = canonical(act | {"sig": signature})
        return self._sign(request, content)

    def _act(self, content: bytes) -> dict[str, Any]:
        """The body, if it is an act that wants a signature."""
        body = _json(content)
        return body if isinstance(body.get("id"), str) and "sig" in body else {}

    def _sign(self, request: requests.PreparedRequest, content: bytes) -> requests.PreparedRequest:
        headers = {name: str(value) for name, value in request.headers.items()}
        host = urlsplit(request.url or "").netloc
        message = Message(str(request.method), str(request.url), headers | {"host": host})
        with suppress(rfc9421.HTTPMessageSignaturesException, UnicodeError):
            self._signer.sign(message, content)
            names = ("Content-Digest", "Signature-Input", "Signature")
            request.headers.update({name: message.headers[name] for name in names})
        if content != request.body:
            request.prepare_body(content, None)
        return request


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def _patiently(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Again while a busy machine makes the edge shed: what it turns away it has not begun."""
    until = time.monotonic() + _PATIENCE
    while True:
        answer = await client.send(request)
        if Overloaded.code not in answer.text or time.monotonic() > until:
            return answer
        await asyncio.sleep(0.05)


async def _end_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def chunk_headers(offset: int) -> dict[str, str]:
    return {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": str(offset),
    }


def seal_body(envelope: bytes, token: bytes = b"", key: str = "") -> dict[str, Any]:
    """The body of a seal; bytes become base64 where JSON is written."""
    return {"id": key or act_id(), "envelope": envelope[:418], "token": token}


def entry_facts(edge: TestEdge, start: int) -> list[tuple[str, str]]:
    """Stream and type of every entry from an index on."""
    found = [json.loads(record.raw) for record in edge.centre.ledger.records(start)]
    return [(entry["stream"], entry["fact"]["type"]) for entry in found]


def tag_of(fact: type[Fact]) -> str:
    return str(fact.__struct_config__.tag)


def a_draft(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": act_id(),
        "tender": act_id(),
        "number": "开封招字第 3 号",
        "title": "桥梁加固工程",
        "buyer": "某县交通局",
        "buyer_id": "buyer-1",
        "procedure": "open-tender",
        "method": "lowest-reviewed-price",
        "lots": [{"number": 1, "title": "第一标段"}],
        "with_tokens": False,
    }
    return fields | changes


def an_expert(number: int = 0) -> dict[str, Any]:
    return {
        "who": f"id-{number}",
        "name": f"专家{number}",
        "salt": f"{number:064x}",
        "specialities": ["works"],
        "grade": "senior",
        "region": "A",
    }


def check_form(answer: httpx.Response) -> None:
    """Security headers, a name, and for a refusal a problem with its code (RFC 9457)."""
    said = f"{answer.request.method} {answer.request.url} -> {answer.status_code}"
    headers, status = answer.headers, answer.status_code
    assert status < 500 or status == 503, f"{said}: {answer.text[:200]}"
    assert SECURITY.items() <= dict(headers).items(), said
    assert headers["content-security-policy"].startswith("default-src 'none'"), said
    assert "cache-control" in headers, said
    assert "server" not in headers, said
    assert re.fullmatch("[0-9a-f]{16}", headers["x-request-id"]), said
    if status >= 400:
        assert headers["content-type"].startswith("application/problem+json"), said
        if answer.request.method != "HEAD":
            check_problem(answer.json(), status)
        assert status != 401 or headers["www-authenticate"].startswith("Signature"), said
        assert status != 405 or headers["allow"], said
        assert status != 503 or int(headers["retry-after"]) > 0, said


def check_problem(problem: dict[str, Any], status: int) -> None:
    assert problem["status"] == status
    assert re.fullmatch(r"KF-\d{3}", problem["code"])
    assert problem["type"] == f"urn:kaifeng:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    assert "Traceback" not in str(problem)


def routes(app: Litestar, **values: str) -> list[tuple[str, str]]:
    """Method and path of every operation, its parameters filled in."""
    found = []
    for route in app.routes:
        path = re.sub(r"\{(\w+):\w+\}", lambda name: values.get(name[1], "~"), route.path)
        ours = [h for h in handlers(app) if h in getattr(route, "route_handlers", [])]
        found += [(str(method), path) for h in ours for method in h.http_methods]
    return found


def known_values(story: AStory) -> dict[str, str]:
    return {
        "tender": str(story.tender),
        "stage": "2",
        "eid": "0" * 64,
        "upload": "0" * 32,
        "key": act_id(),
        "party": "owner",
        "place": "0/000.p/1",
    }
