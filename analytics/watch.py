"""守望 what looks at every opening within seconds: history, desk and pages put together."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from analytics.bands import RED
from analytics.company import Company
from analytics.desk import WarningDesk
from analytics.history import History
from analytics.market import Floats, Market
from analytics.model import Model
from analytics.network import communities
from analytics.page import LotView, Queued, lot_view, queued
from analytics.who import shares
from trading.desks.office import Office

__all__ = ["Watch"]

_PAUSE, _LONGEST_PAUSE = 1.0, 600.0


class _Trouble(NamedTuple):
    """Seconds; `until` by the steady clock."""

    error: Exception
    pause: float
    until: float


class Watch:
    """`model`: a file of `kaifeng analytics train`; without one, documents alone are compared."""

    def __init__(self, office: Office, model: Path | None = None) -> None:
        self.history = History(office)
        loaded = Model.load(model) if model else None
        self.desk = WarningDesk(office, loaded, self.history.beside)
        self._has_adopted = False
        self._troubled: dict[str, _Trouble] = {}
        self._around: _Neighbours | None = None

    def look(self) -> None:
        """Adopts the model, and looks at what nobody has looked at."""
        due = self.history.due()
        if not self._has_adopted:
            self.desk.adopt()
            self._has_adopted = True
        self._look_at(due)

    def _look_at(self, due: Sequence[str]) -> None:
        """One that cannot be looked at holds up no other, and is tried again ever more rarely."""
        self._troubled = {one: self._troubled[one] for one in due if one in self._troubled}
        for tender in due:
            trouble = self._troubled.get(tender)
            if trouble and time.monotonic() < trouble.until:
                continue
            try:
                self.desk.look(tender)
                self._troubled.pop(tender, None)
            except Exception as error:  # noqa: BLE001  whatever it is, it is told below
                pause = min(2 * trouble.pause, _LONGEST_PAUSE) if trouble else _PAUSE
                self._troubled[tender] = _Trouble(error, pause, time.monotonic() + pause)
        if self._troubled:
            problems = [one.error for one in self._troubled.values()]
            raise ExceptionGroup("未能预警 / openings that nobody could look at", problems)

    def queue(self) -> list[Queued]:
        found = [queued(kept) for kept in self.history.all()]
        return sorted(found, key=_gravest)

    def labels(self) -> list[dict[str, str]]:
        return self.history.labels()

    def page(self, tender: str) -> list[LotView]:
        """By lot, those that have been looked at."""
        around, warnings = self._neighbours(), self.desk.load(tender)
        if around is None:
            return []
        return [
            lot_view(kept, warnings, around.company, around.groups, around.named(kept.opening.name))
            for kept in self.history.all()
            if kept.opening.tender == tender and kept.opening.lot in warnings.recorded
        ]

    def _neighbours(self) -> "_Neighbours | None":
        """Of all openings; made anew when one has come, or an award."""
        version = self.history.version
        if self._around is None or self._around.version != version:
            market = self.history.market()
            self._around = _Neighbours.of(version, market) if market else None
        return self._around


class _Neighbours(NamedTuple):
    """Who keeps company with whom in this place, as of a version of its history."""

    version: tuple[int, int]
    market: Market
    company: Company
    groups: dict[str, int]
    share: Floats

    @classmethod
    def of(cls, version: tuple[int, int], market: Market) -> "_Neighbours":
        return cls(version, market, Company.of(market), communities(market), shares(market))

    def named(self, auction: str) -> dict[str, float]:
        within = self.market.within(self.market.auctions.index(auction))
        return dict(zip(self.market.bidders[within], self.share[within].tolist(), strict=True))


def _gravest(one: Queued) -> tuple[bool, bool, float, int]:
    return (one.hard == 0, one.band != RED, -float(one.score or 0), -one.index)
