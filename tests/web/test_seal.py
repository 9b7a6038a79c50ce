"""`kaifeng seal` on the bidder's machine: it checks, packs, seals, and overwrites nothing."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from commands import kaifeng

from trading.envelope.content import Bidder
from trading.envelope.layout import PREFIX, Address, Prefix, Stage
from web.commands.seal import _manifest, _Options
from web.maker import write_record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bid"
    made.mkdir()
    (made / "报价表.txt").write_text("一七〇〇")
    (made / "drawing.bin").write_bytes(bytes(100_000))
    return made


def seal(
    demo: Path, folder: Path, out: Path, **changes: object
) -> subprocess.CompletedProcess[str]:
    options: dict[str, object] = {
        "invitation": demo / "invitation.tlog-proof",
        "policy": demo / "centre/policy.txt",
        "charter": demo / "centre/charter.txt",
        "bidder": "91330",
        "name": "我公司",
        "price": "1700.00",
    } | changes
    words = [
        word
        for name, value in options.items()
        if value is not None
        for word in ([f"--{name}"] if value is True else [f"--{name}", value])
    ]
    return kaifeng("seal", folder, *words, "--out", out)


def test_a_folder_is_sealed_to_the_committee_of_the_ledger(
    demo: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bid.kfe"
    done = seal(demo, folder, out)
    assert done.returncode == 0, done.stderr
    assert "2 个文件" in done.stdout
    assert "壹仟柒佰元整" in done.stdout
    prefix = Prefix.parse(out.read_bytes()[:PREFIX])
    tender = json.loads((demo / "demo.json").read_text())["tender"]
    assert prefix.header.tender.hex() == tender.replace("-", "")
    assert out.with_suffix(".key").stat().st_mode & 0o077 == 0


def test_blanks_typed_around_number_and_name_are_not_sealed(folder: Path) -> None:
    """The certificate has none: the bid would be nobody's, and the firm another one."""
    wanted: dict[str, Any] = dict.fromkeys(_Options.__struct_fields__)
    typed = {"folder": folder, "bidder": " 91330 ", "name": "我公司\u3000", "lot": 1, "price": "1"}
    options = _Options(**(wanted | typed | {"currency": "CNY"}))
    address = Address("01a2", 1, Stage.PRICE, b"", b"")
    assert _manifest(options, address).bidder == Bidder("91330", "我公司")


def test_a_replacement_keeps_the_pseudonym_and_the_cokey(
    demo: Path, folder: Path, tmp_path: Path
) -> None:
    old, new = tmp_path / "a.kfe", tmp_path / "b.kfe"
    assert seal(demo, folder, old, **{"with-cokey": True}).returncode == 0
    assert seal(demo, folder, new, replaces=old, price="1600").returncode == 0
    one, two = (Prefix.parse(p.read_bytes()[:PREFIX]) for p in (old, new))
    assert (two.header.seq, two.header.vk, two.header.ck) == (1, one.header.vk, one.header.ck)
    assert one.header.has_cokey


def test_nothing_is_overwritten_and_nothing_secret_is_packed(
    demo: Path, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bid.kfe"
    assert seal(demo, folder, out).returncode == 0
    before = {p.name: p.read_bytes() for p in tmp_path.glob("bid.*")}
    assert seal(demo, folder, out).returncode == 2
    assert {p.name: p.read_bytes() for p in tmp_path.glob("bid.*")} == before
    assert seal(demo, folder, tmp_path / "x.key").returncode == 2
    assert seal(demo, folder, folder / "x.kfe").returncode == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": ""}, 2),
        ({"price": "0"}, 2),
        ({"price": "1.234"}, 2),
        ({"price": None}, 1),
        ({"lot": "0"}, 2),
        ({"lot": "-1"}, 2),
        ({"bidder": " "}, 2),
        ({"name": ""}, 2),
        ({"identity": "garbage"}, 1),
        ({"invitation": "garbage"}, 1),
        ({"policy": "garbage"}, 1),
        ({"charter": "garbage"}, 1),
        ({"charter": "other"}, 1),
        ({"invitation": "receipt"}, 1),
    ],
)
def test_what_does_not_fit_is_refused(
    demo: Path, folder: Path, tmp_path: Path, changes, code
) -> None:
    files = {
        "garbage": tmp_path / "garbage",
        "other": tmp_path / "other",
        "receipt": demo / "bidders/1/bid.tlog-proof",
    }
    files["garbage"].write_text("garbage")
    files["garbage"].chmod(0o600)
    files["other"].write_text(f"threshold 1\ntrustee x {'ab' * 32}\n")
    changes = {name: files.get(value, value) for name, value in changes.items()}
    done = seal(demo, folder, tmp_path / "bid.kfe", **changes)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "bid.kfe").exists()


def test_what_cannot_be_packed_is_named(demo: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "sub").mkdir()
    done = seal(demo, folder, tmp_path / "bid.kfe")
    assert done.returncode == 2
    assert "sub" in done.stderr
    (folder / "sub").rmdir()
    (folder / "link").symlink_to("/etc/passwd")
    assert seal(demo, folder, tmp_path / "bid.kfe").returncode == 2


@pytest.mark.parametrize("command", [("tenders",), ("export", "out")])
def test_listing_and_exporting_never_create_a_ledger(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    name, *rest = command
    done = kaifeng(name, tmp_path, *(tmp_path / word for word in rest))
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_demo_leaves_other_peoples_files_alone(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = kaifeng("demo", "--once", "--out", tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "thesis.txt").exists()
    copy = shutil.copytree(demo, tmp_path / "copy")
    (copy / "thesis.txt").write_text("years of work")
    again = kaifeng("demo", "--once", "--out", copy, "--day", 50)
    assert again.returncode == 0, again.stderr
    assert (copy / "thesis.txt").exists()


def test_names_out_of_records_are_only_text(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    bid = {
        "id": "1",
        "value": {"amount": 5},
        "tenderers": [{"id": "x", "name": "[/]\x1b[2J[reverse]"}],
    }
    path.write_text(json.dumps({"ocid": "x", "tender": {}, "bids": {"details": [bid]}}))
    done = kaifeng("replay", path)
    assert done.returncode == 0, done.stderr
    assert "[reverse]" in done.stdout
    assert "\x1b[2J" not in done.stdout


def test_a_makers_record_is_hashed_for_the_tender_and_in_sight(
    demo: Path, folder: Path, tmp_path: Path
) -> None:
    (folder / "maker.json").write_text('{"payer": "6222", "staff": ["张三"]}', "utf-8")
    out = tmp_path / "bid.kfe"
    done = seal(demo, folder, out, **{"with-maker": True, "dongle": "DG-7"})
    assert done.returncode == 0, done.stderr
    assert "maker.json" in done.stdout
    record = json.loads((folder / "maker.json").read_text("utf-8"))
    assert (record["payer"], record["staff"]) == ("6222", ["张三"])
    assert len(record["dongle"]) == 64
    assert "DG-7" not in (folder / "maker.json").read_text("utf-8")
    write_record(folder, "another tender", "DG-7")
    other = json.loads((folder / "maker.json").read_text("utf-8"))
    assert other["dongle"] != record["dongle"]
    (folder / "maker.json").write_text("[]", "utf-8")
    assert seal(demo, folder, tmp_path / "b.kfe", **{"with-maker": True}).returncode == 2
    assert seal(demo, folder, tmp_path / "c.kfe", dongle="DG-7").returncode == 2
