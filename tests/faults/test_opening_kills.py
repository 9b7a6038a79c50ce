"""Hand-in, closing, opening and publication are killed at every system call that writes.

Whoever starts the process again finds what was acknowledged, no head without its entries, and
comes to the same end: every step exactly once.
"""

import shutil
import signal
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
from history import said
from opening import LastingCentre, bids_of, go_on
from tracing import Point, Run, check_tracing, chosen

from trading.facts.opening import EnvelopeOpened
from trading.kernel.errors import Refusal
from trading.kernel.ids import TenderId
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.note import Note
from trading.tender import stream_of

OPENING = Path(__file__).with_name("opening.py")
_ROUNDS = 4
PRICES = (9_800_000, 10_000_000, 12_000_000)
FILES = "write,fsync,mkdir,rename,renameat,renameat2,link,linkat,unlink,unlinkat"
LEDGER = "pwrite64,fdatasync,ftruncate"


class Sweep(NamedTuple):
    """Which calls are crash points, how many are tried if not all of them, how often the process
    is killed, and what it has said last when it dies.
    """

    calls: str
    most: int
    kills: int = 1
    words: frozenset[str] = frozenset({"ready", "start", "acked", "closed", "shared", "opened"})


SWEEPS = {
    "files and answers": Sweep(FILES, 24),
    "the ledger": Sweep(
        LEDGER, 18, words=frozenset({"start", "acked", "closed", "shared", "opened"})
    ),
    "killed once more on the way": Sweep(f"{FILES},{LEDGER}", 8, kills=2),
}


class History(msgspec.Struct, frozen=True):
    """What must be the same however often the process was killed: no times, salts, proofs."""

    size: int
    facts: list[str]
    opened: list[tuple[str, int | None]]


class Play(Run):
    """The prepared folder, or a copy of it, and the process that works on it."""

    def __init__(self, folder: Path, before: "Play | None" = None, *options: str) -> None:
        if before:
            shutil.copytree(before.folder, folder)
        super().__init__(folder, [OPENING, folder, *options], f"{FILES},{LEDGER}")

    @property
    def tender(self) -> TenderId:
        return TenderId((self.folder / "tender").read_text())

    def points_of(self, sweep: Sweep) -> list[Point]:
        """From when the process is ready on."""
        calls = sweep.calls.split(",")
        return [point for point in self.points() if point.word and point.call in calls]

    @contextmanager
    def centre(self) -> Iterator[LastingCentre]:
        centre = LastingCentre(self.folder)
        try:
            yield centre
        finally:
            centre.close()


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
            assert len(centre.verify(centre.data)) == 10
            return problems
    except Refusal as refusal:
        return [f"it does not go on: {refusal}"]


# -- killed ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Play:
    """A tender that takes bids, and three that were sealed and not handed in."""
    check_tracing()
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
        assert len(centre.verify(centre.data)) == 10
    assert sorted(price or 0 for _, price in history.opened) == sorted(PRICES)
    assert Counter(history.facts)["ShareGiven"] == len(centre.trustees)
    return history


def crash(play: Play, kills: int, point: Point, expected: History) -> tuple[str, list[str]]:
    """What was said last before the first kill, and what is wrong after the last."""
    codes, words = [], []
    for _ in range(kills):
        codes.append(play.kill_at(point))
        words.append(play.last_word)
    problems = restart(play, expected)
    if codes[0] != -signal.SIGKILL or not {*codes} <= {0, -signal.SIGKILL}:
        problems.append(f"was not killed but ended with {codes}: {play.stderr}")
    shutil.rmtree(play.folder)
    return words[0], [f"{point}: {problem}" for problem in problems]


def crashes(
    plays: list[Play], kills: int, todo: list[Point], expected: History
) -> list[tuple[str, list[str]]]:
    with ThreadPoolExecutor(2) as pool:
        killed = [
            pool.submit(crash, play, kills, point, expected)
            for play, point in zip(plays, todo, strict=True)
        ]
    return [future.result() for future in killed]


@pytest.mark.parametrize("name", SWEEPS)
def test_killed_at_any_write_it_opens_every_bid_once(
    before: Play, undisturbed: Play, expected: History, tmp_path: Path, name: str
) -> None:
    sweep = SWEEPS[name]
    points = undisturbed.points_of(sweep)
    todo = chosen(points, sweep.most)
    assert len(todo) >= sweep.most
    outcomes, words = list[tuple[str, list[str]]](), set[str]()
    for round_ in range(_ROUNDS):  # a busy machine may be a word further, or not as far yet
        plays = [Play(tmp_path / f"{round_}-{n}", before) for n in range(len(todo))]
        outcomes += crashes(plays, sweep.kills, todo, expected)
        words = {word for word, _ in outcomes}
        todo = [point for point in points if point.word in sweep.words - words][round_::_ROUNDS]
        if not todo:
            break
    assert [problem for _, problems in outcomes for problem in problems] == []
    assert words == sweep.words


def test_who_acknowledges_before_it_writes_is_found_out(
    before: Play, expected: History, tmp_path: Path
) -> None:
    """The negative control of the sweeps: the same kills and the same checker."""
    hasty = Play(tmp_path / "undisturbed", before, "--hasty")
    assert hasty.run() == 0, hasty.stderr
    points = [point for point in hasty.points_of(SWEEPS["the ledger"]) if point.word == "acked"]
    todo = points[:3]
    plays = [Play(tmp_path / str(n), before, "--hasty") for n in range(len(todo))]
    problems = [found for _, lost in crashes(plays, 1, todo, expected) for found in lost]
    assert problems
    assert all(problem.endswith("was acknowledged and is lost") for problem in problems)


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
