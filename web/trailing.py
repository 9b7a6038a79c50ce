"""跟随 a follower of the ledger on a thread of its own, woken when the ledger has grown."""

import threading
from collections.abc import Callable

import prometheus_client
import structlog

from trading.ledger.committer import GroupLedger
from trading.ledger.follow import Follower, Following

__all__ = ["Trailing"]

_REST = 0.1  # seconds between two rounds: a page for many entries, not one for each
_PATIENCE = 5
_LOG = structlog.get_logger("kaifeng.trailing")
_TROUBLED = prometheus_client.Gauge(
    "kaifeng_follower_troubled", "Whether a follower of the ledger cannot go on", ["follower"]
)


class Trailing:
    """`then` runs after each round, when nothing is left to read. What goes wrong waits a moment
    and is tried again; it is logged, and a metric says that it lasts.
    """

    def __init__(
        self,
        ledger: GroupLedger,
        follower: Follower,
        then: Callable[[], object] = lambda: None,
        *,
        afresh: bool,
    ) -> None:
        if afresh:
            ledger.store.move_cursor(follower.name, 0)
        self._problem, self._name = "", follower.name
        self._following, self._then = Following(ledger, follower), then
        self._grown, self._rest, self._ended = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._follow, name=follower.name, daemon=True)
        ledger.on_growth(lambda _: self._grown.set())
        self._thread.start()

    @property
    def lag(self) -> int:
        return self._following.lag

    def _follow(self) -> None:
        while not self._ended:
            self._grown.clear()
            try:
                while self._following.catch_up() and not self._ended:
                    continue
                self._then()
                self._tell("")
            except Exception as error:  # noqa: BLE001  what follows can wait, the node goes on
                self._tell(repr(error))
                self._grown.wait(1)
                continue
            self._grown.wait(_PATIENCE)
            self._rest.wait(_REST)

    def _tell(self, problem: str) -> None:
        _TROUBLED.labels(self._name).set(bool(problem))
        if problem and problem != self._problem:
            _LOG.error("follower.troubled", follower=self._name, problem=problem)
        self._problem = problem

    def close(self) -> None:
        self._ended = True
        self._grown.set()
        self._rest.set()
        self._thread.join()
