"""The worst minutes of a running centre: kills, absent trustees, old copies, outages, full disks.

Every story ends with the same check: what was acknowledged is there, once, and the whole verifies.
Most happen to one centre, which has to stand them all.
"""

import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from bidders import Bidders, Told, check, facts_of
from commands import kaifeng
from history import go_without
from live import ALiveTender, SealedBid, enrolled, until
from pair import wait_until
from tracing import check_tracing, traced
from troubles import (
    Liar,
    Twin,
    absent,
    ballast,
    feed_of,
    head_of,
    history_of,
    log_of,
    port_of,
    revive,
    settle,
    silent,
)

from trading.kernel.instant import SystemClock
from trading.kernel.party import Role
from trading.ledger.note import Note
from web.client import Refused, hand_in
from web.rehearsal import Rehearsal

pytestmark = pytest.mark.enable_socket

_QUICK = {"publish_ms": "200", "outage_seconds": "3600"}


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal(tmp_path_factory.mktemp("centre"), settings=_QUICK) as made:
        made._port = port_of(made.nodes["one"])
        yield made


@pytest.fixture
def centre(lasting: Rehearsal) -> Iterator[Rehearsal]:
    """All its programs run again afterwards."""
    yield lasting
    for name in lasting.trustees:
        revive(lasting, name)
    if lasting.nodes["one"].process.poll() is not None:
        lasting.nodes["one"].stop()
        lasting.start_node("one")


def kill(centre: Rehearsal, name: str = "one") -> None:
    os.kill(centre.nodes[name].process.pid, signal.SIGKILL)
    centre.nodes[name].process.wait()
    centre.restart_node(name)


def with_three_bids(centre: Rehearsal) -> ALiveTender:
    tender = ALiveTender(centre, day=150, with_tokens=False)
    tender.publish()
    for number in range(3):
        tender.hand_in(f"firm-{number}", number + 1)
    return tender


def handed_in(tender: ALiveTender, bid: SealedBid) -> int:
    """Where it lies."""
    return int(hand_in(tender.anyone, tender.id, bid.path, b"", bid.act)["index"])


def seconds_to(tender: ALiveTender) -> float:
    return (tender.deadline - SystemClock().read().at).total_seconds()


# -- trustees -------------------------------------------------------------------------------------


def opened_within(tender: ALiveTender, seconds: float) -> None:
    """Of its deadline."""
    while seconds_to(tender) > -seconds and tender.phase != "opened":
        time.sleep(0.1)
    assert tender.phase == "opened"


def test_two_absent_trustees_do_not_stop_an_opening_and_three_do(centre: Rehearsal) -> None:
    tender = with_three_bids(centre)
    first, second, third, *_ = centre.trustees

    def was_refused() -> bool:
        return any(
            line.get("tender") == tender.id and line.get("code") == "KF-405"
            for line in log_of(centre)
        )

    with absent(centre, first, second):
        with absent(centre, third):
            wait_until(was_refused, "the clerk asks in vain")
            assert tender.phase == "sealed"
            assert len(facts_of(tender, "share.given/1")) == 2
        assert len(until(tender, "opened")["opened"]) == 3
    assert len(facts_of(tender, "share.given/1")) == 3


def test_a_silent_trustee_holds_nobody_up(centre: Rehearsal) -> None:
    """And three do, by the same clock: the negative control."""
    tender = with_three_bids(centre)
    first, second, third, *_ = centre.trustees
    with silent(centre, first):
        with silent(centre, second, third), pytest.raises(AssertionError, match="sealed"):
            opened_within(tender, 4)
        opened_within(tender, 30)
        assert len(tender.anyone.get(tender.path)["opened"]) == 3
    centre.restart_node()  # one that has just started leaves nobody alone for having been silent


def test_trustees_that_lie_stop_no_opening_and_who_signed_its_lie_is_blamed(
    centre: Rehearsal,
) -> None:
    tender = with_three_bids(centre)
    first, second, *_ = centre.trustees
    try:
        with (
            absent(centre, first, second),
            Liar(centre, first, signs=True).served(),
            Liar(centre, second, signs=False).served(),
        ):
            opened_within(tender, 20)
    finally:
        until(tender, "opened")  # at the latest by the true ones
    assert [fact["trustee"] for fact in facts_of(tender, "share.blamed/1")] == [1]
    assert {fact["trustee"] for fact in facts_of(tender, "share.given/1")} == {3, 4, 5}
    assert len(tender.anyone.get(tender.path)["opened"]) == 3


# -- copies ---------------------------------------------------------------------------------------


