"""A tender over HTTP, from draft to contract: every institution a process of its own."""

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import kaifeng, kaifeng_command
from database import Server
from live import ALiveTender, enrolled, until

from trading.envelope.layout import PREFIX, Prefix
from trading.envelope.seal import BidKey, withdrawal_message
from trading.kernel.party import Role
from trading.ledger.receipt import check_receipt
from web.client import Refused, act_id
from web.rehearsal import Rehearsal

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def centre(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rehearsal]:
    url = ""
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
    folder = tmp_path_factory.mktemp(request.param)
    with Rehearsal(folder, database=url, settings={"publish_ms": "200"}) as made:
        if url:
            made.start_node("two")
        yield made


def test_a_tender_from_draft_to_contract(centre: Rehearsal) -> None:
    tender = ALiveTender(centre)
    tender.publish()
    bids = [tender.hand_in(f"firm-{n}", 10_000_000 + n) for n in range(3)]
    hidden = tender.anyone.get(tender.path)
    assert (hidden["opened"], hidden["height"]) == ([], 0)
    view = until(tender, "opened")
    assert [item["price"] for item in view["opened"]] == [10_000_000, 10_000_001, 10_000_002]
    tender.panel.act(f"{tender.path}/recommendation", {})
    ends = datetime.now(UTC) + timedelta(seconds=1.5)  # noqa: TID251
    tender.owner.act(f"{tender.path}/publicity", {"until": ends})
    time.sleep(1.7)
    award = {"awards": [{"lot": 1, "eid": bids[0].eid}]}
    tender.owner.act(f"{tender.path}/awards", award)
    tender.owner.act(f"{tender.path}/award-notice", {})
    assert tender.owner.act(f"{tender.path}/contracts", {"lot": 1})["phase"] == "complete"
    receipt = check_receipt(tender.anyone.text(f"/v1/acts/{bids[1].act}/receipt"), tender.policy())
    assert receipt.entry.id == bids[1].act
    assert tender.anyone.get(f"{tender.path}/bids/{bids[1].eid}")["state"] == "opened"


def test_the_same_seal_is_one_act_in_every_node(centre: Rehearsal) -> None:
    tender = ALiveTender(centre, day=500)
    tender.publish(10)
    bid = tender.hand_in("firm-1", 100)
    answers = [
        httpx.post(f"{node.url}{tender.path}/seals", content=encoded(bid.body)).json()
        for node in centre.nodes.values()
        for _ in range(3)
    ]
    assert all(answer == answers[0] for answer in answers)
    other = tender.seal("firm-2", 200)
    changed = other.body | {"id": bid.act}
    tender.anyone.upload(tender.id, other.path, other.token)
    for node in centre.nodes.values():
        answer = httpx.post(f"{node.url}{tender.path}/seals", content=encoded(changed))
        assert (answer.status_code, answer.json()["code"]) == (409, "KF-103")


def encoded(body: dict[str, Any]) -> bytes:
    import msgspec

    return msgspec.json.encode(body)


def test_replaced_and_withdrawn_bids_are_not_opened(centre: Rehearsal) -> None:
    tender = ALiveTender(centre)
    tender.publish(4)
    key = BidKey()
    first = tender.hand_in("firm-1", 500, key=key)
    old = Prefix.parse(first.path.read_bytes()[:PREFIX])
    second = tender.hand_in("firm-1", 400, key=key, replaces=old)
    gone_key = BidKey()
    gone = tender.hand_in("firm-2", 300, key=gone_key)
    prefix = Prefix.parse(gone.path.read_bytes()[:PREFIX])
    signature = gone_key.sign(withdrawal_message(prefix, prefix.header.seq)).hex()
    withdrawal = {"id": act_id(), "eid": gone.eid, "signature": signature}
    for _ in range(2):
        tender.anyone.anonymous(f"{tender.path}/withdrawals", withdrawal)
    for number in range(3, 5):
        tender.hand_in(f"firm-{number}", number)
    states = {
        bid.eid: tender.anyone.get(f"{tender.path}/bids/{bid.eid}")["state"]
        for bid in (first, second, gone)
    }
    assert states == {first.eid: "replaced", second.eid: "received", gone.eid: "withdrawn"}
    view = until(tender, "opened")
    assert sorted(item["price"] for item in view["opened"]) == [3, 4, 400]


def test_too_few_bidders_and_late_bids(centre: Rehearsal) -> None:
    tender = ALiveTender(centre)
    tender.publish()
    late = tender.seal("firm-1", 100)
    tender.anyone.upload(tender.id, late.path, late.token)
    tender.hand_in("firm-2", 100)
    assert until(tender, "failed")["opened"] == []
    with pytest.raises(Refused) as refused:
        tender.anyone.anonymous(f"{tender.path}/seals", late.body)
    assert refused.value.facts["code"] == "KF-202"


def test_a_token_is_good_for_one_envelope_of_its_own_tender(centre: Rehearsal) -> None:
    tender, other = ALiveTender(centre, day=500), ALiveTender(centre, day=500)
    for one in (tender, other):
        one.publish(5)
    used = tender.hand_in("firm-1", 100)
    second = tender.seal("firm-1", 200)
    for token in (used.token, other.take_token("firm-1"), b"", second.token[:-1] + b"x"):
        with pytest.raises(Refused) as refused:
            tender.anyone.upload(tender.id, second.path, token)
        assert refused.value.facts["code"] == "KF-312"


