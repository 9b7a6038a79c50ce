"""截止时间的错峰 spreading deadlines: hours that are full, and the next ones that are not.

KONEPS caps the hour at 1,500 deadlines since most of a nation had chosen ten o'clock.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from trading.kernel.calendar import BEIJING, Calendar

__all__ = ["free_hour", "hour_of"]

_HOUR = timedelta(hours=1)
_OFFICE = range(1, 10)  # UTC hours of an office day at Beijing, nine to six


def hour_of(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0).isoformat()


def free_hour(
    crowd: Mapping[str, int], wanted: datetime, limit: int, calendar: Calendar
) -> datetime:
    """The first office hour of a working day at or after the wanted one with room in it."""
    moment = datetime.fromisoformat(hour_of(wanted))
    while crowd.get(hour_of(moment), 0) >= limit or not _is_office_hour(moment, calendar):
        moment += _HOUR
    return moment


def _is_office_hour(moment: datetime, calendar: Calendar) -> bool:
    return moment.hour in _OFFICE and calendar.is_working(moment.astimezone(BEIJING).date())
