"""States kept warm: a tender's facts are read once a process, then only what is new.

A state may lag behind another process by a moment. That costs a second try, never a wrong entry:
the writer accepts a decision only if nothing came after the state it was made on, and nobody is
refused before a second look.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from trading.kernel.errors import Refusal, StreamUnknown
from trading.ledger.port import Ledger
from trading.tender import Tender, stream_of

__all__ = ["LiveTenders"]

T = TypeVar("T")

_KEPT = 1_000  # tenders whose state stays in memory
_PATIENCE = 0.05  # seconds that a patient reader takes a state as it is


class _Live:
    def __init__(self, tender: str) -> None:
        self.lock = threading.RLock()
        self.state = Tender(tender)
        self.seen = -1  # the ledger's size at the last look
        self.looked = 0.0


class LiveTenders:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: OrderedDict[str, _Live] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def held(self, tender: str, *, fresh: bool = False, patient: bool = False) -> Iterator[Tender]:
        """The state, locked for its user; StreamUnknown if the ledger has no such tender."""
        live = self._live(tender)
        with live.lock:
            young = patient and time.monotonic() - live.looked < _PATIENCE
            if fresh or (live.seen != self._ledger.size() and not (young and live.state.height)):
                self._look(live)
            if not live.state.height:
                self._drop(tender)
                raise StreamUnknown(stream=stream_of(tender))
            yield live.state

    def is_ready(self, tender: str) -> bool:
        """Whether `held` would neither wait nor read a whole stream: for who must not block."""
        live = self._live(tender)
        if not live.lock.acquire(blocking=False):
            return False
        live.lock.release()
        return live.state.height > 0

    def warm(self, tender: str) -> None:
        """Read and waited for; whoever asks next finds it ready."""
        with self.held(tender):
            pass

    def decided(
        self,
        tender: str,
        decide: Callable[[Tender], T],
        *,
        fresh: bool = False,
        patient: bool = False,
    ) -> T:
        """What the state leads to; a refusal only by the newest state."""
        with self.held(tender, fresh=fresh, patient=patient) as state:
            height = state.height
            try:
                return decide(state)
            except Refusal as error:
                refusal = error
        with self.held(tender, fresh=True) as state:
            if state.height == height:
                raise refusal
            return decide(state)

    def newest(self, tender: str) -> Tender:
        """A copy of the state as the database has it now."""
        with self.held(tender, fresh=True) as state:
            return state.snapshot()

    def _look(self, live: _Live) -> None:
        live.seen, live.looked = self._ledger.size(), time.monotonic()
        try:
            for fact, stamp in self._ledger.stream(stream_of(live.state.id), live.state.height):
                live.state.apply(fact, stamp)
        except BaseException:
            self._drop(live.state.id)
            raise

    def _live(self, tender: str) -> _Live:
        with self._lock:
            live = self._kept.get(tender)
            if live is None:
                live = self._kept[tender] = _Live(tender)
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(tender)
            return live

    def _drop(self, tender: str) -> None:
        with self._lock:
            self._kept.pop(tender, None)
