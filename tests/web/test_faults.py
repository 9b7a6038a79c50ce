"""The worst minutes of a running centre: kills, absent trustees, old copies, outages, full disks.

Every story ends with the same check: what was acknowledged is there, once, and the whole verifies.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import kaifeng
from live import ALiveTender, SealedBid, enrolled, until

from trading.kernel.instant import SystemClock
from trading.kernel.party import Role
from web.client import Refused, hand_in
from web.rehearsal import Rehearsal

pytestmark = pytest.mark.enable_socket

_QUICK = {"publish_ms": "200", "outage_seconds": "3600"}


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Rehearsal]:
    with Rehearsal(tmp_path, settings=_QUICK) as made:
        yield made


class Bidders:
    """Clients that never give up before the end; what they were told is kept."""

    def __init__(self, tender: ALiveTender, bids: list[SealedBid], clients: int) -> None:
        self._tender = tender
        self.acked: dict[str, int] = {}
        self.ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(bids[n::clients],)) for n in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _work(self, bids: list[SealedBid]) -> None:
        client = self._tender.rehearsal.client()
        for bid in bids:
            while not self.ended.is_set():
                try:
                    done = hand_in(client, self._tender.id, bid.path, bid.token, bid.act)
                except (httpx.HTTPError, Refused) as error:
                    if isinstance(error, Refused) and error.facts["code"] == "KF-202":
                        return
                    time.sleep(0.05)
                    continue
                self.acked[bid.eid] = done["index"]
                break

    def join(self) -> None:
        for thread in self._threads:
            thread.join()


def kill(centre: Rehearsal, name: str = "one") -> None:
    os.kill(centre.nodes[name].process.pid, signal.SIGKILL)
    centre.nodes[name].process.wait()
    centre.restart_node(name)


def check(
    centre: Rehearsal, tender: ALiveTender, bids: list[SealedBid], acked: dict[str, int]
) -> None:
    """acked ⊆ stored ⊆ tried, nothing twice, every entry where it was said to be."""
    entries = tender.anyone.get(f"{tender.path}/entries")
    received = [e for e in entries if e["fact"]["type"] == "envelope.received/1"]
    states = {bid.eid: tender.anyone.get(f"{tender.path}/bids/{bid.eid}") for bid in bids}
    stored = {eid: state["index"] for eid, state in states.items() if state["index"] is not None}
    assert acked.items() <= stored.items()
    assert len(received) == len(stored)
    assert kaifeng("verify", centre.data).returncode == 0


def test_twenty_kills_between_the_first_bid_and_the_opening(centre: Rehearsal) -> None:
    tender = ALiveTender(centre, day=4_000, with_tokens=False)
    tender.publish()
    bids = [tender.seal(f"firm-{n}", 1_000 + n) for n in range(240)]
    bidders = Bidders(tender, bids, 6)
    for _ in range(12):
        time.sleep(0.3)
        kill(centre)
    left = (tender.deadline - SystemClock().read().at).total_seconds()
    time.sleep(max(0.0, left - 1))
    for _ in range(8):
        time.sleep(0.4)
        kill(centre)
    bidders.ended.set()
    bidders.join()
    view = until(tender, "opened", "failed")
    assert view["phase"] == "opened"
    assert bidders.acked
    check(centre, tender, bids, bidders.acked)
    assert len(view["opened"]) == len({item["eid"] for item in view["opened"]})
    assert {item["eid"] for item in view["opened"]} >= set(bidders.acked)


def test_the_checker_goes_red_for_a_lost_acknowledgement(centre: Rehearsal) -> None:
    """The negative control: somebody claims to have been acknowledged, and was not."""
    tender = ALiveTender(centre, day=300, with_tokens=False)
    tender.publish()
    bids = [tender.seal(f"firm-{n}", n + 1) for n in range(4)]
    for bid in bids[:3]:
        hand_in(tender.anyone, tender.id, bid.path, b"", bid.act)
    until(tender, "opened")
    with pytest.raises(AssertionError):
        check(centre, tender, bids, {bids[3].eid: 7})


def test_two_absent_trustees_do_not_stop_an_opening_and_three_do(centre: Rehearsal) -> None:
    tenders = []
    for _ in range(2):
        tender = ALiveTender(centre, day=400, with_tokens=False)
        tender.publish(1)
        for number in range(3):
            bid = tender.seal(f"firm-{number}", number + 1)
            hand_in(tender.anyone, tender.id, bid.path, b"", bid.act)
        tenders.append(tender)
    programs = list(centre.trustees.values())
    for program in programs[:2]:
        program.process.kill()
    assert len(until(tenders[0], "opened")["opened"]) == 3
    os.kill(programs[2].process.pid, signal.SIGSTOP)  # silent, not gone
    until(tenders[1], "sealed", "opened")
    os.kill(programs[2].process.pid, signal.SIGCONT)
    assert len(until(tenders[1], "opened")["opened"]) == 3


def test_a_restored_old_copy_is_refused_until_two_persons_sign(
    centre: Rehearsal, tmp_path: Path
) -> None:
    for name in ("keeper-1", "keeper-2"):
        enrolled(centre, name, Role.PLATFORM)
    time.sleep(1)
    copy = tmp_path / "copy"
    assert kaifeng("backup", centre.data, copy).returncode == 0
    ALiveTender(centre)
    time.sleep(1)
    centre.nodes["one"].stop()
    for path in centre.data.glob("ledger.db*"):
        path.unlink()
    shutil.copy(copy / "ledger.db", centre.data / "ledger.db")
    refused = serve_once(centre)
    assert refused.returncode == 1
    assert "KF-708" in refused.stderr
    for number in (1, 2):
        assert "KF-708" in serve_once(centre).stderr
        key = centre.folder / "parties" / f"keeper-{number}.key"
        done = kaifeng(
            *("restore", "approve", centre.data, "--party", f"keeper-{number}", "--key", key),
            KAIFENG_WITNESSES=str(centre.folder / "witnesses.txt"),
        )
        assert done.returncode == 0, done.stderr
    centre.restart_node()
    feed = centre.client().get("/v1/feed", limit=1000)["items"]
    kinds = [item["entry"]["fact"]["type"] for item in feed if item["entry"]]
    assert kinds.count("state.restored/1") == 1


def serve_once(centre: Rehearsal) -> subprocess.CompletedProcess[str]:
    environment = {f"KAIFENG_{key.upper()}": value for key, value in centre.settings.items()}
    return kaifeng("serve", "--data", centre.data, "--port", 0, **environment)


def test_of_two_live_copies_only_one_is_cosigned_and_a_monitor_sees_the_other(
    centre: Rehearsal, tmp_path: Path
) -> None:
    (tmp_path / "policy.txt").write_text(centre.client().text("/v1/policy"))
    watch = ("--policy", tmp_path / "policy.txt", "--state", tmp_path / "watch")
    time.sleep(1)
    twin = tmp_path / "twin"
    shutil.copytree(centre.data, twin / "centre")
    with Twin(centre, twin / "centre") as other:
        enrolled(centre, "only-here", Role.BIDDER)
        time.sleep(1)
        assert kaifeng("monitor", centre.url, *watch).returncode == 0
        time.sleep(1)
        seen = kaifeng("monitor", other.url, *watch)
        assert seen.returncode == 1, seen.stdout + seen.stderr
        assert "ALARM" in seen.stderr
        ready = httpx.get(f"{other.url}/healthz")
        assert ready.status_code == 200


class Twin:
    """The same centre once more, from a copy of its folder."""

    def __init__(self, centre: Rehearsal, data: Path) -> None:
        self._centre, self._data = centre, data

    def __enter__(self) -> Any:
        self._centre.data, kept = self._data, self._centre.data
        self._program = self._centre.start_node("twin")
        self._centre.data = kept
        return self._program

    def __exit__(self, *_: object) -> None:
        self._program.stop()


def test_an_outage_over_the_deadline_extends_it_by_the_published_rule(tmp_path: Path) -> None:
    with Rehearsal(tmp_path, settings=_QUICK | {"outage_seconds": "2"}) as centre:
        tender = ALiveTender(centre, day=200, with_tokens=False)
        tender.publish(2)
        bid = tender.seal("firm-1", 100)
        centre.nodes["one"].process.kill()
        centre.nodes["one"].process.wait()
        time.sleep(7)
        assert SystemClock().read().at > tender.deadline
        centre.restart_node()
        view = tender.anyone.get(tender.path)
        assert datetime.fromisoformat(view["deadline"]) > tender.deadline
        hand_in(tender.anyone, tender.id, bid.path, b"", bid.act)
        entries = tender.anyone.get(f"{tender.path}/entries")
        assert entries[-1]["fact"]["type"] == "deadline.extended/1"
        assert kaifeng("verify", centre.data).returncode == 0


def test_a_writer_that_must_stop_ends_the_process(centre: Rehearsal) -> None:
    """Somebody moved the head behind our back: nothing more is acknowledged, and we go."""
    db = sqlite3.connect(centre.data / "ledger.db")
    db.execute("UPDATE head SET root = zeroblob(32)")
    db.commit()
    db.close()
    with pytest.raises((Refused, httpx.HTTPError)):
        centre.enrol("nobody", "nobody", Role.BIDDER)
    assert centre.nodes["one"].process.wait(30) == 3


def test_a_full_disk_refuses_and_heals(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        with Rehearsal(place, settings=_QUICK | {"disk_reserve_mib": "1"}) as centre:
            _fill_and_heal(centre, place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fill_and_heal(centre: Rehearsal, place: Path) -> None:
    tender = ALiveTender(centre, day=3_000, with_tokens=False)
    tender.publish()
    bids = [tender.seal(f"firm-{n}", n + 1) for n in range(6)]
    hand_in(tender.anyone, tender.id, bids[0].path, b"", bids[0].act)
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65_536)
        except OSError:
            pass
    codes = set()
    for bid in bids[1:]:
        try:
            hand_in(tender.anyone, tender.id, bid.path, b"", bid.act)
        except Refused as refused:
            codes.add(refused.facts["code"])
    assert codes == {"KF-705"}
    assert tender.anyone.get(tender.path)["phase"] == "bidding"
    assert httpx.get(f"{centre.url}/readyz").status_code == 503
    ballast.unlink()
    for bid in bids:
        hand_in(tender.anyone, tender.id, bid.path, b"", bid.act)
    assert httpx.get(f"{centre.url}/readyz").status_code == 200
