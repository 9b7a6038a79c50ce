"""The last minute: floods, slow and lying uploads, one tender that takes nearly everything."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from builders import ABid, AStory
from edge import JSON, URL, TestEdge, check_form, chunk_headers, seal_body
from litestar.types import ASGIApp, Receive, Scope, Send
from live import ALiveTender, SealedBid, patiently

from trading.envelope.layout import Prefix
from trading.kernel.canonical import canonical
from trading.kernel.instant import SystemClock
from trading.tender import Phase
from web.app import hot_ways
from web.client import act_id
from web.edge import Edge
from web.rehearsal import Rehearsal
from web.seals import SealLane

pytestmark = pytest.mark.enable_socket

_GIB = 1 << 30
_MIB = 1 << 20


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal(tmp_path_factory.mktemp("rush"), settings={"clerk": "false"}) as made:
        yield made


@pytest.fixture(scope="module")
def tender(centre: Rehearsal) -> ALiveTender:
    made = ALiveTender(centre, day=30_000, with_tokens=False)
    made.publish()
    return made


# -- whoever only reads makes room for whoever seals -----------------------------------------------


class Late(Edge):
    """Its loop is a second late, whatever anybody measures."""

    def __init__(self, edge: TestEdge) -> None:
        super().__init__(edge.bare_app(), hot=hot_ways(edge.ports))
        self._lag = 1.0

    async def _measure(self) -> None:
        pass


def seals(edge: TestEdge, story: AStory, count: int, first: int = 0) -> list[httpx.Request]:
    """Of bids whose bytes are stored."""
    requests = []
    for number in range(first, first + count):
        envelope = ABid(f"91330{number}", 9_000_000 + number).seal(story.state)
        edge.centre.objects.put(Prefix.parse(envelope[:418]).eid, [envelope])
        content = canonical(seal_body(envelope))
        path = f"{URL}/v1/tenders/{story.tender}/seals"
        requests.append(httpx.Request("POST", path, content=content, headers=JSON))
    return requests


async def each_once(app: ASGIApp, requests: Iterable[httpx.Request]) -> list[httpx.Response]:
    """One after the other, by a client that does not try again."""
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:
        return [await client.send(request) for request in requests]


async def after_a_pause(app: ASGIApp, requests: Sequence[httpx.Request]) -> list[httpx.Response]:
    """The loop has just stood still for half a second."""
    await each_once(app, [httpx.Request("GET", f"{URL}/healthz")])
    await asyncio.sleep(0.06)
    time.sleep(0.5)  # noqa: ASYNC251  this is what is to be noticed
    await asyncio.sleep(0.001)
    return await each_once(app, requests)


def not_shed(answers: list[httpx.Response]) -> list[str]:
    """What is wrong with the answers to a read, a write, a probe and a seal, when all is late."""
    found = []
    for answer, status in zip(answers, (503, 503, 200, 201), strict=True):
        check_form(answer)  # a 503 says when to come again
        if answer.status_code != status:
            found.append(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
        elif status == 503 and answer.json()["code"] != "KF-126":
            found.append(f"{answer.request.url.path}: {answer.text}")
    return found


def a_crowd(edge: TestEdge) -> list[httpx.Request]:
    """A read, a write, a probe, and a seal behind them all."""
    story = edge.tender(Phase.BIDDING)
    path = f"{URL}/v1/tenders/{story.tender}"
    return [
        httpx.Request("GET", path),
        httpx.Request("POST", f"{path}/questions", content=b'{"text":"?"}', headers=JSON),
        httpx.Request("GET", f"{URL}/healthz"),
        *seals(edge, story, 1),
    ]


def test_while_the_loop_is_late_a_read_is_turned_away_and_a_seal_is_taken(edge: TestEdge) -> None:
    assert not_shed(edge.run(each_once(Late(edge), a_crowd(edge)))) == []
    assert not_shed(edge.run(after_a_pause(edge.make_app(), a_crowd(edge)))) == []


def test_without_its_own_lane_the_seal_is_turned_away_as_well(edge: TestEdge) -> None:
    """The control, and the other one: where nothing is late, nobody is turned away."""
    app = Late(edge)
    app._lanes["seal"].reserved = False
    found = not_shed(edge.run(each_once(app, a_crowd(edge))))
    assert [("/seals: {" in text, "KF-126" in text) for text in found] == [(True, True)]
    found = not_shed(edge.run(each_once(edge.make_app(), a_crowd(edge))))
    assert [text.split(" ")[0] for text in found] == ["GET", "POST"]


def uploaded(tender: ALiveTender, count: int) -> list[SealedBid]:
    bids = [tender.seal(f"firm-{n}", n + 1) for n in range(count)]
    for bid in bids:
        tender.anyone.upload(tender.id, bid.path, b"")
    return bids


class Told(msgspec.Struct):
    """What a bidder was answered."""

    eid: str
    status: int
    said: dict[str, Any]


def seal_all(
    tender: ALiveTender, bids: list[SealedBid], told: list[Told], pause: float = 0
) -> None:
    """Each once, by a client that does not try again."""
    with httpx.Client(base_url=tender.rehearsal.url, timeout=60) as client:
        for bid in bids:
            body = msgspec.json.encode(bid.body)
            answer = client.post(f"{tender.path}/seals", content=body)
            told.append(Told(bid.eid, answer.status_code, answer.json()))
            time.sleep(pause)


@contextmanager
def flooded(tender: ALiveTender, readers: int) -> Iterator[list[int]]:
    """By readers of the whole feed; the status of each answer."""
    ended, statuses = threading.Event(), list[int]()

    def flood() -> None:
        with httpx.Client(base_url=tender.rehearsal.url, timeout=60) as client:
            while not ended.is_set():
                answer = client.get("/v1/feed", params={"limit": 1000})
                statuses.append(answer.status_code)

    threads = [threading.Thread(target=flood) for _ in range(readers)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def misplaced(tender: ALiveTender, told: list[Told], deadline: datetime) -> list[str]:
    """Acknowledged is stored where it was said, in time; what was refused is not."""
    found = []
    for one in told:
        bid = tender.anyone.get(f"{tender.path}/bids/{one.eid}")
        place = (one.said.get("index"), one.said.get("at"))
        if one.status == 201 and (bid["state"], bid["index"], bid["at"]) != ("received", *place):
            found.append(f"{one.said} was acknowledged, and {bid} is stored")
        elif one.status != 201 and bid["state"] != "stored":
            found.append(f"{one.said} was refused, and {bid} is stored")
        if bid["at"] and datetime.fromisoformat(bid["at"]) >= deadline:
            found.append(f"{bid} is late")
    return found


def test_a_flood_over_the_deadline_takes_no_seal_away_and_lets_none_in_late(
    centre: Rehearsal,
) -> None:
    tender = ALiveTender(centre, day=100, with_tokens=False)
    tender.publish(3)
    bids, told = uploaded(tender, 80), list[Told]()
    threads = [
        threading.Thread(target=seal_all, args=(tender, bids[n::4], told, 0.1)) for n in range(4)
    ]
    left = (tender.deadline - SystemClock().read().at).total_seconds()
    assert left > 1.3, "the bids were not ready in time"
    with flooded(tender, 24) as reads:
        time.sleep(left - 1.2)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    statuses = [(one.status, one.said.get("code")) for one in told]
    assert set(statuses) == {(201, None), (409, "KF-202")}, "some came in time, some did not"
    assert len(statuses) == 80
    assert set(reads) <= {200, 503}
    assert misplaced(tender, told, tender.deadline) == []
    last = max(one.said["at"] for one in told if one.status == 201)
    found = misplaced(tender, told, datetime.fromisoformat(last))
    assert found, "the control: an earlier deadline"
    assert all(last in text for text in found)
    lost = [msgspec.structs.replace(one, status=201) for one in told if one.status == 409]
    assert len(misplaced(tender, lost, tender.deadline)) == len(lost), "the control: none is lost"


# -- one tender that takes nearly everything -------------------------------------------------------


def test_a_tender_that_takes_nearly_everything_leaves_the_others_alone(
    centre: Rehearsal, tender: ALiveTender
) -> None:
    small = ALiveTender(centre, day=30_000, with_tokens=False)
    small.publish()
    many, few = uploaded(tender, 90), uploaded(small, 10)
    told: dict[str, list[Told]] = {"many": [], "few": []}
    threads = [
        threading.Thread(target=seal_all, args=(tender, many[n::6], told["many"])) for n in range(6)
    ]
    threads.append(threading.Thread(target=seal_all, args=(small, few, told["few"])))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = {name: [one.status for one in items] for name, items in told.items()}
    assert statuses == {"many": [201] * 90, "few": [201] * 10}
    assert misplaced(tender, told["many"], tender.deadline) == []
    assert misplaced(small, told["few"], small.deadline) == []


class OneByOne(SealLane):
    """A lock of the whole process is held until a seal is on the disk."""

    def __init__(self, edge: TestEdge) -> None:
        super().__init__(edge.ports)
        self._lock = asyncio.Lock()

    async def answer(self, taken: str, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._lock:
            await super().answer(taken, scope, receive, send)


class Waits:
    """How often the ledger is written between a request and its answer, on a disk that takes its
    time: no clock is asked.
    """

    def __init__(self, edge: TestEdge, monkeypatch: pytest.MonkeyPatch) -> None:
        self._edge, self._written, commit = edge, 0, edge.centre.store.commit

        def counted(*rows: Any) -> None:
            time.sleep(0.03)
            self._written += 1
            commit(*rows)

        monkeypatch.setattr(edge.centre.store, "commit", counted)

    def of(self, app: ASGIApp, requests: list[httpx.Request]) -> list[int]:
        """Sent all at once, in that order; each must be taken."""
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]

        async def one(client: httpx.AsyncClient, request: httpx.Request) -> int:
            before = self._written
            answer = await client.send(request)
            assert answer.status_code == 201, answer.text
            return self._written - before

        async def together() -> list[int]:
            async with httpx.AsyncClient(transport=transport, timeout=60) as client:
                return await asyncio.gather(*(one(client, request) for request in requests))

        return list(self._edge.run(together()))


def test_beside_nine_times_as_many_a_small_tenders_bids_wait_for_few_writings(
    edge: TestEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = edge.tender(Phase.BIDDING), edge.tender(Phase.BIDDING)
    waits, plain = Waits(edge, monkeypatch), edge.make_app()
    alone = median(waits.of(plain, seals(edge, small, 10)))
    found = []
    for number, app in enumerate((plain, Edge(edge.bare_app(), hot=[OneByOne(edge)])), 1):
        many, few = seals(edge, large, 90, number * 90), seals(edge, small, 10, number * 10)
        mixed = [r for n in range(10) for r in (*many[n * 9 : n * 9 + 9], few[n])]
        found.append(median(waits.of(app, mixed)[9::10]))
    beside, one_by_one = found
    assert beside / alone < 5
    assert one_by_one / alone > 10, "the control: it waits for every bid before its own"


# -- large and slow bodies -------------------------------------------------------------------------


class Memory:
    """How far a process grows from now on, at its largest and not only at the end."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        (self._folder / "clear_refs").write_text("5")
        self._before = self._bytes("VmRSS")

    def grown(self) -> int:
        return self._bytes("VmHWM") - self._before

    def _bytes(self, name: str) -> int:
        lines = (self._folder / "status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1]) * 1024


def memory_of(tender: ALiveTender) -> Memory:
    return Memory(tender.rehearsal.nodes["one"].process.pid)


class Slow:
    """A connection that promises ten gigabytes and sends next to nothing."""

    def __init__(self, url: str, place: str) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        lines = [
            f"PATCH {place} HTTP/1.1",
            f"Host: {host}:{port}",
            "Tus-Resumable: 1.0.0",
            "Upload-Offset: 0",
            "Content-Type: application/offset+octet-stream",
            f"Content-Length: {10 * _GIB}",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def drip(self) -> None:
        self._socket.sendall(b"x" * 512)

    def close(self) -> None:
        self._socket.close()


def place_for(
    tender: ALiveTender, length: int, post: Callable[..., httpx.Response] = httpx.post
) -> str:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length)}
    url = f"{tender.rehearsal.url}{tender.path}/uploads"
    made = patiently(lambda: post(url, headers=headers))
    assert made.status_code == 201, made.text
    return str(made.headers["Location"])


