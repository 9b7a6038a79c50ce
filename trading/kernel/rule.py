"""Rules of law as data: value, article, effective dates, and how sure we are of the text."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from trading.kernel.calendar import BEIJING, Period

__all__ = ["Mark", "Rule", "Statute"]


class Mark(StrEnum):
    SEEN = "seen"  # read in the legal text
    SECONDARY = "sec"  # a secondary source
    MEMORY = "mem"  # recalled, not verified


class Rule(msgspec.Struct, frozen=True):
    value: Period | int
    article: str
    since: date
    mark: Mark = Mark.SEEN
    until: date | None = None

    @property
    def number(self) -> int:
        return self.value.amount if isinstance(self.value, Period) else self.value

    @property
    def period(self) -> Period:
        return self.value if isinstance(self.value, Period) else Period(self.value)


class Statute(msgspec.Struct, frozen=True):
    """One duty through time: its versions, oldest first."""

    code: str
    zh: str
    en: str
    versions: tuple[Rule, ...]

    def at(self, moment: datetime) -> Rule:
        """The version in force on that day in China; before the first one, the first."""
        day = moment.astimezone(BEIJING).date()
        for rule in reversed(self.versions):
            if rule.since <= day and (rule.until is None or day <= rule.until):
                return rule
        return self.versions[0]