def test_two_persons_suspend_and_resume_and_the_clock_stands_still(centre: Rehearsal) -> None:
    tender = ALiveTender(centre)
    tender.publish(5)
    one = enrolled(centre, "inspector-1", Role.INSPECTOR)
    two = enrolled(centre, "inspector-2", Role.INSPECTOR)
    bid = tender.seal("firm-1", 100)
    one.act(f"{tender.path}/suspension-request", {"ground": "停电"})
    with pytest.raises(Refused) as alone:
        one.act(f"{tender.path}/suspension", {})
    assert alone.value.facts["code"] == "KF-209"
    two.act(f"{tender.path}/suspension", {})
    tender.anyone.upload(tender.id, bid.path, bid.token)
    with pytest.raises(Refused) as paused:
        tender.anyone.anonymous(f"{tender.path}/seals", bid.body)
    assert paused.value.facts["code"] == "KF-209"
    time.sleep(2.1)
    two.act(f"{tender.path}/resumption-request", {"ground": "供电恢复"})
    one.act(f"{tender.path}/resumption", {})
    later = datetime.fromisoformat(tender.anyone.get(tender.path)["deadline"])
    assert later - tender.deadline >= timedelta(seconds=3)
    tender.anyone.anonymous(f"{tender.path}/seals", bid.body)


def test_the_feed_shows_everything_once_and_no_bid_before_the_opening(centre: Rehearsal) -> None:
    tender = ALiveTender(centre, day=500)
    tender.publish(10)
    bid = tender.hand_in("firm-1", 4_711_4711)
    client, cursor, seen = tender.anyone, 0, []
    while True:
        page = client.get("/v1/feed", cursor=cursor, limit=7)
        if not page["items"]:
            break
        seen += page["items"]
        cursor = page["next"]
    assert [item["index"] for item in seen] == list(range(len(seen)))
    index = client.get(f"{tender.path}/bids/{bid.eid}")["index"]
    assert seen[index]["entry"] is None
    shown = client.get(f"{tender.path}/entries")
    assert not any("envelope" in entry["fact"]["type"] for entry in shown)


def test_covers_hide_the_number_of_bids_and_are_reconciled_at_the_opening(
    centre: Rehearsal, tmp_path: Path
) -> None:
    tender = ALiveTender(centre, day=500)
    tender.publish(4)
    enrolled(centre, "notary", Role.WITNESS)
    (tmp_path / "policy.txt").write_text(centre.client().text("/v1/policy"))
    command = kaifeng_command(
        *("cover", tmp_path / "covers", "--url", centre.url, "--tender", tender.id),
        *("--policy", tmp_path / "policy.txt", "--party", "notary"),
        *("--key", centre.folder / "parties" / "notary.key"),
        *("--most", 6, "--every", 1, "--per-beat", 3),
    )
    maker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for number in range(3):
        tender.hand_in(f"firm-{number}", 100 + number)
    said, _ = maker.communicate(timeout=120)
    assert maker.returncode == 0
    covers = said.count("掩护信封")
    assert covers > 0
    view = until(tender, "opened")
    assert sorted(item["price"] for item in view["opened"]) == [100, 101, 102]
    entries = tender.anyone.get(f"{tender.path}/entries")
    kinds = [entry["fact"]["type"] for entry in entries]
    assert kinds.count("envelope.received/1") == 3 + covers
    assert kinds.count("covers.revealed/1") == 1


def test_a_back_up_of_the_running_centre_comes_back_whole(
    centre: Rehearsal, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    here, there = ["--database", centre.database], list[str]()
    if centre.database:
        there = ["--database", request.getfixturevalue("postgres").database()]
    else:
        assert kaifeng("verify", centre.data).returncode == 0
    done = kaifeng("backup", centre.data, tmp_path / "copy", *here)
    assert done.returncode == 0, done.stderr
    assert kaifeng("verify", tmp_path / "copy").returncode == 0
    done = kaifeng("restore", "from", tmp_path / "copy", tmp_path / "back", *there)
    assert done.returncode == 0, done.stderr
    again = kaifeng("backup", tmp_path / "back", tmp_path / "again", *there)
    assert again.returncode == 0, again.stderr
    assert entries(tmp_path / "again") == entries(tmp_path / "copy")
    assert kaifeng("restore", "from", tmp_path / "copy", tmp_path / "back", *there).returncode == 2


def entries(folder: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "ledger.db") as db:
        found = db.execute("SELECT * FROM entry ORDER BY idx").fetchall()
    db.close()
    return found


def test_a_stranger_watches(centre: Rehearsal, tmp_path: Path) -> None:
    (tmp_path / "policy.txt").write_text(centre.client().text("/v1/policy"))
    words = [word for w in centre.witnesses.values() for word in ("--witness", w.url)]
    for _ in range(2):
        seen = kaifeng(
            *("monitor", centre.url, "--policy", tmp_path / "policy.txt"),
            *("--state", tmp_path / "state", *words),
        )
        assert seen.returncode == 0, seen.stderr
