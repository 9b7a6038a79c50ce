"""The process is killed at every system call that writes, and the disk refuses to write.

After each the ledger opens again and holds all that was acknowledged.
"""

import re
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from acting import envelope
from history import check_history, restart, said
from tracing import Point, Run, check_tracing, chosen

ACTING = Path(__file__).with_name("acting.py")
BEFORE = 2  # acts in a ledger that is not new
NAMES = "mkdir,rename,renameat,renameat2,link,linkat,unlink,unlinkat"
BYTES = "write,writev,pwrite64,pwritev,ftruncate,fallocate,fsync,fdatasync"


class Sweep(NamedTuple):
    """Crash points: the calls, on any file or on one of the data folder; what the process does;
    how many acts have been acknowledged when it dies, what it has said last; and how many points
    are tried if not all of them.
    """

    calls: str
    file: str = ""
    options: tuple[object, ...] = (3, "--first", BEFORE, "--envelopes")
    acks: range = range(BEFORE, BEFORE + 4)
    words: frozenset[str] = frozenset({"", "ready", "start", "sealed", "acked"})
    most: int = 40


class Traced(Run):
    """The acting process on a data folder of its own: new, or a copy."""

    def __init__(self, folder: Path, sweep: Sweep, before: "Traced | None" = None) -> None:
        folder.mkdir()
        self.data = folder / "data"
        if before:
            shutil.copytree(before.data, self.data)
            shutil.copy(before.folder / "log", folder)
        paths = [self.data / sweep.file] if sweep.file else []
        super().__init__(folder, [ACTING, self.data, *sweep.options], sweep.calls, paths)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """A ledger that is not new, made by a process that came to a good end."""
    check_tracing()
    sweep = Sweep("write", options=(BEFORE, "--envelopes"))
    traced = Traced(tmp_path_factory.mktemp("traced") / "before", sweep)
    assert traced.run() == 0, traced.stderr
    return traced


# -- killed ---------------------------------------------------------------------------------------

LOG, DATABASE = "ledger.db-wal", "ledger.db"
LARGE = (1, "--first", BEFORE, "--size", 4_300_000)  # fills the log: its commit moves it as well
SWEEPS = {
    "a new ledger": Sweep(f"{BYTES},{NAMES}", options=(2, "--envelopes"), acks=range(3)),
    "files and answers": Sweep(f"write,fsync,{NAMES}"),
    "the log": Sweep(f"{BYTES},{NAMES}", LOG),
    "the database": Sweep(f"{BYTES},{NAMES}", DATABASE),
    "a full log": Sweep(
        BYTES, DATABASE, LARGE, range(2, 3), frozenset({"", "ready", "start"}), most=8
    ),
}


def crash(traced: Traced, point: Point) -> tuple[int, str, list[str]]:
    """How many acts had been acknowledged, what was said last, and what is wrong afterwards."""
    code, word = traced.kill_at(point), traced.last_word
    problems = restart(traced.data, traced.log)
    if code != -signal.SIGKILL:
        problems.append(f"was not killed but ended with {code}: {traced.stderr}")
    acks = len(said(traced.log, "acked"))
    shutil.rmtree(traced.folder)
    return acks, word, [f"{point}: {problem}" for problem in problems]


def crashes(
    folder: Path, sweep: Sweep, start: Traced | None, todo: list[Point]
) -> list[tuple[int, str, list[str]]]:
    with ThreadPoolExecutor(2) as pool:
        killed = [
            pool.submit(crash, Traced(folder / str(n), sweep, start), point)
            for n, point in enumerate(todo)
        ]
    return [future.result() for future in killed]


@pytest.mark.parametrize("name", SWEEPS)
def test_killed_at_any_write_it_keeps_what_it_acknowledged(
    before: Traced, tmp_path: Path, name: str
) -> None:
    sweep = SWEEPS[name]
    start = None if name == "a new ledger" else before
    undisturbed = Traced(tmp_path / "undisturbed", sweep, start)
    assert undisturbed.run() == 0, undisturbed.stderr
    todo = chosen(undisturbed.points(), sweep.most)
    outcomes = crashes(tmp_path, sweep, start, todo)
    assert [problem for *_, problems in outcomes for problem in problems] == []
    assert {acks for acks, *_ in outcomes} == set(sweep.acks)
    assert {word for _, word, _ in outcomes} == sweep.words


def test_who_acknowledges_before_it_writes_is_found_out(before: Traced, tmp_path: Path) -> None:
    """The negative control of the sweeps: the same kills and the same checker."""
    sweep = SWEEPS["the log"]
    hasty = sweep._replace(options=(*sweep.options, "--hasty"))
    undisturbed = Traced(tmp_path / "undisturbed", hasty, before)
    assert undisturbed.run() == 0, undisturbed.stderr
    todo = [point for point in undisturbed.points() if point.thread == "committer"]
    outcomes = crashes(tmp_path, hasty, before, todo[:4])
    lost = [problem for *_, problems in outcomes for problem in problems]
    assert lost
    assert all(problem.endswith("act-2 was acknowledged and is lost") for problem in lost)


# -- refused by the disk --------------------------------------------------------------------------


def refusals(traced: Traced) -> list[str]:
    """Why acts were not acknowledged, in order."""
    return re.findall(r"(?m)^refused \S+ (\w+)$", traced.log)


def fail(before: Traced, folder: Path, inject: str, file: str = "") -> Traced:
    """Six acts on a disk that fails as `inject` says; the ledger then opens on a sound one."""
    calls = inject.partition(":")[0]
    sweep = Sweep(calls, file, (6, "--first", BEFORE, "--envelopes"))
    traced = Traced(folder / "failing", sweep, before)
    assert traced.run(inject) == 0, traced.stderr
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
    sweep = Sweep("fdatasync", DATABASE, (3, *LARGE[1:]))
    traced = Traced(tmp_path / "failing", sweep, before)
    assert traced.run("fdatasync:error=EIO:when=1") == 0, traced.stderr
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
