"""Before the opening nothing kept, said or remembered tells a bid, a bidder or their number."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from history import go_without
from live import ALiveTender, until

from web.rehearsal import Rehearsal

pytestmark = pytest.mark.enable_socket

NAME, PRICE = "canary-7d41f0", 918_273_645
_CANARIES = [NAME.encode(), str(PRICE).encode(), f"{NAME} 公司".encode()]


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Rehearsal]:
    with Rehearsal(tmp_path, settings={"publish_ms": "200"}) as made:
        yield made


def everything_said(centre: Rehearsal, tender: ALiveTender) -> dict[str, bytes]:
    """What anyone can ask for."""
    paths = [
        "/v1/feed?limit=1000",
        "/v1/tenders",
        tender.path,
        f"{tender.path}/entries",
        "/v1/deadlines",
        "/checkpoint",
        "/metrics",
        "/readyz",
        "/schema/openapi.json",
    ]
    return {path: httpx.get(f"{centre.url}{path}").content for path in paths}


def everything_kept(centre: Rehearsal) -> dict[str, bytes]:
    """The server's folder and its log, whatever is in them, and those of witnesses and trustees."""
    folders = ["centre", "logs", *(f"witness-{name}" for name in centre.witnesses)]
    folders += [f"trustee-{name}" for name in centre.trustees]
    return {
        str(path.relative_to(centre.folder)): path.read_bytes()
        for folder in folders
        for path in (centre.folder / folder).rglob("*")
        if path.is_file()
    }


def memory_of(centre: Rehearsal, place: Path) -> bytes:
    pid = centre.nodes["one"].process.pid
    try:
        subprocess.run(
            ["gcore", "-o", str(place / "core"), str(pid)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        go_without(f"gcore: {error!r}")
    return (place / f"core.{pid}").read_bytes()


def telling(found: dict[str, bytes]) -> list[str]:
    return [name for name, content in found.items() for word in _CANARIES if word in content]


def test_no_plaintext_of_a_bid_anywhere_before_the_opening(
    centre: Rehearsal, tmp_path: Path
) -> None:
    tender = ALiveTender(centre, day=1_500, with_tokens=False)
    tender.publish()
    for number in range(3):
        bid = tender.seal(NAME if not number else f"firm-{number}", PRICE + number)
        tender.anyone.upload(tender.id, bid.path, b"")
        tender.anyone.anonymous(f"{tender.path}/seals", bid.body)
    assert telling(everything_said(centre, tender)) == []
    assert telling(everything_kept(centre)) == []
    assert telling({"memory": memory_of(centre, tmp_path)}) == []
    until(tender, "opened")
    assert tender.path in telling(everything_said(centre, tender))
    assert telling({"memory": memory_of(centre, tmp_path)}), "the control: now it is no secret"


def test_what_anyone_sees_of_a_tender_is_the_same_with_bids_and_without(centre: Rehearsal) -> None:
    tender = ALiveTender(centre, day=5_000)
    tender.publish()
    asked = (tender.path, f"{tender.path}/entries", "/v1/tenders", "/v1/deadlines")
    before = {path: httpx.get(f"{centre.url}{path}").content for path in asked}
    for number in range(5):
        tender.hand_in(f"firm-{number}", 100 + number)
    after = {path: httpx.get(f"{centre.url}{path}").content for path in asked}
    assert after == before
    feed = tender.anyone.get("/v1/feed", limit=1000)["items"]
    sealed = [item for item in feed if item["entry"] is None]
    assert {item["leaf"][:2] for item in sealed} == {"01"}
    assert all(item["salt"] == "" for item in sealed)
