"""Clocks that are stepped: the steady one goes on, the trusted one says what it knows not."""

from datetime import UTC, datetime, timedelta

import pytest

from trading.kernel.errors import ClockUntrusted
from trading.kernel.instant import FrozenClock, Reading, SteadyClock, TrustedClock

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
