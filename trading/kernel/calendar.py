"""Working days 工作日 and statutory periods 法定期限, from dated data (`holidays.toml`).

Days of the law are days in China: a moment belongs to the date it has at Beijing.
"""

import tomllib
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from trading.kernel.errors import RuleBroken

__all__ = ["BEIJING", "NATURAL", "Calendar", "Pace", "Period", "Unit", "check_moment"]

BEIJING = ZoneInfo("Asia/Shanghai")
_DAY = timedelta(days=1)
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


def check_moment(moment: datetime, act: str) -> datetime:
    """RuleBroken for a moment without a zone, or further off than any tender ever is."""
    if moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        problem = f"{moment.isoformat()}: {_FIRST_YEAR}–{_LAST_YEAR}，须带时区 / with a time zone"
        raise RuleBroken(act=act, article="", problem=problem)
    return moment


class Unit(StrEnum):
    DAY = "day"  # 日
    WORKING_DAY = "working-day"  # 工作日
    MINUTE = "minute"


class Pace(msgspec.Struct, frozen=True):
    """How long a day lasts: 24 hours, or less in a rehearsal 演练 (a tender marked "test")."""

    millis: int = 86_400_000

    @property
    def is_rehearsal(self) -> bool:
        return self.millis != 86_400_000

    @property
    def day(self) -> timedelta:
        return timedelta(milliseconds=self.millis)


NATURAL = Pace()


class Period(msgspec.Struct, frozen=True):
    """A span as the law writes it: so many days, working days or minutes."""

    amount: int
    unit: Unit = Unit.DAY

    def after(self, moment: datetime, calendar: "Calendar", pace: Pace = NATURAL) -> datetime:
        return self._shift(moment, calendar, pace, 1)

    def before(self, moment: datetime, calendar: "Calendar", pace: Pace = NATURAL) -> datetime:
        return self._shift(moment, calendar, pace, -1)

    def _shift(self, moment: datetime, calendar: "Calendar", pace: Pace, sign: int) -> datetime:
        if self.unit is Unit.MINUTE:
            return moment + sign * self.amount * (pace.day / 1440)
        if self.unit is Unit.WORKING_DAY and not pace.is_rehearsal:
            return calendar.shift(moment, sign * self.amount)
        return moment + sign * self.amount * pace.day


class Calendar:
    """Holidays and make-up working days of the years for which the notice is known.

    Beyond them (`last_year`) only weekends rest: later years need the next notice in the data.
    """

    def __init__(self, rest: frozenset[date], work: frozenset[date]) -> None:
        self._rest, self._work = rest, work
        self.last_year = max(day.year for day in rest)

    @classmethod
    def of_china(cls) -> "Calendar":
        data = tomllib.loads((Path(__file__).parent / "holidays.toml").read_text("utf-8"))
        spans = [span for year in data["year"] for span in year["rest"]]
        work = [day for year in data["year"] for day in year["work"]]
        return cls(frozenset(day for span in spans for day in _span(span)), frozenset(work))

    def is_working(self, day: date) -> bool:
        return day in self._work or (day.weekday() < 5 and day not in self._rest)

    def roll(self, moment: datetime, pace: Pace = NATURAL) -> datetime:
        """The moment itself, or the same time on the next working day (民法典 203).

        A rehearsal has no days of rest.
        """
        while not pace.is_rehearsal and not self.is_working(moment.astimezone(BEIJING).date()):
            moment += _DAY
        return moment

    def shift(self, moment: datetime, days: int) -> datetime:
        """The same time `days` working days later (or earlier); the first day does not count."""
        step = _DAY if days > 0 else -_DAY
        local, left = moment.astimezone(BEIJING), abs(days)
        while left:
            local += step
            left -= self.is_working(local.date())
        return local.astimezone(UTC)


def _span(text: str) -> list[date]:
    first, _, last = text.partition("/")
    start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    return [start + _DAY * offset for offset in range((end - start).days + 1)]
