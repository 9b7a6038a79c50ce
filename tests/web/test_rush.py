"""The last minute: floods, slow and lying uploads, one tender that takes nearly everything."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from live import ALiveTender, SealedBid

from web.client import act_id
from web.rehearsal import Rehearsal

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


def uploaded(tender: ALiveTender, count: int) -> list[SealedBid]:
    bids = [tender.seal(f"firm-{n}", n + 1) for n in range(count)]
    for bid in bids:
        tender.anyone.upload(tender.id, bid.path, b"")
    return bids


def resident(centre: Rehearsal) -> int:
    """Bytes."""
    status = Path(f"/proc/{centre.nodes['one'].process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def seal_all(tender: ALiveTender, bids: list[SealedBid], statuses: list[int]) -> None:
    """Each once, by a client that does not try again."""
    with httpx.Client(base_url=tender.rehearsal.url, timeout=60) as client:
        for bid in bids:
            body = msgspec.json.encode(bid.body)
            statuses.append(client.post(f"{tender.path}/seals", content=body).status_code)


def test_a_flood_of_reads_takes_no_seal_away(tender: ALiveTender) -> None:
    bids = uploaded(tender, 40)
    statuses: list[int] = []
    reads: list[int] = []
    ended = threading.Event()

    def flood() -> None:
        with httpx.Client(base_url=tender.rehearsal.url, timeout=60) as client:
            for _ in range(400):
                if ended.is_set():
                    return
                reads.append(client.get("/v1/feed", params={"limit": 1000}).status_code)

    floods = [threading.Thread(target=flood) for _ in range(24)]
    seals = [
        threading.Thread(target=seal_all, args=(tender, bids[n::4], statuses)) for n in range(4)
    ]
    for thread in floods + seals:
        thread.start()
    for thread in seals:
        thread.join()
    ended.set()
    for thread in floods:
        thread.join()
    assert statuses == [201] * 40
    assert set(reads) <= {200, 503}


def test_a_tender_that_takes_nearly_everything_leaves_the_others_alone(
    centre: Rehearsal, tender: ALiveTender
) -> None:
    small = ALiveTender(centre, day=30_000, with_tokens=False)
    small.publish()
    many, few = uploaded(tender, 90), uploaded(small, 10)
    statuses: dict[str, list[int]] = {"many": [], "few": []}
    threads = [
        threading.Thread(target=seal_all, args=(tender, many[n::6], statuses["many"]))
        for n in range(6)
    ]
    threads.append(threading.Thread(target=seal_all, args=(small, few, statuses["few"])))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {"many": [201] * 90, "few": [201] * 10}


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


def place_for(tender: ALiveTender, length: int) -> str:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length)}
    made = httpx.post(f"{tender.rehearsal.url}{tender.path}/uploads", headers=headers)
    assert made.status_code == 201, made.text
    return str(made.headers["Location"])


def test_two_hundred_slow_uploads_cost_next_to_no_memory(tender: ALiveTender) -> None:
    places = [place_for(tender, _GIB) for _ in range(200)]
    before = resident(tender.rehearsal)
    slow = [Slow(tender.rehearsal.url, place) for place in places]
    for _ in range(5):
        for connection in slow:
            connection.drip()
        time.sleep(0.2)
    bids = uploaded(tender, 5)
    statuses: list[int] = []
    seal_all(tender, bids, statuses)
    assert statuses == [201] * 5
    assert resident(tender.rehearsal) - before < 64 * _MIB
    for connection in slow:
        connection.close()


def test_a_large_upload_is_streamed(tender: ALiveTender) -> None:
    length = 256 * _MIB
    place, before = place_for(tender, length + 1), resident(tender.rehearsal)
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    }

    def chunks() -> Iterator[bytes]:
        for _ in range(length // _MIB):
            yield b"x" * _MIB

    url = f"{tender.rehearsal.url}{place}"
    assert httpx.patch(url, content=chunks(), headers=headers, timeout=120).status_code == 204
    assert httpx.head(url).headers["Upload-Offset"] == str(length)
    assert resident(tender.rehearsal) - before < 64 * _MIB
    assert httpx.delete(url).status_code == 204
    assert httpx.head(url).status_code == 404


def test_a_body_larger_than_any_request_is_refused_before_it_is_kept(tender: ALiveTender) -> None:
    before = resident(tender.rehearsal)
    content = (b"x" * _MIB for _ in range(64))
    answer = httpx.post(f"{tender.rehearsal.url}{tender.path}/questions", content=content)
    assert answer.status_code == 413
    assert resident(tender.rehearsal) - before < 64 * _MIB


def test_requests_that_are_cut_off_change_nothing_until_they_are_whole(
    tender: ALiveTender,
) -> None:
    bid = uploaded(tender, 1)[0]
    body = msgspec.json.encode(bid.body)
    host, _, port = tender.rehearsal.url.removeprefix("http://").rpartition(":")
    head = (
        f"POST {tender.path}/seals HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    for sent in (0, 1, len(body) // 2, len(body) - 1):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head + body[:sent])
    state = tender.anyone.get(f"{tender.path}/bids/{bid.eid}")
    assert state["state"] == "stored"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head + body)  # whole, but nobody waits for the answer
    for _ in range(50):
        if tender.anyone.get(f"{tender.path}/bids/{bid.eid}")["state"] == "received":
            break
        time.sleep(0.1)
    again = httpx.post(f"{tender.rehearsal.url}{tender.path}/seals", content=body)
    assert again.status_code == 201
    assert act_id() != bid.act
