"""The process is killed at every system call that writes, and the disk refuses to write.

After each the ledger opens again and holds all that was acknowledged. strace counts the calls of
each thread apart, so a sweep looks at files, or at calls, that one thread has to itself.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from acting import envelope
from history import check_history, go_without, restart, said

ACTING = Path(__file__).with_name("acting.py")
PATIENCE = 100  # seconds until a process that does nothing is given up
BEFORE = 2  # acts in a ledger that is not new
NAMES = "mkdir,rename,renameat,renameat2,link,linkat,unlink,unlinkat"
BYTES = "write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync"


class Sweep(NamedTuple):
    """Crash points: the calls, on any file or on one of the data folder; what the process does;
    how many acts have been acknowledged when it dies; and how many points are tried at most.
    """

    calls: str
    file: str = ""
    options: tuple[object, ...] = (3, "--first", BEFORE, "--envelopes")
    acks: range = range(BEFORE, BEFORE + 4)
    most: int = 40


class Traced:
    """The acting process under strace, on a data folder of its own: new, or a copy."""

    def __init__(self, folder: Path, before: "Traced | None" = None) -> None:
        folder.mkdir()
        self.folder, self.data, self._before = folder, folder / "data", ""
        if before:
            shutil.copytree(before.data, self.data)
            self._before = before.log

    def run(self, sweep: Sweep, inject: str = "") -> int:
        command = ["strace", "-f", "-qq", "-o", str(self.folder / "trace")]
        command += ["-e", f"trace={sweep.calls}", *(["-e", f"inject={inject}"] if inject else [])]
        command += ["-P", str(self.data / sweep.file)] if sweep.file else []
        command += [sys.executable, str(ACTING), str(self.data), *map(str, sweep.options)]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}  # imports write nothing
        with self._file("log").open("wb") as out, self._file("stderr").open("wb") as err:
            process = subprocess.Popen(
                command, stdout=out, stderr=err, env=environment, start_new_session=True
            )
        try:
            return process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    @property
    def log(self) -> str:
        return self._before + self._file("log").read_text()

    @property
    def stderr(self) -> str:
        return self._file("stderr").read_text()

    def calls(self) -> dict[str, int]:
        """How often each call was made, by the thread that made it most."""
        trace = self._file("trace").read_text(errors="replace")
        most: dict[str, int] = {}
        for (_, call), count in Counter(re.findall(r"(?m)^(\d+) +(\w+)\(", trace)).items():
            most[call] = max(most.get(call, 0), count)
        return most

    def _file(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """A ledger that is not new, made by a process that came to a good end."""
    if not shutil.which("strace"):
        go_without("strace")
    attempt = subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False)
    if attempt.returncode:
        go_without("the permission to trace")
    traced = Traced(tmp_path_factory.mktemp("traced") / "before")
    code = traced.run(Sweep("write", options=(BEFORE, "--envelopes")))
    assert code == 0, traced.stderr
    return traced


# -- killed ---------------------------------------------------------------------------------------

LOG, DATABASE = "ledger.db-wal", "ledger.db"
LARGE = (1, "--first", BEFORE, "--size", 4_300_000)  # fills the log: its commit moves it as well
SWEEPS = {
    "a new ledger": Sweep(f"{BYTES},{NAMES}", options=(2, "--envelopes"), acks=range(3)),
    "files and answers": Sweep(f"write,fsync,{NAMES}"),
    "the log": Sweep(f"{BYTES},{NAMES}", LOG),
    "the database": Sweep(f"{BYTES},{NAMES}", DATABASE, acks=range(5, 6)),
    "a full log": Sweep(BYTES, DATABASE, LARGE, range(2, 3), most=8),
}


def points(calls: dict[str, int], most: int) -> list[tuple[str, int]]:
    every = [(call, n + 1) for call, count in sorted(calls.items()) for n in range(count)]
    step = max(1.0, len(every) / most)
    return [every[int(k * step)] for k in range(min(most, len(every)))]


def crash(traced: Traced, sweep: Sweep, call: str, number: int) -> tuple[int, list[str]]:
    """How many acts had been acknowledged, and what is wrong after the restart."""
    code = traced.run(sweep, f"{call}:signal=KILL:when={number}")
    where = f"{call} {number}"
    problems = restart(traced.data, traced.log)
    if code != -signal.SIGKILL:
        problems.append(f"was not killed but ended with {code}: {traced.stderr}")
    acks = len(said(traced.log, "acked"))
    shutil.rmtree(traced.folder)
    return acks, [f"{where}: {problem}" for problem in problems]


@pytest.mark.parametrize("name", SWEEPS)
def test_killed_at_any_write_it_keeps_what_it_acknowledged(
    before: Traced, tmp_path: Path, name: str
) -> None:
    sweep = SWEEPS[name]
    start = None if name == "a new ledger" else before
    undisturbed = Traced(tmp_path / "undisturbed", start)
    assert undisturbed.run(sweep) == 0, undisturbed.stderr
    todo = points(undisturbed.calls(), sweep.most)
    with ThreadPoolExecutor(2) as pool:
        crashes = [
            pool.submit(crash, Traced(tmp_path / f"{call}-{n}", start), sweep, call, n)
            for call, n in todo
        ]
    outcomes = [future.result() for future in crashes]
    assert [problem for _, problems in outcomes for problem in problems] == []
    assert {acks for acks, _ in outcomes} == set(sweep.acks)


# -- refused by the disk --------------------------------------------------------------------------


def refusals(traced: Traced) -> list[str]:
    """Why acts were not acknowledged, in order."""
    return re.findall(r"(?m)^refused \S+ (\w+)$", traced.log)


def fail(before: Traced, folder: Path, inject: str, file: str = "") -> Traced:
    """Six acts on a disk that fails as `inject` says; the ledger then opens on a sound one."""
    traced = Traced(folder / "failing", before)
    calls = inject.partition(":")[0]
    sweep = Sweep(calls, file, (6, "--first", BEFORE, "--envelopes"))
    assert traced.run(sweep, inject) == 0, traced.stderr
    acked, started = said(traced.log, "acked"), said(traced.log, "start")
    assert len(started) == BEFORE + 6
    assert len(acked) + len(refusals(traced)) == BEFORE + 6
    assert BEFORE < len(acked) < BEFORE + 6
    assert restart(traced.data, traced.log) == []
    return traced


@pytest.mark.parametrize(
    "inject", ["fdatasync,fsync:error=EIO:when=3", "pwrite64:error=EIO:when=12"]
)
def test_a_disk_that_fails_once_stops_the_writer(
    before: Traced, tmp_path: Path, inject: str
) -> None:
    """Not even a second attempt: after a failed fsync a successful one proves nothing."""
    first, *others = refusals(fail(before, tmp_path, inject, LOG))
    assert first == "OperationalError"
    assert set(others) == {"WriterStopped"}


@pytest.mark.parametrize(("when", "heals"), [("12", True), ("12+", False)])
def test_a_full_disk_refuses_acts_for_as_long_as_it_is_full(
    before: Traced, tmp_path: Path, when: str, heals: bool
) -> None:
    traced = fail(before, tmp_path, f"pwrite64:error=ENOSPC:when={when}", LOG)
    assert set(refusals(traced)) == {"StoreFull"}
    assert (said(traced.log, "acked")[-1] == "act-7") == heals


def test_a_checkpoint_that_fails_costs_nothing(before: Traced, tmp_path: Path) -> None:
    """The acts are durable in the log, from where the next checkpoint writes all of it again."""
    traced = Traced(tmp_path / "failing", before)
    sweep = Sweep("fdatasync", DATABASE, (3, *LARGE[1:]))
    assert traced.run(sweep, "fdatasync:error=EIO:when=1") == 0, traced.stderr
    assert traced.calls()["fdatasync"] > 1
    assert len(said(traced.log, "acked")) == BEFORE + 3
    assert restart(traced.data, traced.log) == []


@pytest.mark.parametrize("number", [3, 4], ids=["file", "folder"])
def test_an_envelope_that_is_not_durable_is_not_acknowledged(
    before: Traced, tmp_path: Path, number: int
) -> None:
    traced = fail(before, tmp_path, f"fsync:error=EIO:when={number}")
    assert refusals(traced) == ["OSError"]
    assert said(traced.log, "acked")[-1] == "act-7"
    assert not list(traced.data.rglob("*.tmp"))


# -- the checker ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "problem"),
    [
        ([("a", 0)], "b was acknowledged and is lost"),
        ([("a", 0), ("b", 1), ("d", 2)], "d is stored and nobody started it"),
        ([("a", 0), ("b", 1), ("a", 2)], "a is stored twice"),
        ([("a", 0), ("b", 2)], "the heights are [0, 2]"),
        ([("b", 1), ("a", 0)], "the heights are [1, 0]"),
    ],
)
def test_the_checker_reports(stored: list[tuple[str, int]], problem: str) -> None:
    assert check_history(["a", "b", "c"], ["a", "b"], stored) == [problem]


def test_the_checker_allows_what_nobody_was_promised() -> None:
    for stored in ([("a", 0), ("b", 1)], [("a", 0), ("b", 1), ("c", 2)]):
        assert check_history(["a", "b", "c"], ["a", "b"], stored) == []


def test_an_acknowledgement_that_was_made_up_is_reported(before: Traced, tmp_path: Path) -> None:
    data = shutil.copytree(before.data, tmp_path / "data")
    envelope(data, "act-1").write_bytes(b"torn")
    log = before.log + "start act-2\nsealed act-2\nacked act-2\nstart act-3\nacked act"
    assert restart(data, log)[:3] == [
        "the envelope of act-1 is lost",
        "the envelope of act-2 is lost",
        "act-2 was acknowledged and is lost",
    ]
