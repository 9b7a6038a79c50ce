"""What a centre does without being asked: publish heads, close at the deadline, open, tell time.

Each duty is a loop on a thread of its own. On several nodes all of them run everywhere: the ledger
lets one win, and the others find the work done.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from trading.cover import pending_covers
from trading.facts.suspension import OutageRecorded
from trading.kernel.errors import ClockUntrusted, LostRace, Refusal
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
        self._swept = 0.0

    def start(self) -> None:
        """The outage that has just ended is recorded before anything else is decided."""
        self._record_outage()
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
        size = ledger.size()
        witnessed = self._node.office.publisher.publish()
        self._published, self._moment = size, time.monotonic()
        if witnessed.times:
            self._node.clock.compare(witnessed.median)

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
        path = self._heartbeat()
        path.write_text(self._node.clock.unchecked().at.isoformat())
        self._ended.wait(_BEAT)

    def _record_outage(self) -> None:
        for _ in range(3):
            outage = self._silence()
            if outage is None:
                return
            with suppress(LostRace):  # another node was faster; look again
                tenders = [TenderId(name) for name in self._open_tenders()]
                states = self._node.ports.desks.suspension.record_outage(outage, tenders)
                _LOG.warning(
                    "outage", start=outage.start.isoformat(), extended=[s.id for s in states]
                )
                return

    def _silence(self) -> OutageRecorded | None:
        """From the last sign of life of any node until now, if that was long."""
        path = self._heartbeat()
        if not path.exists() or not self._node.ledger.last_at:
            return None
        try:
            beat = datetime.fromisoformat(path.read_text())
        except ValueError:  # torn by a power cut: the ledger's own last entry is the last sign
            beat = datetime.min.replace(tzinfo=UTC)
        start, end = max(beat, self._node.ledger.last_at), self._node.clock.read().at
        if end - start < timedelta(seconds=self._node.settings.outage_seconds):
            return None
        return OutageRecorded(start=start, end=end)

    def _open_tenders(self) -> list[str]:
        """From the ledger's own streams: the lists may still be catching up."""
        while self._node.lists.lag:
            time.sleep(_TICK)
        return self._node.lists.rows.bidding()

    def _heartbeat(self) -> Path:
        return self._node.data / "heartbeat"
