"""A whole centre whose envelopes lie in a bucket: from the upload to a back-up that verifies."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from bucket import Bucket
from builders import ABid
from commands import kaifeng
from edge import JSON, URL, TestEdge, seal_body
from live import ALiveTender, SealedBid, until

from trading.kernel.canonical import canonical
from trading.kernel.errors import StoreUnreachable
from trading.kernel.objects import Objects
from trading.tender import Phase
from web.client import Refused, hand_in
from web.rehearsal import Rehearsal
from web.uploads import Uploads

pytestmark = pytest.mark.enable_socket

_PREFIX = "one"


@pytest.fixture(scope="module")
def centre(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    settings = {"objects": f"{bucket.url}/{_PREFIX}", "publish_ms": "200"}
    with Rehearsal(tmp_path_factory.mktemp("bucket"), settings=settings) as made:
        yield made


def test_a_tender_opens_out_of_the_bucket_and_its_back_up_verifies(
    centre: Rehearsal, bucket: Bucket
) -> None:
    tender = ALiveTender(centre, day=100, with_tokens=False)
    tender.publish()
    bids = [tender.hand_in(f"firm-{n}", 100 + n) for n in range(3)]
    eids = {bid.eid for bid in bids}
    assert eids <= set(bucket.under(_PREFIX).names())
    assert not [path for path in centre.data.rglob("*") if path.stem in eids], "kept here as well"
    view = until(tender, "opened", "failed")
    assert sorted(item["price"] for item in view["opened"]) == [100, 101, 102]
    copy = centre.folder / "copy"
    done = kaifeng("backup", centre.data, copy, KAIFENG_OBJECTS=centre.settings["objects"])
    assert done.returncode == 0, done.stderr
    assert eids <= {path.stem for path in (copy / "envelopes").iterdir()}
    whole = kaifeng("verify", copy)
    assert (whole.returncode, "全部" in whole.stdout) == (0, True), whole.stderr
    (copy / "envelopes" / f"{bids[0].eid}.kfe").unlink()
    broken = kaifeng("verify", copy)
    assert (broken.returncode, "KF-604" in broken.stderr) == (1, True), "the control"


def sent(tender: ALiveTender, bid: SealedBid) -> list[tuple[Any, Any]]:
    """Status and code of the upload and of the seal, each sent once."""
    answers: list[tuple[Any, Any]] = []
    try:
        tender.anyone.upload(tender.id, bid.path, bid.token)
        answers.append((204, None))
    except Refused as refused:
        answers.append((refused.facts["status"], refused.facts["code"]))
    url, content = f"{tender.rehearsal.url}{tender.path}/seals", msgspec.json.encode(bid.body)
    sealed = httpx.post(url, content=content, timeout=60)
    assert sealed.status_code != 503 or int(sealed.headers["retry-after"]) > 0
    return [*answers, (sealed.status_code, sealed.json().get("code"))]


def test_without_the_bucket_nothing_is_taken_and_afterwards_everything_goes_on(
    centre: Rehearsal, bucket: Bucket
) -> None:
    tender = ALiveTender(centre, day=3_000)
    tender.publish()
    before, bid = tender.hand_in("firm-1", 100), tender.seal("firm-2", 200)
    feed = tender.anyone.get("/v1/feed", limit=1000)["next"]
    with bucket.away():
        assert sent(tender, bid) == [(503, StoreUnreachable.code)] * 2
        assert tender.anyone.get("/v1/feed", limit=1000)["next"] == feed
        again = hand_in(tender.anyone, tender.id, before.path, before.token, before.act)
        assert again["index"] < feed, "what was acknowledged is acknowledged again"
    headers = {"Upload-Length": str(bid.path.stat().st_size), "Upload-Token": bid.token.hex()}
    place = httpx.post(f"{centre.url}{tender.path}/uploads", headers=headers).headers
    assert place["upload-offset"] == headers["Upload-Length"], "no byte is sent again"
    assert sent(tender, bid) == [(204, None), (201, None)], "the control: now it is taken"
    assert tender.anyone.get(f"{tender.path}/bids/{bid.eid}")["index"] == feed
    assert {before.eid, bid.eid} <= set(bucket.under(_PREFIX).names())


class Silent:
    """A store behind a network that says nothing until it is told to."""

    is_local = False

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.asked, self.speaks = threading.Event(), threading.Event()

    def __contains__(self, name: str) -> bool:
        self.asked.set()
        self.speaks.wait(10)
        return name in self._objects

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)


def check_nobody_waits_for_a_silent_store(edge: TestEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    """But the one whose envelope it is asked for."""
    story = edge.tender(Phase.BIDDING)
    content = canonical(seal_body(ABid("91330", 9_000_000).seal(story.state)))
    store, path = Silent(edge.centre.objects), f"{URL}/v1/tenders/{story.tender}"
    monkeypatch.setattr(edge.ports.uploads, "_objects", store)
    transport = httpx.ASGITransport(edge.app)

    async def beside() -> tuple[bool, int]:
        """Whether a read was answered while the store was silent; the answer to the seal."""
        async with httpx.AsyncClient(transport=transport, timeout=60) as client:
            seal = asyncio.create_task(client.post(f"{path}/seals", content=content, headers=JSON))
            await asyncio.to_thread(store.asked.wait, 10)
            await client.get(path)
            was_silent = not store.speaks.is_set()
            store.speaks.set()
            return was_silent, (await seal).status_code

    ends = threading.Timer(3, store.speaks.set)  # or nobody would ever tell it to speak
    ends.start()
    found = edge.run(beside())
    ends.cancel()
    assert found == (True, 409), "a reader waited for the store"


def test_a_store_that_says_nothing_holds_up_nobody_else(
    edge: TestEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_nobody_waits_for_a_silent_store(edge, monkeypatch)


def test_asked_on_the_event_loop_a_silent_store_holds_up_everybody(
    edge: TestEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""

    async def has(self: Uploads, eid: str) -> bool:
        return self.is_stored(eid)

    monkeypatch.setattr(Uploads, "has", has)
    with pytest.raises(AssertionError, match="a reader waited"):
        check_nobody_waits_for_a_silent_store(edge, monkeypatch)
