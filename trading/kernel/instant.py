"""Instants: a reading of the clock carries the bound of its error, and time is always UTC.

A deadline has passed only when the reading minus its error lies beyond it; a bid is in time only
when the reading plus its error lies before it. What falls between is nobody's advantage: the
witness-dated checkpoints decide.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec

__all__ = ["Clock", "FrozenClock", "Reading", "SystemClock"]


class Reading(msgspec.Struct, frozen=True):
    at: datetime
    error: timedelta = timedelta(0)

    def is_surely_after(self, moment: datetime) -> bool:
        return self.at - self.error >= moment

    def is_surely_before(self, moment: datetime) -> bool:
        return self.at + self.error < moment


class Clock(Protocol):
    """Must return UTC and a bound that holds; must not step back (the ledger stops if it does)."""

    def read(self) -> Reading: ...


class SystemClock:
    def __init__(self, error: timedelta = timedelta(milliseconds=50)) -> None:
        self._error = error

    def read(self) -> Reading:
        return Reading(datetime.now(UTC), self._error)  # noqa: TID251  the one place that may


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
