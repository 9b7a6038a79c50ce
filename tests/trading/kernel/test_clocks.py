"""Clocks that are stepped: the steady one goes on, the trusted one says what it knows not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trading.facts.notice import QuestionAsked
from trading.kernel.errors import ClockUntrusted, TooLate
from trading.kernel.instant import Clock, FrozenClock, Reading, SteadyClock, TrustedClock
from trading.ledger.committer import GroupLedger
from trading.ledger.port import ANY, Draft
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store_sqlite import SqliteStore

START = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Machine:
    """A wall clock that anyone may set, and an elapsed time that nobody can."""

    def __init__(self) -> None:
        self.wall = FrozenClock(START, tick=timedelta(0))
        self.elapsed = 10**12
        self.steady = SteadyClock(timedelta(0), self.wall, lambda: self.elapsed)
        self.offset = timedelta(0)
        self.clock = TrustedClock(self.steady, lambda: self.offset, timedelta(seconds=2))

    def pass_time(self, seconds: int) -> None:
        self.wall.advance(timedelta(seconds=seconds))
        self.elapsed += seconds * 10**9


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_time_passes(machine: Machine) -> None:
    machine.pass_time(90)
    assert machine.clock.read() == Reading(START + timedelta(seconds=90))


@pytest.mark.parametrize("step", [-HOUR, DAY, timedelta(milliseconds=501)])
def test_a_step_moves_nothing_and_is_told(machine: Machine, step: timedelta) -> None:
    machine.pass_time(60)
    machine.wall.advance(step)
    assert machine.steady.read().at == START + timedelta(seconds=60)
    assert machine.steady.step == step
    with pytest.raises(ClockUntrusted):
        machine.clock.read()
    machine.wall.advance(-step)
    assert machine.clock.read().at == START + timedelta(seconds=60)


def test_the_slow_corrections_of_a_time_service_are_no_steps(machine: Machine) -> None:
    for _ in range(20):
        machine.pass_time(60)
        machine.wall.advance(timedelta(milliseconds=20))
    assert machine.clock.read().at == START + timedelta(seconds=1200)


def test_a_clock_that_follows_the_wall_is_carried_along(machine: Machine) -> None:
    """The negative control: what the steady clock is for."""
    machine.wall.advance(DAY)
    assert machine.wall.read().at == START + DAY


@pytest.mark.parametrize(
    ("said", "trusted"), [(0, True), (-1, True), (2, True), (4, False), (-4, False)]
)
def test_witnesses_that_disagree_take_the_trust_away(
    machine: Machine, said: int, trusted: bool
) -> None:
    machine.clock.compare(START, START + timedelta(seconds=said))
    assert (machine.clock.problem == "") == trusted
    machine.clock.compare(START, START)
    assert machine.clock.problem == ""


@pytest.mark.parametrize(("said", "trusted"), [(0, True), (9, True), (13, False), (-4, False)])
def test_a_slow_witness_is_not_a_wrong_clock(machine: Machine, said: int, trusted: bool) -> None:
    """It may have dated the head at any moment of its ten seconds."""
    machine.pass_time(10)
    machine.clock.compare(START, START + timedelta(seconds=said))
    assert (machine.clock.problem == "") == trusted


def test_the_databases_clock_decides_where_there_is_one(machine: Machine) -> None:
    machine.offset = timedelta(seconds=-2)
    assert machine.clock.read().at == START - timedelta(seconds=2)


# -- a deadline, where the node's own clock decides -----------------------------------------------

KEY = NoteKey("kaifeng.example/clocks", KeyType.ED25519, b"1" * 32)
MINUTE = 60
STEPS = {"an hour back, just after it": (MINUTE + 1, -HOUR), "a day on, before it": (30, DAY)}


def asked(key: str, before: datetime | None = None) -> Draft:
    return Draft(QuestionAsked(question=key, text="?"), key, before=before)


def problems_with(
    machine: Machine, ledger: GroupLedger, seconds: int, step: timedelta
) -> list[str]:
    """The deadline is in a minute; time passes, somebody steps the wall clock, an act comes."""
    machine.pass_time(seconds)
    machine.wall.advance(step)
    try:
        ledger.append("s", ANY, [asked("act", START + timedelta(seconds=MINUTE))])
    except TooLate:
        return [] if seconds > MINUTE else ["it was refused before the deadline"]
    return [] if seconds < MINUTE else ["it was accepted after the deadline"]


def ledger_by(clock: Clock, folder: Path) -> GroupLedger:
    return GroupLedger(SqliteStore(folder / "ledger.db"), [KEY], clock)


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "written"])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_the_wall_clock_moves_no_deadline(
    machine: Machine, tmp_path: Path, name: str, is_new: bool
) -> None:
    with ledger_by(machine.steady, tmp_path) as ledger:
        if not is_new:
            ledger.append("s", ANY, [asked("earlier")])
        assert problems_with(machine, ledger, *STEPS[name]) == []


@pytest.mark.parametrize("name", STEPS)
def test_by_a_clock_that_follows_the_wall_the_deadline_moves(
    machine: Machine, tmp_path: Path, name: str
) -> None:
    """The negative control, the same checker. In a new ledger: one that was written already stops
    by itself when its time stands still, and nothing would be said about the deadline.
    """
    with ledger_by(machine.wall, tmp_path) as ledger:
        assert len(problems_with(machine, ledger, *STEPS[name])) == 1
