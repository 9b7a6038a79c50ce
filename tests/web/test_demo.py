"""The demo: a real tender with processes of their own, and what a kill between two steps does."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from commands import ROOT, kaifeng

STEPS = 19
_BEFORE_CONTRACT = (16, 17)


def test_the_demo_tells_the_whole_story(demo: Path) -> None:
    said = (demo / "said.txt").read_text()
    for words in (
        "独立进程 process",
        "尚未截标",
        "KF-306",
        "第三十六条",
        "叁仟叁佰柒拾伍元整",
        "中标通知书",
        "否决 1 份投标",
        "every entry verified: 101",
        "what to try next",
    ):
        assert words in said
    assert len(re.findall(r"^[✓✋] (?: \d|\d\d) (?!预警)", said, re.MULTILINE)) == STEPS
    pids = re.findall(r"process (\d+)", said)
    assert len(set(pids)) == 7  # two witnesses, five trustees


def test_every_institution_keeps_its_key_to_itself(demo: Path) -> None:
    keys = sorted(str(p.relative_to(demo)) for p in demo.rglob("*.key"))
    assert len([k for k in keys if k.startswith("trustee-")]) == 5
    assert len([k for k in keys if k.startswith("witness-")]) == 2
    for key in demo.rglob("*.key"):
        assert key.stat().st_mode & 0o077 == 0
    secrets = [p.read_bytes() for p in demo.glob("trustee-*/trustee.key")]
    for path in (p for p in (demo / "centre").rglob("*") if p.is_file()):
        assert not any(
            s in path.read_bytes() or s.hex().encode() in path.read_bytes() for s in secrets
        )


def _day(step: int) -> int:
    """Milliseconds. Once awarded, the thirty days to the contract must outlast a slow restart."""
    return 500 if step in _BEFORE_CONTRACT else 100


def _killed_at(step: int, out: Path) -> None:
    """Run the demo and SIGKILL it as soon as it has said the step."""
    demo = ["-m", "web.cli", "demo", "--once", "--out", str(out), "--day", str(_day(step))]
    command = [sys.executable, "-u", *demo]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if re.match(rf"[✓✋] {step:>2} ", line):
                os.kill(process.pid, signal.SIGKILL)
                break


def _killed_inside(size: int, out: Path) -> None:
    """The same as soon as the ledger holds so many entries."""
    demo = ["-m", "web.cli", "demo", "--once", "--out", str(out)]
    with subprocess.Popen([sys.executable, *demo], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and _entries(out) < size:
            time.sleep(0.002)
        assert process.poll() is None, "the demo was over before it could be killed"
        process.kill()


def _entries(out: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{out}/centre/ledger.db?mode=ro", uri=True)) as ledger:
            found: int = ledger.execute("SELECT count(*) FROM entry").fetchone()[0]
            return found
    except sqlite3.Error:
        return 0


@pytest.mark.parametrize("size", [48, 76])
def test_a_panel_killed_at_its_work_goes_on(size: int, tmp_path: Path) -> None:
    """Inside the draw, and inside the sheets."""
    out = tmp_path / "demo"
    _killed_inside(size, out)
    again = kaifeng("demo", "--once", "--out", out)
    assert again.returncode == 0, again.stdout + again.stderr
    verified = kaifeng("verify", out / "export", "--policy", out / "centre" / "policy.txt")
    assert verified.returncode == 0, verified.stderr
    assert "evaluations: 1 / 1" in verified.stdout


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_demo_killed_after_any_step_goes_on(step: int, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    _killed_at(step, out)
    again = kaifeng("demo", "--once", "--out", out, "--day", _day(step))
    assert "Traceback" not in again.stderr
    assert again.returncode == 0, again.stdout + again.stderr
    assert "every entry verified" in again.stdout
    verified = kaifeng("verify", out / "export", "--policy", out / "centre" / "policy.txt")
    assert verified.returncode == 0
