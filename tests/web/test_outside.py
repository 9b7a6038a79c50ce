"""The edge as a stranger meets it: whatever is sent, it answers in its own form or not at all."""

import asyncio
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from builders import ABid, AStory
from edge import (
    ANYONE,
    JSON,
    URL,
    Kind,
    TestEdge,
    a_draft,
    check_form,
    chunk_headers,
    entry_facts,
    known_values,
    routes,
    seal_body,
)

from trading.envelope.layout import Prefix
from trading.envelope.token import blind, finish
from trading.facts.cover import CoversPromised
from trading.kernel.canonical import canonical
from trading.kernel.instant import SystemClock
from trading.kernel.party import Role
from trading.ledger.entry import act_message
from trading.ledger.fact import write_fact
from trading.tender import Phase, stream_of
from web.access import handlers
from web.client import act_id
from web.edge import Edge
from web.rehearsal import Rehearsal
from web.seals import SealLane

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A real centre, every institution a process of its own, and one party with every role."""
    with Rehearsal(tmp_path_factory.mktemp("live")) as made:
        made.enrol("all", "all", *Role)
        yield made


# -- every answer has the same form ----------------------------------------------------------------


def test_every_route_answers_in_the_same_form(edge: TestEdge) -> None:
    app, story = edge.bare_app(), edge.tender(Phase.BIDDING)
    known = routes(app, **known_values(story))
    assert len(known) >= len(list(handlers(app)))
    names = set()
    for method, path in [*known, *routes(app), *routes(app, tender=act_id())]:
        for party in (ANYONE, "platform"):
            for content, headers in ((b"", {}), (b"{", JSON), (b'{"x":1}', JSON)):
                answer = edge.send(party, method, path, content=content, headers=headers)
                check_form(answer)
                names.add(answer.headers["x-request-id"])
    assert len(names) == 6 * (len(known) + 2 * len(routes(app)))


def test_what_is_no_route_answers_in_the_same_form(edge: TestEdge) -> None:
    for path in ("/", "/nowhere", "/v1", "/schema/nowhere", "/%00", "/%ff", "/..%2f", "/a//b"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"):
            answer = edge.send(ANYONE, method, path)
            check_form(answer)
            assert answer.status_code in (404, 405), path


def test_methods_that_no_route_has_answer_in_the_same_form(edge: TestEdge) -> None:
    story = edge.tender(Phase.BIDDING)
    for _, path in routes(edge.bare_app(), **known_values(story)):
        for method in ("PUT", "TRACE", "QUERY", "OPTIONS"):
            for party in (ANYONE, "platform"):
                check_form(edge.send(party, method, path))


def test_what_is_turned_away_answers_in_the_same_form(edge: TestEdge) -> None:
    full = Edge(edge.bare_app(), seals=0, hot=[SealLane(edge.ports)])
    answer = edge.send(ANYONE, "POST", f"/v1/tenders/{act_id()}/seals", {}, app=full)
    check_form(answer)
    assert (answer.status_code, answer.json()["code"]) == (503, "KF-126")


def test_a_body_that_is_too_large_answers_in_the_same_form(edge: TestEdge) -> None:
    path = f"/v1/tenders/{act_id()}/questions"
    answer = edge.send(ANYONE, "POST", path, content=b" " * (3 << 20), headers=JSON)
    check_form(answer)
    assert answer.status_code == 413


def test_without_the_outer_wall_answers_are_not_in_that_form(edge: TestEdge) -> None:
    """The control: the application alone, and the same checker."""
    bare = edge.bare_app()
    for path in ("/healthz", "/nowhere"):
        with pytest.raises(AssertionError, match=path):
            check_form(edge.send(ANYONE, "GET", path, app=bare))


@pytest.mark.enable_socket
def test_the_real_server_answers_in_the_same_form(live: Rehearsal) -> None:
    with httpx.Client(base_url=live.url) as client:
        for path in ("/healthz", "/readyz", "/v1/feed", "/nowhere", "/v1/feed?cursor=x"):
            check_form(client.get(path))
        check_form(client.post("/v1/tenders", content=b"{"))
        check_form(client.get("/nowhere", headers={"host": "centre:port"}))


def test_reading_writes_nothing(edge: TestEdge) -> None:
    """Nobody fills the disk by asking: whatever a GET, HEAD or OPTIONS does, it is not a write."""
    story = edge.tender(Phase.BIDDING)
    edge.centre.publisher.publish()
    before = rows(edge)
    for method, path in routes(edge.bare_app(), **known_values(story)):
        if method in ("GET", "HEAD", "OPTIONS"):
            edge.send(ANYONE, method, path)
            assert rows(edge) == before, path


def rows(edge: TestEdge) -> dict[str, int]:
    """How many each table of the ledger holds."""
    with sqlite3.connect(edge.centre.data / "ledger.db") as db:
        tables = ("entry", "cosigned", "claim", "nonce", "stream")
        counts = {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}
    db.close()
    return counts


# -- no input is an internal error -----------------------------------------------------------------

ASKED = "/v1/tenders/TENDER/questions"
INPUTS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    "deep json": ("POST", ASKED, JSON, b'{"text":' + b"[" * 100_000),
    "json that is not utf-8": ("POST", ASKED, JSON, b'{"text":"\xff"}'),
    "lone surrogate": ("POST", ASKED, JSON, b'{"text":"\\ud800"}'),
    "zero byte": ("POST", ASKED, JSON, b'{"text":"\\u0000"}'),
    "large number": ("POST", ASKED, JSON, b'{"text":' + b"9" * 5000 + b"}"),
    "before all years": ("GET", "/v1/deadlines?wanted=0001-01-01T00:00:00%2B14:00", {}, b""),
    "after all years": ("GET", "/v1/deadlines?wanted=9999-12-31T23:30:00Z", {}, b""),
    "no zone": ("GET", "/v1/deadlines?wanted=2026-12-01T00:00:00", {}, b""),
    "odd token": (
        "POST",
        "/v1/tenders/TENDER/uploads",
        {"Upload-Length": "1000", "Upload-Token": "abc"},
        b"",
    ),
    "token that is no hex": (
        "POST",
        "/v1/tenders/TENDER/uploads",
        {"Upload-Length": "1000", "Upload-Token": "x"},
        b"",
    ),
    "port that is none": ("GET", "/nowhere", {"host": "centre.example:x"}, b""),
    "port out of range": ("GET", "/nowhere", {"host": "centre.example:99999"}, b""),
    "guard and port": ("POST", "/v1/tenders/TENDER/closing", {"host": "centre.example:x"}, b""),
    "long stage": ("GET", f"/v1/tenders/TENDER/invitations/{'9' * 5000}", {}, b""),
    "long cursor": ("GET", f"/v1/feed?cursor={'9' * 5000}", {}, b""),
}


@pytest.mark.parametrize("name", INPUTS)
def test_no_input_is_an_internal_error(name: str, edge: TestEdge) -> None:
    method, path, headers, content = INPUTS[name]
    path = path.replace("TENDER", str(edge.tender(Phase.BIDDING).tender))
    check_form(edge.send(ANYONE, method, path, content=content, headers=headers))


SIGNED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "committee of too many": ("/committees", "purchaser", {"stage": 2, "threshold": 100}),
    "committee of too few": ("/committees", "purchaser", {"stage": 2, "threshold": 1}),
    "stage that is none": ("/stages/9/opening", "platform", {}),
    "opening too early": ("/stages/2/opening", "platform", {}),
    "token of no size": ("/tokens", "bidder", {"blinded": ""}),
}


@pytest.mark.parametrize("name", SIGNED)
def test_no_mistake_of_a_party_is_a_fault_of_ours(name: str, edge: TestEdge) -> None:
    path, party, body = SIGNED[name]
    story = edge.story(Kind(formed=False))
    answer = edge.send(party, "POST", f"/v1/tenders/{story.tender}{path}", body)
    check_form(answer)
    assert 400 <= answer.status_code < 500, answer.text


NO_ZONE, ENDS = "2027-03-01T09:00:00", "2027-03-01T09:00:00Z"
EXTREMES = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")


@pytest.mark.parametrize(
    "procedure",
    ["open-tender", "foreign-record", "inquiry", "single-source", "open-procurement"],
)
@pytest.mark.parametrize("field", ["deadline", "documents_until"])
def test_a_moment_without_a_zone_is_refused(procedure: str, field: str, edge: TestEdge) -> None:
    """A naive moment in the ledger could never be compared with any other again."""
    story = edge.story(Kind(procedure=procedure, invited=("1", "2", "3")))
    for moment in (NO_ZONE, *EXTREMES):
        dates = {"deadline": ENDS, "documents_until": ENDS, field: moment}
        body = {"id": act_id(), **dates}
        answer = edge.act("purchaser", f"/v1/tenders/{story.tender}/publication", body)
        assert answer.status_code in (400, 422), f"{moment}: {answer.status_code} {answer.text}"


@pytest.mark.parametrize("moment", [NO_ZONE, *EXTREMES])
def test_nor_in_a_correction_or_a_publicity(moment: str, edge: TestEdge) -> None:
    bidding, ranked = edge.tender(Phase.BIDDING), edge.tender(Phase.RECOMMENDED)
    body = {"id": act_id(), "text": "更正", "deadline": moment}
    answers = [edge.act("purchaser", f"/v1/tenders/{bidding.tender}/corrections", body)]
    body = {"id": act_id(), "until": moment}
    answers += [edge.act("purchaser", f"/v1/tenders/{ranked.tender}/publicity", body)]
    assert [answer.status_code in (400, 422) for answer in answers] == [True, True]


def test_a_parameter_of_a_method_may_be_long(edge: TestEdge) -> None:
    for weight in ("9" * 5000, "-1", "０", "30.5", ""):
        draft = a_draft(method="government-price-score", parameters={"weight": weight})
        check_form(edge.act("purchaser", "/v1/tenders", draft))


# -- nobody stops the centre for the others --------------------------------------------------------


def test_lots_of_any_estimate_leave_the_lists_readable(edge: TestEdge) -> None:
    lots = [{"number": n, "title": "标段", "estimate": 10**17} for n in range(1, 101)]
    edge.act("purchaser", "/v1/tenders", a_draft(lots=lots))
    for path in ("/v1/tenders", "/v1/deadlines"):
        check_form(edge.send(ANYONE, "GET", path))


@pytest.mark.parametrize("deadline", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"])
def test_no_deadline_and_pause_make_the_ledger_unreadable(deadline: str, edge: TestEdge) -> None:
    story = edge.story()
    path = f"/v1/tenders/{story.tender}"
    dates = {"deadline": deadline, "documents_until": ENDS}
    published = edge.act("purchaser", f"{path}/publication", {"id": act_id(), **dates})
    if published.status_code == 201:
        for party, act in (("inspector", "suspension"), ("inspector", "resumption")):
            grounds = {"id": act_id(), "ground": "停电"}
            assert edge.act(party, f"{path}/{act}-request", grounds).status_code == 201
            edge.centre.advance(seconds=1)
            check_form(edge.act("other-inspector", f"{path}/{act}", {"id": act_id()}))
    check_form(edge.send(ANYONE, "GET", "/v1/feed?limit=1000"))
    edge.tender(Phase.OPENED)  # the trustees still follow


def test_of_two_promises_at_once_one_counts(edge: TestEdge) -> None:
    story = edge.tender(Phase.BIDDING)
    requests = [promise(edge, story, number) for number in range(20)]
    answers = edge.deliver(requests)
    assert [answer.status_code for answer in answers].count(201) == 1
    edge.tender(Phase.OPENED)  # the trustees still follow


def promise(edge: TestEdge, story: AStory, number: int) -> httpx.Request:
    key, fact = act_id(), CoversPromised(digest=f"{number:064x}")
    message = act_message(stream_of(story.tender), key, "trustee", write_fact(fact))
    signature = edge.actors["trustee"].key.sign(message).hex()
    body = canonical({"id": key, "sig": signature, "digest": fact.digest})
    path = f"{URL}/v1/tenders/{story.tender}/cover-promises"
    return edge.signed("trustee", httpx.Request("POST", path, content=body, headers=JSON))


# -- one key, one effect ---------------------------------------------------------------------------


def sealed(edge: TestEdge, story: AStory, key: str = "", bidder: str = "91330") -> dict[str, Any]:
    """The body of a seal whose bytes are stored."""
    envelope = ABid(bidder, 9_800_000).seal(story.state)
    edge.upload(story, envelope)
    return seal_body(envelope, key=key)


def test_fifty_seals_at_once_are_one_entry_and_fifty_equal_answers(edge: TestEdge) -> None:
    story = edge.tender(Phase.BIDDING)
    body = sealed(edge, story)
    size, content = edge.centre.ledger.size(), canonical(body)
    url = f"{URL}/v1/tenders/{story.tender}/seals"
    copies = [httpx.Request("POST", url, content=content, headers=JSON) for _ in range(50)]
    answers = edge.deliver(copies)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert entry_facts(edge, size) == [(stream_of(story.tender), "envelope.received/1")]
    asked = edge.send(ANYONE, "GET", f"/v1/acts/{body['id']}")
    assert asked.json()["leaf"] == answers[0].json()["leaf"]


def test_one_key_for_another_envelope_is_refused(edge: TestEdge) -> None:
    story, other = edge.tender(Phase.BIDDING), edge.tender(Phase.BIDDING)
    first = sealed(edge, story)
    path = f"/v1/tenders/{story.tender}/seals"
    assert edge.send(ANYONE, "POST", path, first).status_code == 201
    second = sealed(edge, story, key=first["id"], bidder="91331")
    refused = edge.send(ANYONE, "POST", path, second)
    assert (refused.status_code, refused.json()["code"]) == (409, "KF-103")
    elsewhere = sealed(edge, other, key=first["id"])
    refused = edge.send(ANYONE, "POST", f"/v1/tenders/{other.tender}/seals", elsewhere)
    assert (refused.status_code, refused.json()["code"]) == (409, "KF-103")
    again = edge.send(ANYONE, "POST", path, first | {"id": act_id()})
    assert (again.status_code, again.json()["code"]) == (409, "KF-309")


def test_a_lost_answer_is_given_again_after_the_deadline_and_a_restart(edge: TestEdge) -> None:
    story = edge.tender(Phase.BIDDING)
    body, path = sealed(edge, story), f"/v1/tenders/{story.tender}/seals"
    first = edge.send(ANYONE, "POST", path, body)
    story.closed()
    assert edge.send(ANYONE, "POST", path, body).json() == first.json()
    edge.restart()
    assert edge.send(ANYONE, "POST", path, body).json() == first.json()


def test_fifty_acts_of_an_owner_at_once_are_one(edge: TestEdge) -> None:
    body = a_draft()
    asked = edge.send("purchaser", "POST", "/v1/tenders", body).json()
    body["sig"] = edge.actors["purchaser"].key.sign(asked["message"].encode()).hex()
    content = canonical(body)
    requests = [
        edge.signed(
            "purchaser",
            httpx.Request("POST", f"{URL}/v1/tenders", content=content, headers=JSON),
        )
        for _ in range(50)
    ]
    answers = edge.deliver(requests)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1


def test_a_token_is_good_for_one_envelope_of_its_own_tender(edge: TestEdge) -> None:
    story, other = (edge.tender(Phase.BIDDING, Kind(tokens=True)) for _ in range(2))
    public = bytes.fromhex(story.wanted.token_key)
    blinding = blind(public)
    path = f"/v1/tenders/{story.tender}"
    taken = edge.send("bidder", "POST", f"{path}/tokens", {"blinded": blinding.blinded})
    again = edge.send("bidder", "POST", f"{path}/tokens", {"blinded": blinding.blinded})
    assert taken.json() == again.json()
    signature = msgspec.convert(taken.json()["signature"], bytes)
    token = finish(public, blinding, signature)
    for number, (tender, good) in enumerate(((other, False), (story, True), (story, False))):
        envelope = ABid(f"9133{number}", 9_000_000).seal(tender.state)
        edge.centre.objects.put(Prefix.parse(envelope[:418]).eid, [envelope])
        sent = edge.send(
            ANYONE, "POST", f"/v1/tenders/{tender.tender}/seals", seal_body(envelope, token)
        )
        assert (sent.status_code == 201) is good, sent.text
        assert good or sent.json()["code"] == "KF-312"


# -- uploads: tus 1.0 ------------------------------------------------------------------------------


def created(edge: TestEdge, story: AStory, length: int = 1000) -> str:
    path = f"/v1/tenders/{story.tender}/uploads"
    made = edge.send(ANYONE, "POST", path, headers={"Upload-Length": str(length)})
    assert (made.status_code, made.headers["upload-offset"]) == (201, "0")
    return str(made.headers["location"])


def patch(edge: TestEdge, place: str, offset: int, content: bytes) -> httpx.Response:
    return edge.send(ANYONE, "PATCH", place, content=content, headers=chunk_headers(offset))


def offset_of(edge: TestEdge, place: str) -> int:
    found = edge.send(ANYONE, "HEAD", place)
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    assert found.headers["upload-length"] == "1000"
    return int(found.headers["upload-offset"])


def test_an_upload_goes_on_where_it_stands_and_nowhere_else(edge: TestEdge) -> None:
    place = created(edge, edge.tender(Phase.BIDDING))
    assert patch(edge, place, 0, b"a" * 400).headers["upload-offset"] == "400"
    for offset in (0, 399, 401, 1000, 2**53):
        refused = patch(edge, place, offset, b"b" * 10)
        assert (refused.status_code, refused.json()["code"]) == (409, "KF-132")
        assert refused.json()["expected"] == "400"
    assert patch(edge, place, -1, b"b").status_code == 400
    assert offset_of(edge, place) == 400
    assert patch(edge, place, 400, b"b" * 100).headers["upload-offset"] == "500"


def test_more_than_declared_is_refused_and_costs_nothing(edge: TestEdge) -> None:
    place = created(edge, edge.tender(Phase.BIDDING))
    patch(edge, place, 0, b"a" * 900)
    refused = patch(edge, place, 900, b"b" * 101)
    assert (refused.status_code, refused.json()["code"]) == (422, "KF-130")
    assert offset_of(edge, place) == 900


def test_an_upload_says_what_it_can_do_and_is_gone_when_dropped(edge: TestEdge) -> None:
    story = edge.tender(Phase.BIDDING)
    for path in ("/v1/uploads", f"/v1/tenders/{story.tender}/uploads"):
        said = edge.send(ANYONE, "OPTIONS", path)
        assert (said.status_code, said.headers["tus-version"]) == (204, "1.0.0")
        assert said.headers["tus-extension"] == "creation,termination,expiration"
    too_large = {"Upload-Length": str(int(said.headers["tus-max-size"]) + 1)}
    refused = edge.send(ANYONE, "POST", f"/v1/tenders/{story.tender}/uploads", headers=too_large)
    assert refused.status_code == 413
    place = created(edge, story)
    assert edge.send(ANYONE, "DELETE", place).status_code == 204
    for method in ("HEAD", "DELETE"):
        assert edge.send(ANYONE, method, place).status_code == 404
    assert patch(edge, place, 0, b"a").status_code == 404


def test_bytes_of_another_kind_are_refused(edge: TestEdge) -> None:
    place = created(edge, edge.tender(Phase.BIDDING))
    for kind in ("application/json", "application/octet-stream", ""):
        headers = chunk_headers(0) | {"Content-Type": kind}
        answer = edge.send(ANYONE, "PATCH", place, content=b"a", headers=headers)
        assert 400 <= answer.status_code < 500
    assert offset_of(edge, place) == 0


def test_a_damaged_envelope_begins_again(edge: TestEdge) -> None:
    story = edge.tender(Phase.BIDDING)
    envelope = bytearray(ABid("91330", 9_800_000).seal(story.state))
    envelope[-1] ^= 1
    place = created(edge, story, len(envelope))
    refused = patch(edge, place, 0, bytes(envelope))
    assert (refused.status_code, refused.json()["code"]) == (422, "KF-305")
    assert edge.send(ANYONE, "HEAD", place).headers["upload-offset"] == "0"


async def slowly(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0.3)


def test_a_second_writer_is_refused_while_the_first_writes(edge: TestEdge) -> None:
    place = created(edge, edge.tender(Phase.BIDDING))
    both = [
        httpx.Request("PATCH", URL + place, content=content, headers=chunk_headers(0))
        for content in (slowly(b"a" * 10, b"b" * 10), slowly(b"c" * 10, b"d" * 10))
    ]
    answers = edge.deliver(both)
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert offset_of(edge, place) == 20


def test_an_upload_dropped_while_it_is_written_is_gone(edge: TestEdge) -> None:
    place = created(edge, edge.tender(Phase.BIDDING))
    content = slowly(b"a" * 500, b"b" * 500)
    both = [
        httpx.Request("PATCH", URL + place, content=content, headers=chunk_headers(0)),
        httpx.Request("DELETE", URL + place),
    ]
    for answer in edge.deliver(both):
        check_form(answer)
    assert edge.send(ANYONE, "HEAD", place).status_code == 404


class ALiveUpload:
    """An upload on the real server, and requests byte by byte."""

    def __init__(self, live: Rehearsal, length: int = 100_000) -> None:
        self._url, self._open = urlsplit(live.url), httpx.Client(base_url=live.url)
        headers = {"Upload-Length": str(length)}
        tender = published(live)
        made = self._open.post(f"/v1/tenders/{tender}/uploads", headers=headers)
        self.place = made.headers["location"]

    @property
    def offset(self) -> int:
        return int(self._open.head(self.place).headers["upload-offset"])

    def patch(self, declared: int, *pieces: bytes, offset: int = 0, wait: float = 0) -> str:
        """The status line; pieces are sent `wait` seconds apart."""
        head = chunk_headers(offset) | {"Host": "x", "Connection": "close"}
        head["Content-Length"] = str(declared)
        lines = [f"PATCH {self.place} HTTP/1.1", *(f"{k}: {v}" for k, v in head.items()), "", ""]
        address = (str(self._url.hostname), int(self._url.port or 0))
        with socket.create_connection(address, timeout=20) as link:
            link.sendall("\r\n".join(lines).encode())
            for piece in pieces:
                link.sendall(piece)
                time.sleep(wait)
            if declared > sum(map(len, pieces)):
                return ""  # broken off
            return link.recv(4096).decode().partition("\r\n")[0]

    def close(self) -> None:
        self._open.close()


def published(live: Rehearsal) -> str:
    """A tender that takes bids for the whole test."""
    owner, draft = live.client("all"), a_draft(day_millis=100)
    owner.act("/v1/tenders", draft)
    path = f"/v1/tenders/{draft['tender']}"
    owner.post(f"{path}/committees", {"stage": 2, "threshold": 3})
    deadline = SystemClock().read().at + timedelta(hours=1)
    owner.act(f"{path}/publication", {"deadline": deadline, "documents_until": deadline})
    return str(draft["tender"])


@pytest.mark.enable_socket
def test_an_upload_survives_a_broken_connection_and_a_slow_one(live: Rehearsal) -> None:
    upload = ALiveUpload(live)
    assert upload.patch(50_000, b"a" * 7000) == ""
    until = time.monotonic() + 5
    while upload.offset != 7000 and time.monotonic() < until:
        time.sleep(0.05)
    assert upload.offset == 7000  # what arrived before the break
    assert "204" in upload.patch(10, *([b"b"] * 10), offset=7000, wait=0.05)
    assert upload.offset == 7010
    assert "204" in upload.patch(5, b"c" * 50, offset=7010)  # the rest is no part of it
    assert upload.offset == 7015
    assert "400" in upload.patch(-1, b"d", offset=7015)
    assert upload.offset == 7015
    upload.close()


# -- a fuzzer that knows the description -----------------------------------------------------------

HOOKS = """
import sys
sys.path[:0] = {paths!r}
import schemathesis
from edge import SignedByAll
from trading.ledger.signature import ActorKey
from pathlib import Path
schemathesis.auth.set_from_requests(SignedByAll("all", ActorKey.load(Path({key!r}))))
TENDERS = {tenders!r}

