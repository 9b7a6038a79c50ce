"""What a centre does without being asked: publish heads, close at the deadline, open, tell time.

Each duty is a loop on a thread of its own. On several nodes all of them run everywhere: the ledger
lets one win, and the others find the work done.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from trading.cover import pending_covers
from trading.kernel.errors import ClockUntrusted, Refusal
from trading.kernel.ids import TenderId
from trading.opening import pending_cokeys
from trading.tender import Phase, Tender
from web.api.bidder import is_sealed
from web.api.opening import open_stage
from web.node import Node

__all__ = ["Duties"]

_LOG = structlog.get_logger("kaifeng.duties")
_TICK = 0.1
_EARLY = timedelta(milliseconds=600)  # the last checkpoint before a deadline is taken this early
_RETRY = timedelta(seconds=5)
_BEAT = 1.0


class Duties:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._published, self._moment = -1, 0.0
        self._bracketed: set[tuple[datetime, str]] = set()
        self._next_try: dict[str, datetime] = {}
        self._swept, self._outages = 0.0, 0

    def start(self) -> None:
        """The outage that has just ended is recorded before anything else is decided."""
        self._make_good()
        jobs: list[tuple[str, Callable[[], None]]] = [
            ("herald", self._publish),
            ("heartbeat", self._beat),
        ]
        if self._node.settings.clerk:
            jobs.append(("clerk", self._keep_deadlines))
        for name, job in jobs:
            thread = threading.Thread(target=self._run, args=(name, job), name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str, job: Callable[[], None]) -> None:
        while not self._ended.wait(_TICK):
            try:
                job()
            except Refusal as refusal:
                _LOG.warning("duty refused", duty=name, code=refusal.code, problem=str(refusal))
                self._ended.wait(1)
            except Exception as error:  # noqa: BLE001  a duty is tried again, whatever happened
                _LOG.error("duty failed", duty=name, exc_info=error)
                self._ended.wait(1)

    # -- the herald: heads to the witnesses, at the latest every second, and around deadlines ----

    def _publish(self) -> None:
        ledger, every = self._node.ledger, self._node.settings.publish_ms / 1000
        grown = ledger.size() != self._published
        due = grown and time.monotonic() - self._moment >= every
        if not (due or self._at_a_deadline()):
            return
        size, asked = ledger.size(), self._node.clock.unchecked().at
        witnessed = self._node.office.publisher.publish()
        self._published, self._moment = size, time.monotonic()
        if witnessed.times:
            self._node.clock.compare(asked, witnessed.median)

    def _at_a_deadline(self) -> bool:
        """Just before a deadline and just after it: what lies between them is a second or two."""
        now = self._node.clock.unchecked().at
        for deadline in self._node.lists.rows.deadlines():
            for side, moment in (("before", deadline - _EARLY), ("after", deadline)):
                mark = (deadline, side)
                recent = moment <= now < moment + timedelta(minutes=1)
                if recent and mark not in self._bracketed:
                    self._bracketed.add(mark)
                    return True
        return False

    # -- the clerk: closes, asks the trustees, opens ---------------------------------------------

    def _keep_deadlines(self) -> None:
        self._sweep()
        rows = self._node.lists.rows
        now = self._node.clock.unchecked().at
        for name in (*rows.bidding(), *rows.unopened()):
            if self._next_try.get(name, now) <= now:
                self._keep(TenderId(name))

    def _keep(self, name: TenderId) -> None:
        """One tender never stands in another's way."""
        try:
            self._go_on(self._node.office.load(name))
        except ClockUntrusted:
            raise
        except Refusal as refusal:
            _LOG.info("not yet", tender=name, code=refusal.code, problem=str(refusal))
            self._next_try[name] = self._node.clock.unchecked().at + _RETRY
        except Exception as error:  # noqa: BLE001  see above
            _LOG.error("tender failed", tender=name, exc_info=error)
            self._next_try[name] = self._node.clock.unchecked().at + _RETRY

    def _go_on(self, state: Tender) -> None:
        name, desks = TenderId(state.id), self._node.ports.desks
        now = self._node.clock.read()
        if state.suspended_at or not state.deadline or not now.is_surely_after(state.deadline):
            return
        if state.phase is Phase.BIDDING:
            if now.is_surely_after(state.deadline + timedelta(seconds=1)):
                state = desks.opening.close(name)
            return
        stage = state.drafted.stages[0 if state.phase is Phase.SEALED else -1]
        if state.phase not in (Phase.SEALED, Phase.TECHNICAL):
            return
        if pending_covers(state):
            desks.opening.end_covers_window(name)
        state = desks.opening.settle(name)
        if state.phase is Phase.FAILED:
            return
        if pending_cokeys(state, stage):
            desks.opening.end_cokey_window(name, stage)
        open_stage(self._node.ports, name, stage)

    def _sweep(self) -> None:
        if time.monotonic() - self._swept > 3600:
            self._swept = time.monotonic()
            ports = self._node.ports
            ports.uploads.sweep(lambda upload: is_sealed(ports, upload))

    # -- the heartbeat, and the outage that its silence tells of ---------------------------------

    def _beat(self) -> None:
        self._make_good()
        self._node.ledger.beat()
        self._ended.wait(_BEAT)

    def _make_good(self) -> None:
        """Outages are recorded by whoever is back first; each node sees to what they extend."""
        desk = self._node.ports.desks.suspension
        outage = desk.record_silence()
        if outage:
            _LOG.warning("outage", start=outage.start.isoformat(), end=outage.end.isoformat())
        outages = len(desk.outages())
        if outages != self._outages:
            for name in self._open_tenders():
                desk.extend(TenderId(name))
            self._outages = outages

    def _open_tenders(self) -> list[str]:
        """Once the lists have caught up with the ledger's streams."""
        while self._node.lists.lag:
            time.sleep(_TICK)
        return self._node.lists.rows.bidding()
