"""Hand-in, closing, opening and publication are killed at every system call that writes.

Whoever starts the process again finds what was acknowledged, no head without its entries, and
comes to the same end: every step exactly once. strace counts the calls of each thread apart.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from builders import ABid, AStory
from centre import ORIGIN
from history import go_without, said
from opening import LastingCentre, bids_of, go_on

from trading.facts.opening import EnvelopeOpened
from trading.kernel.errors import Refusal
from trading.kernel.ids import TenderId
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.note import Note
from trading.tender import stream_of

OPENING = Path(__file__).with_name("opening.py")
PATIENCE = 100  # seconds until a process that does nothing is given up
PRICES = (9_800_000, 10_000_000, 12_000_000)
FILES = "write,fsync,mkdir,rename,renameat,renameat2,link,linkat,unlink,unlinkat"
LEDGER = "pwrite64,fdatasync,ftruncate"


class Sweep(NamedTuple):
    """Which calls are crash points, how many are tried, and how often the process is killed."""

    calls: str
    most: int
    kills: int = 1


SWEEPS = {
    "files and answers": Sweep(FILES, 24),
    "the ledger": Sweep(LEDGER, 18),
    "killed once more on the way": Sweep(f"{FILES},{LEDGER}", 8, kills=2),
}


class History(msgspec.Struct, frozen=True):
    """What must be the same however often the process was killed: no times, salts, proofs."""

    size: int
    facts: list[str]
    opened: list[tuple[str, int | None]]


class Play:
    """The prepared folder, or a copy of it, and the process that works on it under strace."""

    def __init__(self, folder: Path, before: "Play | None" = None) -> None:
        self.folder = folder
        if before:
            shutil.copytree(before.folder, folder)

    @property
    def tender(self) -> TenderId:
        return TenderId((self.folder / "tender").read_text())

    @property
    def log(self) -> str:
        return self._file("log").read_text()

    @property
    def stderr(self) -> str:
        return self._file("stderr").read_text()

    def run(self, inject: str = "") -> int:
        command = ["strace", "-f", "-qq", "-o", str(self._file("trace"))]
        command += ["-e", f"trace={FILES},{LEDGER}", *(["-e", f"inject={inject}"] * bool(inject))]
        command += [sys.executable, str(OPENING), str(self.folder)]
        rooms = (OPENING.parent, OPENING.parents[1], OPENING.parents[2])
        environment = os.environ | {
            "PYTHONDONTWRITEBYTECODE": "1",  # imports write nothing
            "PYTHONPATH": os.pathsep.join(map(str, rooms)),
        }
        with self._file("log").open("ab") as out, self._file("stderr").open("wb") as err:
            process = subprocess.Popen(
                command, stdout=out, stderr=err, env=environment, start_new_session=True
            )
        try:
            return process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def points(self, sweep: Sweep) -> list[tuple[str, int]]:
        """Call and number, from when the process is ready on, spread evenly over all of them."""
        trace = self._file("trace").read_text(errors="replace")
        start, _, _ = trace.partition("ready")
        before, total = (
            Counter(re.findall(r"(?m)^(\d+) +(\w+)\(", part)) for part in (start, trace)
        )
        every = []
        for call in sweep.calls.split(","):
            most = max(
                (key for key in total if key[1] == call), key=total.__getitem__, default=None
            )
            if most:
                every += [(call, n + 1) for n in range(before[most], total[most])]
        count = min(sweep.most, len(every))
        return [every[k * len(every) // count] for k in range(count)]

    @contextmanager
    def centre(self) -> Iterator[LastingCentre]:
        centre = LastingCentre(self.folder)
        try:
            yield centre
        finally:
            centre.close()

    def _file(self, name: str) -> Path:
        return self.folder / name


def history_of(centre: LastingCentre, tender: TenderId) -> History:
    facts = [fact for fact, _ in centre.ledger.stream(stream_of(tender))]
    opened = [(f.bidder_id, f.price) for f in facts if isinstance(f, EnvelopeOpened)]
    return History(centre.ledger.size(), [type(fact).__name__ for fact in facts], opened)


# -- the checker ----------------------------------------------------------------------------------


def headless(centre: LastingCentre) -> list[str]:
    """Heads that somebody has signed and that are no state of this ledger."""
    notes = [local.witness.latest(ORIGIN) for local in centre.witnesses]
    heads = [Checkpoint.parse(Note.parse(n).text) for n in [*notes, *centre.ledger.cosigned()] if n]
    return [
        f"a head of {head.size} is signed and its entries are not there"
        for head in heads
        if head.size > centre.ledger.size() or centre.ledger.root(head.size) != head.root
    ]


def lost(centre: LastingCentre, tender: TenderId, log: str) -> list[str]:
    """Bids that were acknowledged and are not kept, or kept and nobody handed them in."""
    received = centre.office.load(tender).received
    problems = [
        f"{eid} was acknowledged and is lost"
        for eid in said(log, "acked")
        if eid not in received or eid not in centre.objects
    ]
    started = said(log, "start")
    return problems + [f"{eid} came from nowhere" for eid in received if eid not in started]


def differences(expected: History, found: History) -> list[str]:
    return [
        f"{name} {ours!r} instead of {theirs!r}"
        for name in History.__struct_fields__
        if (ours := getattr(found, name)) != (theirs := getattr(expected, name))
    ]


def restart(play: Play, expected: History) -> list[str]:
    """What is wrong after a kill, and after the process has been let go on to its end."""
    try:
        with play.centre() as centre:
            problems = headless(centre) + lost(centre, play.tender, play.log)
            go_on(centre, play.tender)
            problems += headless(centre) + differences(expected, history_of(centre, play.tender))
            assert len(centre.verify(centre.data)) == 7
            return problems
    except Refusal as refusal:
        return [f"it does not go on: {refusal}"]


# -- killed ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """A tender that takes bids, and three that were sealed and not handed in."""
    if not shutil.which("strace"):
        go_without("strace")
    if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode:
        go_without("the permission to trace")
    play = Play(tmp_path_factory.mktemp("play") / "before")
    play.folder.mkdir()
    with play.centre() as centre:
        story = AStory(centre).bidding()
        (play.folder / "bids").mkdir()
        for number, fen in enumerate(PRICES):
            sealed = ABid(f"9133{number}", fen).seal(story.state)
            (play.folder / "bids" / f"{number}.kfe").write_bytes(sealed)
        (play.folder / "tender").write_text(story.tender)
    return play


@pytest.fixture(scope="module")
def undisturbed(before: Play, tmp_path_factory: pytest.TempPathFactory) -> Play:
    play = Play(tmp_path_factory.mktemp("undisturbed") / "play", before)
    assert play.run() == 0, play.stderr
    return play


@pytest.fixture(scope="module")
def expected(undisturbed: Play) -> History:
    with undisturbed.centre() as centre:
        history = history_of(centre, undisturbed.tender)
        assert len(centre.verify(centre.data)) == 7
    assert sorted(price or 0 for _, price in history.opened) == sorted(PRICES)
    assert Counter(history.facts)["ShareGiven"] == len(centre.trustees)
    return history


def crash(play: Play, sweep: Sweep, point: tuple[str, int], expected: History) -> list[str]:
    call, number = point
    codes = [play.run(f"{call}:signal=KILL:when={number}") for _ in range(sweep.kills)]
    problems = restart(play, expected)
    if codes[0] != -signal.SIGKILL or not {*codes} <= {0, -signal.SIGKILL}:
        problems.append(f"was not killed but ended with {codes}: {play.stderr}")
    shutil.rmtree(play.folder)
    return [f"{call} {number}: {problem}" for problem in problems]


@pytest.mark.parametrize("name", SWEEPS)
def test_killed_at_any_write_it_opens_every_bid_once(
    before: Play, undisturbed: Play, expected: History, tmp_path: Path, name: str
) -> None:
    sweep = SWEEPS[name]
    todo = undisturbed.points(sweep)
    assert len(todo) == sweep.most
    with ThreadPoolExecutor(2) as pool:
        crashes = [
            pool.submit(crash, Play(tmp_path / f"{call}-{n}", before), sweep, (call, n), expected)
            for call, n in todo
        ]
    assert [problem for future in crashes for problem in future.result()] == []


# -- the checker goes red -------------------------------------------------------------------------


def test_a_bid_that_was_not_opened_is_reported(
    undisturbed: Play, expected: History, tmp_path: Path
) -> None:
    play = Play(tmp_path / "play", undisturbed)
    assert restart(play, expected) == []
    missing = msgspec.structs.replace(expected, opened=expected.opened[1:])
    assert differences(expected, missing) == [
        f"opened {missing.opened!r} instead of {expected.opened!r}"
    ]
    twice = msgspec.structs.replace(expected, facts=[*expected.facts, "EnvelopeOpened"])
    assert len(differences(expected, twice)) == 1
    assert restart(play, twice) != []


def test_a_ledger_behind_its_witnesses_is_reported(
    before: Play, undisturbed: Play, expected: History, tmp_path: Path
) -> None:
    """An old copy of the data: heads were signed, bids acknowledged, and both are not there."""
    play = Play(tmp_path / "play", undisturbed)
    shutil.rmtree(play.folder / "data")
    shutil.copytree(before.folder / "data", play.folder / "data")
    with play.centre() as centre:
        assert len(headless(centre)) == len(centre.witnesses)
        problems = lost(centre, play.tender, play.log)
    assert problems == [f"{eid} was acknowledged and is lost" for eid in bids_of(before.folder)]
    assert restart(play, expected)[0].startswith("it does not go on")


def test_a_bid_from_nowhere_is_reported(undisturbed: Play) -> None:
    with undisturbed.centre() as centre:
        assert len(lost(centre, undisturbed.tender, "")) == len(PRICES)
