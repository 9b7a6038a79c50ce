"""投标期过短 the submission period is too short.

名称 Name: R003, a short submission period.
定义 Definition: fewer whole days between the start and the end of the tender period than usual.
理由 Why: only who knew before can prepare a bid in so short a time.
数据 Data: tender.tenderPeriod.startDate and endDate, tender.procurementMethod and its details.
方法 Method: whole days of 24 hours between the two moments, rounded towards zero.
阈值 Threshold: 15 days; another for the details of a method; every method unless some are named.
例外 Exclusions: moments without a zone, or that do not exist.
来源 Source: OCP red flags R003; Cardinal.
"""

import re
from datetime import datetime, timedelta

from analytics.indicator import OCID, Found, Indicator, Setup, pipes
from analytics.process import Process, text

__all__ = ["INDICATOR"]

_DAYS = 15
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


class _Short:
    def __init__(self, setup: Setup) -> None:
        self._days = setup.whole("threshold", _DAYS)
        self._by_details = {name: float(days) for name, days in setup.days.items()}
        self._methods = pipes(setup.options.get("procurement_methods", ""))
        self._found: list[str] = []

    def see(self, process: Process) -> None:
        method = text(process.tender, "procurementMethod")
        start, end = (_moment(process.period(name)) for name in ("startDate", "endDate"))
        if (self._methods and method not in self._methods) or start is None or end is None:
            return
        limit = self._by_details.get(process.details or "", self._days)
        if int((end - start) / timedelta(days=1)) < limit:
            self._found.append(process.ocid)

    def finish(self) -> Found:
        return Found({(OCID, ocid): 1.0 for ocid in self._found})


def _moment(said: str | None) -> datetime | None:
    """RFC 3339; a leap second is the moment after it."""
    found = _MOMENT.fullmatch(said or "")
    if not found:
        return None
    day, hour, minute, second, fraction, zone = found.groups()
    written = f"{day}T{hour}:{minute}:{min(int(second), 59):02d}"
    shift = "+00:00" if zone in "Zz" else zone
    try:
        moment = datetime.fromisoformat(f"{written}.{(fraction or '0')[:6].ljust(6, '0')}{shift}")
        return moment + timedelta(seconds=max(int(second) - 59, 0))
    except (ValueError, OverflowError):
        return None


INDICATOR = Indicator(
    "R003",
    "投标期过短",
    "short submission period",
    _Short,
    frozenset({"threshold", "procurement_methods"}),
)
