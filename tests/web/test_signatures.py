"""What a request's signature is worth: it says who, says all, and counts once."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from database import Server
from edge import ANYONE, URL, TestEdge, check_form

from trading.kernel.errors import RequestReplayed
from trading.kernel.party import Role
from trading.ledger.committer import GroupLedger
from trading.ledger.signature import ActorKey
from trading.ledger.store_postgres import PostgresStore
from web.client import act_id
from web.parties import Parties
from web.signing import Message, check_signature

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


def check_counts_once(edge: TestEdge) -> None:
    request = edge.signed("platform", httpx.Request("POST", f"{URL}{CLOSING}"))
    assert _status(edge, request) == (404, "KF-106")
    assert _status(edge, request) == (401, "KF-122")
    second = edge.make_app()
    assert edge.deliver([request], second)[0].json()["code"] == "KF-122"
    edge.restart()
    assert _status(edge, request) == (401, "KF-122")


def check_of_copies_one_counts(edge: TestEdge) -> None:
    request = edge.signed("platform", httpx.Request("POST", f"{URL}{CLOSING}"))
    copies = [httpx.Request("POST", request.url, headers=request.headers) for _ in range(20)]
    codes = sorted(answer.json()["code"] for answer in edge.deliver(copies))
    assert codes == ["KF-106"] + 19 * ["KF-122"]


def test_a_request_counts_once_here_in_a_second_application_and_after_a_restart(
    edge: TestEdge,
) -> None:
    check_counts_once(edge)


def test_of_many_copies_at_once_one_counts(edge: TestEdge) -> None:
    check_of_copies_one_counts(edge)


def test_where_no_nonce_is_remembered_a_request_counts_again(
    edge: TestEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(GroupLedger, "first_use", lambda *_: True)
    for check in (check_counts_once, check_of_copies_one_counts):
        with pytest.raises(AssertionError, match="KF-106"):
            check(edge)


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