@schemathesis.hook
def map_path_parameters(context, path_parameters):
    given = path_parameters or {{}}
    if "tender" in given and "cancellation" not in context.operation.path:
        chosen = sum(map(ord, str(given["tender"]))) % len(TENDERS)
        path_parameters["tender"] = TENDERS[chosen]
    return path_parameters
"""


@pytest.mark.enable_socket
@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_a_fuzzer_finds_no_server_error(is_signed: bool, live: Rehearsal, tmp_path: Path) -> None:
    """Schemathesis; signed, every request and every act comes from a party with every role."""
    environment = dict(os.environ)
    if is_signed:
        owner, draft = live.client("all"), a_draft(day_millis=100)
        owner.act("/v1/tenders", draft)
        paths = [str(TESTS.parent), str(TESTS), str(TESTS / "web")]
        key = str(live.folder / "parties" / "all.key")
        tenders = [draft["tender"], published(live), published(live), act_id()]
        hooks = HOOKS.format(paths=paths, key=key, tenders=tenders)
        (tmp_path / "hooks.py").write_text(hooks)
        environment |= {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(tmp_path)}
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{live.url}/schema/openapi.json",
        "--phases=examples,coverage,fuzzing,stateful",
        "--checks=not_a_server_error,response_schema_conformance",
        "--seed=1",
        "--max-examples=20",
        "--max-time=40",
        "--generation-database=none",
        "--continue-on-failure",
        "--no-color",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    found = re.findall(r"^(?:_+ (.*) _+|- (ST\d+ .*))$", done.stdout, re.MULTILINE)
    named = [a or b for a, b in found]
    assert done.returncode == 0, "\n".join([*named, done.stdout, done.stderr])
    assert json.loads(httpx.get(f"{live.url}/readyz").text)["ready"]
