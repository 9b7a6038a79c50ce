"""`kaifeng verify`, `receipt`, `tenders` and the offline programs, as a stranger runs them."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from commands import kaifeng

from trading.desks.trustee import AskShare
from trading.ledger.chain import read_line
from trading.ledger.mirror import Sync, WireRecord


def test_it_says_one_line_a_step(demo: Path) -> None:
    done = kaifeng("verify", demo / "export")
    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("✓")]
    assert [line.split()[1] for line in lines] == [str(n) for n in range(1, 11)]


def test_the_live_folder_and_a_strangers_policy(demo: Path) -> None:
    assert kaifeng("verify", demo / "centre").returncode == 0
    policy = demo / "centre" / "policy.txt"
    assert kaifeng("verify", demo / "export", "--policy", policy).returncode == 0


def test_a_wrong_entry_is_named_with_exit_one(demo: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(demo / "export", tmp_path / "copy")
    path = copy / "entries.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[12] = lines[12].replace(b"envelope", b"envelopE", 1)
    path.write_bytes(b"".join(lines))
    done = kaifeng("verify", copy)
    assert done.returncode == 1
    assert "第 12 条记录" in done.stderr
    assert "Entry 12" in done.stderr


@pytest.mark.parametrize("what", ["nothing", "empty", "file"])
def test_unusable_input_is_exit_two(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "empty":
        path.mkdir()
    if what == "file":
        path.write_text("hello")
    done = kaifeng("verify", path)
    assert done.returncode == 2
    assert done.stderr.startswith("✗ KF-")


def test_another_witness_set_is_refused(demo: Path, tmp_path: Path) -> None:
    other = tmp_path / "w"
    log = (demo / "centre" / "policy.txt").read_text().split("\n")[0].split()[1]
    key = kaifeng("witness", "init", other, "--name", "stranger.example", "--log", log)
    policy = tmp_path / "policy.txt"
    policy.write_text(f"log {log}\nwitness s {key.stdout.strip()}\nquorum s\n")
    done = kaifeng("verify", demo / "export", "--policy", policy)
    assert done.returncode == 1


def test_a_receipt_is_checked_offline(demo: Path, tmp_path: Path) -> None:
    bidder, policy = demo / "bidders" / "2", demo / "centre" / "policy.txt"
    receipt = bidder / "bid.tlog-proof"
    done = kaifeng("receipt", receipt, "--policy", policy, "--envelope", bidder / "bid.kfe")
    assert done.returncode == 0
    assert done.stdout.count("✓") == 5
    assert kaifeng("verify", receipt, "--policy", policy).returncode == 0
    assert kaifeng("verify", receipt).returncode == 2
    other = demo / "bidders" / "1" / "bid.kfe"
    wrong = kaifeng("receipt", receipt, "--policy", policy, "--envelope", other)
    assert wrong.returncode == 1
    body = (bidder / "bid.kfe").read_bytes()
    altered = tmp_path / "bid.kfe"
    altered.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    wrong = kaifeng("receipt", receipt, "--policy", policy, "--envelope", altered)
    assert wrong.returncode == 1
    assert "✓ 5" not in wrong.stdout
    text = receipt.read_bytes()
    for place in (3, 30, 60, len(text) // 2, len(text) - 40, len(text) - 1):
        altered = tmp_path / "altered"
        altered.write_bytes(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :])
        assert kaifeng("receipt", altered, "--policy", policy).returncode in (1, 2), place


def test_the_list_of_tenders_follows_the_ledger(demo: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(demo / "centre", tmp_path / "centre")
    for _ in range(2):
        done = kaifeng("tenders", copy)
        assert done.returncode == 0, done.stderr
        assert "complete" in done.stdout


def test_a_trustee_answers_files_offline(demo: Path, tmp_path: Path) -> None:
    """The same program without a pipe: asked for a share of a tender it does not know."""
    lines = (demo / "export" / "entries.jsonl").read_bytes().splitlines(keepends=True)
    records = tuple(
        WireRecord(r.leaf, r.salt, r.raw) for r in (read_line(x, n) for n, x in enumerate(lines))
    )
    note = max((demo / "export" / "checkpoints").iterdir()).read_text()
    tender = json.loads((demo / "demo.json").read_text())["tender"]
    trustee = tmp_path / "trustee"
    assert (
        kaifeng("trustee", "init", trustee, "--policy", demo / "export/policy.txt").returncode == 0
    )
    appointed = kaifeng("trustee", "appoint", trustee, demo / "centre/charter.txt")
    assert appointed.returncode == 0
    for name, code in (("00000000-0000-7000-8000-000000000000", "KF-405"), (tender, "KF-4")):
        request = tmp_path / "request.json"
        request.write_bytes(msgspec.json.encode(AskShare(name, 2, Sync(0, records, note))))
        done = kaifeng("trustee", "answer", trustee, request, tmp_path / "answer.json")
        assert done.returncode == 1
        assert code in done.stderr
        assert json.loads((tmp_path / "answer.json").read_text())["type"] == "refused"
    (tmp_path / "request.json").write_text("{}")
    done = kaifeng("trustee", "answer", trustee, tmp_path / "request.json", tmp_path / "a.json")
    assert done.returncode == 2


def test_a_witness_answers_files_offline(demo: Path, tmp_path: Path) -> None:
    from trading.ledger.witness import write_request

    log = (demo / "centre" / "policy.txt").read_text().split("\n")[0].split()[1]
    folder = tmp_path / "w"
    kaifeng("witness", "init", folder, "--name", "w.example", "--log", log)
    note = min((demo / "export" / "checkpoints").iterdir()).read_text()
    request = tmp_path / "request"
    request.write_text(write_request(0, [], note))
    done = kaifeng("witness", "cosign", folder, request)
    assert done.returncode == 0
    assert done.stdout.startswith("— w.example ")
    assert kaifeng("witness", "cosign", folder, request).returncode == 1  # 409: it has seen more


def test_help_and_unknown_commands() -> None:
    assert "demo" in kaifeng("--help").stdout
    assert kaifeng("nonsense").returncode == 2
    assert kaifeng("demo", "--seconds", 0).returncode == 2