def receipt_of_newest(centre: Rehearsal) -> int:
    """The status under which it is answered."""
    newest = feed_of(centre)[-1]["entry"]["id"]
    return httpx.get(f"{centre.url}/v1/acts/{newest}/receipt").status_code


def refusals_of_witnesses(twin: Rehearsal) -> list[dict[str, Any]]:
    return [line for line in log_of(twin, "server-twin") if line.get("code") == "KF-603"]


def looks(folder: Path, urls: Sequence[str], *options: object) -> list[int]:
    """The exit codes of one monitor, look by look."""
    policy = folder / "policy.txt"
    policy.write_text(httpx.get(f"{urls[0]}/v1/policy").text)
    watch = ("--policy", policy, "--state", folder / f"watch-{time.monotonic_ns()}", *options)
    return [kaifeng("monitor", url, *watch).returncode for url in urls]


def test_of_two_live_copies_only_one_is_cosigned_and_a_monitor_sees_the_other(
    centre: Rehearsal, tmp_path: Path
) -> None:
    with Twin(centre, tmp_path / "twin") as twin:
        common = history_of(centre)
        assert history_of(twin) == common
        centre.enrol("only-here", "only-here", Role.BIDDER)
        settle(centre)
        twin.enrol("only-there", "only-there", Role.BIDDER)
        here, there = history_of(centre), history_of(twin)
        assert here[0] == there[0] == common[0] + 1
        assert here[1] != there[1]
        wait_until(lambda: len(refusals_of_witnesses(twin)) > 1, "the witnesses refuse twice")
        assert receipt_of_newest(centre) == 200
        assert receipt_of_newest(twin) == 503
        assert head_of(twin.client().text("/checkpoint")) == common
        origin = Note.parse(centre.client().text("/checkpoint")).text.split("\n")[0]
        for witness in centre.witnesses.values():
            seen = httpx.get(f"{witness.url}/latest", params={"origin": origin}).text
            assert head_of(seen) == here
        assert looks(tmp_path, [centre.url, twin.url]) == [0, 1]
        witness = next(iter(centre.witnesses.values()))
        assert looks(tmp_path, [twin.url], "--witness", witness.url) == [1]
        assert looks(tmp_path, [centre.url, centre.url], "--witness", witness.url) == [0, 0]
        assert looks(tmp_path, [twin.url, twin.url]) == [0, 0]


@contextmanager
def an_old_ledger(centre: Rehearsal, folder: Path) -> Iterator[list[str]]:
    """In the place of the centre's, which is put back at the end: a back-up, and the parties whose
    enrolment was acknowledged since.
    """
    settle(centre)
    assert kaifeng("backup", centre.data, folder / "copy").returncode == 0
    parties = [f"since-{folder.name}-{number}" for number in range(2)]
    for party in parties:
        enrolled(centre, party, Role.BIDDER)
    settle(centre)
    centre.nodes["one"].stop()
    (folder / "newest").mkdir()
    for path in centre.data.glob("ledger.db*"):
        path.rename(folder / "newest" / path.name)
    shutil.copy(folder / "copy" / "ledger.db", centre.data / "ledger.db")
    try:
        yield parties
    finally:
        centre.nodes["one"].stop()
        for path in [*centre.data.glob("ledger.db*"), *centre.data.glob("restore-approval-*")]:
            path.unlink()
        for path in (folder / "newest").iterdir():
            path.rename(centre.data / path.name)
        centre.restart_node()


def lost(centre: Rehearsal, parties: list[str]) -> list[str]:
    """Of those that were told they are enrolled, who is unknown to whoever asks."""
    statuses = {name: httpx.get(f"{centre.url}/v1/parties/{name}").status_code for name in parties}
    return [name for name, status in statuses.items() if status != 200]


def serve_once(centre: Rehearsal) -> subprocess.CompletedProcess[str]:
    settings = {f"KAIFENG_{key.upper()}": value for key, value in centre.settings.items()}
    return kaifeng("serve", "--data", centre.data, "--port", 0, timeout=30, **settings)


def approve(centre: Rehearsal, party: str) -> None:
    key = centre.folder / "parties" / f"{party}.key"
    done = kaifeng(
        *("restore", "approve", centre.data, "--party", party, "--key", key),
        KAIFENG_WITNESSES=str(centre.folder / "witnesses.txt"),
    )
    assert done.returncode == 0, done.stderr


def is_refused(centre: Rehearsal) -> bool:
    try:
        refused = serve_once(centre)
    except subprocess.TimeoutExpired:  # it is served
        return False
    return refused.returncode == 1 and "KF-708" in refused.stderr