def test_two_hundred_slow_uploads_cost_next_to_no_memory(tender: ALiveTender) -> None:
    with httpx.Client() as client:
        places = [place_for(tender, _GIB, client.post) for _ in range(200)]
    memory = memory_of(tender)
    slow = [Slow(tender.rehearsal.url, place) for place in places]
    for _ in range(5):
        for connection in slow:
            connection.drip()
        time.sleep(0.2)
    bids, told = uploaded(tender, 5), list[Told]()
    seal_all(tender, bids, told)
    assert [one.status for one in told] == [201] * 5
    assert memory.grown() < 64 * _MIB
    for connection in slow:
        connection.close()


def send_large(url: str, length: int) -> httpx.Response:
    def send() -> httpx.Response:
        chunks = (b"x" * _MIB for _ in range(length // _MIB))
        return httpx.patch(url, content=chunks, headers=chunk_headers(0), timeout=120)

    return patiently(send)


def test_a_large_upload_is_streamed(tender: ALiveTender) -> None:
    length = 256 * _MIB
    place, memory = place_for(tender, length + 1), memory_of(tender)
    url = f"{tender.rehearsal.url}{place}"
    assert send_large(url, length).status_code == 204
    assert patiently(lambda: httpx.head(url)).headers["Upload-Offset"] == str(length)
    assert memory.grown() < 64 * _MIB
    assert patiently(lambda: httpx.delete(url)).status_code == 204
    assert patiently(lambda: httpx.head(url)).status_code == 404


WHOLE = """
import socket, uvicorn
from starlette.requests import Request
from starlette.responses import Response

async def app(scope, receive, send):
    await Request(scope, receive).body()
    await Response(status_code=204)(scope, receive, send)

door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
config = uvicorn.Config(app, http="httptools", lifespan="off", log_config=None)
uvicorn.Server(config).run(sockets=[door])
"""


def test_a_server_that_takes_the_body_as_a_whole_is_seen_to_grow() -> None:
    """The control: the same upload and the same measure."""
    command = [sys.executable, "-c", WHOLE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/"
            assert send_large(url, _MIB).status_code == 204
            memory = Memory(process.pid)
            assert send_large(url, 256 * _MIB).status_code == 204
            assert memory.grown() > 64 * _MIB
        finally:
            process.kill()


def test_a_body_larger_than_any_request_is_refused_before_it_is_kept(tender: ALiveTender) -> None:
    memory = memory_of(tender)
    content = (b"x" * _MIB for _ in range(64))
    answer = httpx.post(f"{tender.rehearsal.url}{tender.path}/questions", content=content)
    assert answer.status_code == 413
    assert memory.grown() < 64 * _MIB


# -- requests that break off -----------------------------------------------------------------------


class Broken:
    """A seal whose request ends early, or whose answer nobody reads."""

    def __init__(self, tender: ALiveTender) -> None:
        self.tender, self.bid = tender, uploaded(tender, 1)[0]
        self.body = msgspec.json.encode(self.bid.body)
        self._place = urlsplit(tender.rehearsal.url)
        head = (
            f"POST {tender.path}/seals HTTP/1.1\r\nHost: {self._place.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        self._head = head.encode()

    def ends_after(self, sent: int) -> None:
        """Returns when the server has let go of the connection, and turned to the next one."""
        with self._connected() as connection:
            connection.sendall(self._head + self.body[:sent])
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
        self.tender.anyone.get("/healthz")

    def is_not_read(self) -> None:
        with self._connected() as connection:
            connection.sendall(self._head + self.body)
            for _ in range(100):
                if self.state() == "received":
                    break
                time.sleep(0.1)
            else:
                pytest.fail("the server has never seen the whole request")

    def ends_at_once(self) -> None:
        """Whole, and gone before anybody answers: it may count or not."""
        with self._connected() as connection:
            connection.sendall(self._head + self.body)

    def again(self, **changes: Any) -> httpx.Response:
        body = msgspec.json.encode(self.bid.body | changes)
        return httpx.post(f"{self.tender.rehearsal.url}{self.tender.path}/seals", content=body)

    def state(self) -> str:
        return str(self.tender.anyone.get(f"{self.tender.path}/bids/{self.bid.eid}")["state"])

    def stored(self) -> tuple[int, str, list[str]]:
        """How many entries there are, what became of the bid, and all that lies in the folders."""
        entries = self.tender.anyone.get("/v1/feed", limit=1000, cursor=0)["next"]
        data = self.tender.rehearsal.data
        files = [p.name for folder in ("envelopes", "uploads") for p in (data / folder).iterdir()]
        return entries, self.state(), sorted(files)

    def changed(self, act: Callable[[], None]) -> list[str]:
        """What is stored otherwise afterwards."""
        before = self.stored()
        act()
        after = self.stored()
        names = ("entries", "state", "files")
        return [
            f"{name}: {old} became {new}"
            for name, old, new in zip(names, before, after, strict=True)
            if old != new
        ]

    def _connected(self) -> socket.socket:
        address = (str(self._place.hostname), int(self._place.port or 0))
        return socket.create_connection(address, timeout=20)


def test_requests_that_are_cut_off_change_nothing_until_they_are_whole(
    tender: ALiveTender,
) -> None:
    seal = Broken(tender)
    for sent in (0, 1, len(seal.body) // 2, len(seal.body) - 1):
        assert seal.changed(partial(seal.ends_after, sent)) == []
    found = seal.changed(seal.is_not_read)
    assert [text.partition(":")[0] for text in found] == ["entries", "state"], "the control"
    assert "stored became received" in found[1]


def test_a_seal_whose_answer_was_lost_counts_once(tender: ALiveTender) -> None:
    for lose in (Broken.is_not_read, Broken.ends_at_once):
        seal = Broken(tender)
        before, _, _ = seal.stored()
        lose(seal)
        answer = seal.again()
        assert answer.status_code == 201
        assert seal.again().json() == answer.json()
        assert answer.json()["index"] == before
        assert seal.stored()[:2] == (before + 1, "received")
        other = seal.again(id=act_id())
        assert (other.status_code, other.json()["code"]) == (409, "KF-309"), "another act"
