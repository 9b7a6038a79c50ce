"""The newest acts of a process that writes alone, as they were handed over: whoever follows a
stream need not have them read back and decoded.
"""

import threading
from collections import deque
from collections.abc import Iterable

from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact

__all__ = ["Tail"]

_KEPT = 4096  # acts, of all streams together

Act = tuple[Fact, Stamp]


class Tail:
    """Of each stream an unbroken run of heights. Personal facts are never kept: they may be erased
    behind our back.
    """

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._runs: dict[str, deque[Act]] = {}
        self._order: deque[str] = deque()  # the stream of each kept act, oldest first
        self._lock = threading.Lock()

    def add(self, acts: Iterable[Act]) -> None:
        with self._lock:
            for act in acts:
                self._add(*act)

    def since(self, stream: str, height: int) -> list[Act] | None:
        """From that height on; None if what is kept of the stream begins later."""
        with self._lock:
            run = self._runs.get(stream)
            if not run or height < run[0][1].height:
                return None
            return [run[place] for place in range(height - run[0][1].height, len(run))]

    def _add(self, fact: Fact, stamp: Stamp) -> None:
        if fact.personal:
            self._forget(stamp.stream)
            return
        self._runs.setdefault(stamp.stream, deque()).append((fact, stamp))
        self._order.append(stamp.stream)
        if len(self._order) > self._most:
            self._drop_oldest()

    def _forget(self, stream: str) -> None:
        if self._runs.pop(stream, None):
            self._order = deque(name for name in self._order if name != stream)

    def _drop_oldest(self) -> None:
        stream = self._order.popleft()
        run = self._runs[stream]
        run.popleft()
        if not run:
            del self._runs[stream]