def test_a_restored_old_copy_is_refused_until_two_persons_sign(
    centre: Rehearsal, tmp_path: Path
) -> None:
    for name in ("keeper-1", "keeper-2"):
        enrolled(centre, name, Role.PLATFORM)
    enrolled(centre, "passer-by", Role.BIDDER)
    with an_old_ledger(centre, tmp_path) as parties:
        assert is_refused(centre)
        approve(centre, "keeper-1")
        again = centre.data / "restore-approval-keeper-1-again.json"
        shutil.copy(centre.data / "restore-approval-keeper-1.json", again)
        approve(centre, "passer-by")
        assert is_refused(centre)
        approve(centre, "keeper-2")
        centre.restart_node()
        kinds = [item["entry"]["fact"]["type"] for item in feed_of(centre) if item["entry"]]
        assert kinds.count("state.restored/1") == 1
        assert kaifeng("verify", centre.data).returncode == 0
    assert lost(centre, parties) == []


def test_without_witnesses_an_old_copy_is_served_and_acknowledged_acts_are_gone(
    centre: Rehearsal, tmp_path: Path
) -> None:
    """The negative control: nobody is asked who has seen more."""
    with an_old_ledger(centre, tmp_path) as parties:
        centre.settings["witnesses"] = ""
        try:
            centre.restart_node()
        finally:
            centre.settings["witnesses"] = str(centre.folder / "witnesses.txt")
        assert lost(centre, parties) == parties
    assert lost(centre, parties) == []


# -- outages, disks, and a writer that must stop --------------------------------------------------


def test_an_outage_over_the_deadline_extends_it_by_the_published_rule(centre: Rehearsal) -> None:
    before = dict(centre.settings)
    centre.settings["outage_seconds"] = "2"
    try:
        centre.restart_node()
        quick = {"procedure": "inquiry", "invited": ["firm-1", "firm-2", "firm-3"]}
        tender = ALiveTender(centre, day=2_500, with_tokens=False, **quick)
        tender._day /= 6  # three days of the law are enough for an inquiry
        tender.publish(0)
        bid = tender.seal("firm-1", 100)
        tender.anyone.upload(tender.id, bid.path, b"")  # one day is the extension: only to seal
        centre.nodes["one"].process.kill()
        centre.nodes["one"].process.wait()
        time.sleep(seconds_to(tender) + 0.5)
        assert SystemClock().read().at > tender.deadline
        centre.restart_node()
        handed_in(tender, bid)
        view = tender.anyone.get(tender.path)
        assert datetime.fromisoformat(view["deadline"]) > tender.deadline
        entries = tender.anyone.get(f"{tender.path}/entries")
        assert entries[-1]["fact"]["type"] == "deadline.extended/1"
        assert kaifeng("verify", centre.data).returncode == 0
    finally:
        centre.settings = before
        centre.restart_node()


def test_a_writer_that_must_stop_ends_the_process(centre: Rehearsal) -> None:
    """Somebody moved the head behind our back: nothing more is acknowledged, and we go."""
    with sqlite_of(centre) as db:
        (root,) = db.execute("SELECT root FROM head").fetchone()
        db.execute("UPDATE head SET root = zeroblob(32)")
    try:
        with pytest.raises((Refused, httpx.HTTPError)):
            centre.enrol("nobody", "nobody", Role.BIDDER)
        assert centre.nodes["one"].process.wait(30) == 3
    finally:
        with sqlite_of(centre) as db:
            db.execute("UPDATE head SET root = ?", (root,))


@contextmanager
def sqlite_of(centre: Rehearsal) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(centre.data / "ledger.db")
    with ExitStack() as closing:
        closing.callback(db.close)
        yield db
        db.commit()


