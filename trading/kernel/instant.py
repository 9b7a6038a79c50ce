"""Instants: a reading of the clock carries the bound of its error, and time is always UTC.

A deadline has passed only when the reading minus its error lies beyond it; a bid is in time only
when the reading plus its error lies before it. What falls between is nobody's advantage: the
witness-dated checkpoints decide.
"""

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

from trading.kernel.errors import ClockUntrusted

__all__ = [
    "Clock",
    "FrozenClock",
    "Reading",
    "SteadyClock",
    "SystemClock",
    "TrustedClock",
    "whole_seconds",
]

_SECOND = timedelta(seconds=1)
_STEP = timedelta(milliseconds=500)  # NTP slews; what moves more at once was set by somebody


class Reading(msgspec.Struct, frozen=True):
    at: datetime
    error: timedelta = timedelta(0)

    def is_surely_after(self, moment: datetime) -> bool:
        return self.at - self.error >= moment

    def is_surely_before(self, moment: datetime) -> bool:
        return self.at + self.error < moment


def whole_seconds(span: timedelta) -> timedelta:
    """Upwards: witnesses date in seconds."""
    return timedelta(seconds=math.ceil(span / _SECOND))


class Clock(Protocol):
    """Must return UTC and a bound that holds; must not step back (the ledger stops if it does)."""

    def read(self) -> Reading: ...


class SystemClock:
    def __init__(self, error: timedelta = timedelta(milliseconds=50)) -> None:
        self._error = error

    def read(self) -> Reading:
        return Reading(datetime.now(UTC), self._error)  # noqa: TID251  the one place that may


class SteadyClock:
    """The system's clock as it was at the start, carried on by the clock that nobody can set.

    Whoever steps the wall clock moves nothing here; `step` tells by how much it was moved.
    CLOCK_BOOTTIME also counts the time a machine sleeps.
    """

    def __init__(
        self,
        error: timedelta = timedelta(milliseconds=50),
        wall: Clock | None = None,
        elapsed: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    ) -> None:
        self._error, self._wall, self._elapsed = error, wall or SystemClock(error), elapsed
        self._start, self._zero = self._wall.read().at, elapsed()

    def read(self) -> Reading:
        passed = timedelta(microseconds=(self._elapsed() - self._zero) // 1000)
        return Reading(self._start + passed, self._error)

    @property
    def step(self) -> timedelta:
        return self._wall.read().at - self.read().at


class TrustedClock:
    """What deadlines are decided by: a steady clock, corrected to the database's, as long as the
    wall clock has not been stepped and the witnesses' clocks agree. ClockUntrusted otherwise.
    """

    def __init__(
        self, steady: SteadyClock, offset: Callable[[], timedelta], limit: timedelta
    ) -> None:
        self._steady, self._offset, self._limit = steady, offset, limit
        self._drift = timedelta(0)

    def read(self) -> Reading:
        problem = self.problem
        if problem:
            raise ClockUntrusted(problem=problem)
        return self.unchecked()

    def unchecked(self) -> Reading:
        reading = self._steady.read()
        return Reading(reading.at + self._offset(), reading.error)

    def compare(self, asked: datetime, witnessed: datetime) -> None:
        """With what the witnesses have just said, who were asked at `asked` by this clock: they
        date in whole seconds, rounded down, at some moment since.
        """
        least, most, none = (
            asked - witnessed - _SECOND,
            self.unchecked().at - witnessed,
            timedelta(0),
        )
        self._drift = max(least, none) or min(most, none)

    @property
    def problem(self) -> str:
        """Why the time is not trusted; empty while it is."""
        if abs(self._steady.step) > _STEP:
            return f"系统时钟被拨动 {self._steady.step.total_seconds():+.1f} s / stepped"
        if abs(self._drift) > self._limit:
            return f"与见证人相差 {self._drift.total_seconds():+.1f} s / off the witnesses"
        return ""


class FrozenClock:
    """Stands still between readings but for one `tick`, so that ledger time still progresses."""

    def __init__(self, at: datetime, tick: timedelta = timedelta(microseconds=1)) -> None:
        self.at = at
        self.tick = tick
        self.error = timedelta(0)

    def read(self) -> Reading:
        self.at += self.tick
        return Reading(self.at, self.error)

    def advance(self, by: timedelta) -> None:
        self.at += by