def test_a_disk_that_fails_ends_the_process_and_costs_no_bid(centre: Rehearsal) -> None:
    """What a failed write has left nobody knows: the next start reads it."""
    check_tracing()
    tender = ALiveTender(centre, day=300, with_tokens=False)
    tender.publish(spare=45)  # a restart beside other work takes its time
    bids = [tender.seal(f"firm-{n}", n + 1) for n in range(3)]
    for bid in bids:
        tender.anyone.upload(tender.id, bid.path, b"")
    told = Told({bids[0].eid: handed_in(tender, bids[0])})
    node, log = centre.nodes["one"].process, centre.data / "ledger.db-wal"
    failing = ("-f", "-o", "/dev/null", "-e", "inject=pwrite64:error=EIO", "-P", str(log))
    with traced(node.pid, *failing):
        with pytest.raises((Refused, httpx.HTTPError)):
            handed_in(tender, bids[1])
        assert node.wait(30) == 3
    centre.restart_node()
    told.acked |= {bid.eid: handed_in(tender, bid) for bid in bids[1:]}
    until(tender, "opened")
    check(centre, tender, bids, told)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    if subprocess.run(mount, check=False).returncode:
        go_without("the permission to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def codes_of(act: Callable[[SealedBid], object], bids: list[SealedBid]) -> set[tuple[Any, Any]]:
    """How the centre refuses to do that with each of them."""
    found = set()
    for bid in bids:
        with pytest.raises(Refused) as refused:
            act(bid)
        found.add((refused.value.facts["status"], refused.value.facts["code"]))
    return found


def test_a_full_disk_refuses_and_heals(small_disk: Path) -> None:
    """Also where the bytes had come before it was full, and only the seal is missing. The centre's
    log lies on the same disk, and what follows the ledger has just begun on a bid when it fills.
    """
    with Rehearsal(small_disk, settings=_QUICK | {"disk_reserve_mib": "1"}) as centre:
        tender = ALiveTender(centre, day=500, with_tokens=False)
        tender.publish()
        anyone, full = tender.anyone, {(503, "KF-705")}
        bids = [tender.seal(f"firm-{n}", n + 1) for n in range(8)]
        for bid in bids[1:4]:
            anyone.upload(tender.id, bid.path, b"")
        told = Told({bids[0].eid: handed_in(tender, bids[0])})
        with ballast(small_disk):
            seals = f"{tender.path}/seals"
            assert codes_of(lambda bid: anyone.anonymous(seals, bid.body), bids[1:4]) == full
            assert codes_of(lambda bid: anyone.upload(tender.id, bid.path, b""), bids[4:]) == full
            assert tender.phase == "bidding"
            assert httpx.get(f"{centre.url}/readyz").status_code == 503
        told.acked |= {bid.eid: handed_in(tender, bid) for bid in bids[1:]}
        assert httpx.get(f"{centre.url}/readyz").status_code == 200
        until(tender, "opened")
        check(centre, tender, bids, told)


# -- killed ---------------------------------------------------------------------------------------


def test_twenty_kills_between_the_first_bid_and_the_opening(centre: Rehearsal) -> None:
    tender = ALiveTender(centre, day=1_400, with_tokens=False)
    tender.publish()
    *bids, straggler = [tender.seal(f"firm-{n}", 1_000 + n) for n in range(241)]
    tender.anyone.upload(tender.id, straggler.path, straggler.token)
    bidders = Bidders(tender, bids, seconds_to(tender) + 3)
    asked, cut = [0], [0]
    for number in range(20):
        pause = (0.03, 0.1, 0.4)[number % 3]  # soon after a start much waits to be sent
        time.sleep(max(pause, seconds_to(tender) - 1) if number == 12 else pause)
        kill(centre)
        asked.append(len(bidders.asked))
        cut.append(len(bidders.cut))
    view = until(tender, "opened", "failed")
    told = bidders.join()
    assert view["phase"] == "opened"
    with pytest.raises(
        Refused
    ) as refused:  # an outage may have moved the deadline behind all others
        tender.anyone.anonymous(f"{tender.path}/seals", straggler.body)
    assert refused.value.facts["code"] == "KF-202"
    told.late.add(straggler.eid)
    check(centre, tender, [*bids, straggler], told)
    assert {item["eid"] for item in view["opened"]} >= told.acked.keys()
    assert len(view["opened"]) == len({item["eid"] for item in view["opened"]})
    assert told.acked
    assert told.unknown
    assert all(now > before for before, now in itertools.pairwise(asked)), "the traffic stood still"
    assert sum(now > before for before, now in itertools.pairwise(cut)) >= 10


def test_the_checker_goes_red_for_a_lost_acknowledgement(centre: Rehearsal) -> None:
    """The negative control: what somebody was told is not what is there."""
    tender = ALiveTender(centre, day=150, with_tokens=False)
    tender.publish()
    bids = [tender.seal(f"firm-{n}", n + 1) for n in range(4)]
    acked = {bid.eid: handed_in(tender, bid) for bid in bids[:3]}
    until(tender, "opened")
    first, second, *_, missing = (bid.eid for bid in bids)
    check(centre, tender, bids, Told(acked))
    check(centre, tender, bids, Told({first: acked[first]}, unknown={*acked, missing}))
    with pytest.raises(AssertionError, match="acknowledged and lost"):
        check(centre, tender, bids, Told(acked | {missing: 7}))
    with pytest.raises(AssertionError, match="acknowledged and lost"):
        check(centre, tender, bids, Told(acked | {first: acked[second]}))
    with pytest.raises(AssertionError, match="nobody could know"):
        check(centre, tender, bids, Told({first: acked[first]}, unknown={second}))
    with pytest.raises(AssertionError, match="refused and stored"):
        check(centre, tender, bids, Told(acked, late={second}))
