"""跟随 a follower of the ledger on a thread of its own, woken when the ledger has grown."""

import threading
from collections.abc import Callable

from trading.ledger.committer import GroupLedger
from trading.ledger.follow import Follower, Following

__all__ = ["Trailing"]

_REST = 0.1  # seconds between two rounds: a page for many entries, not one for each
_PATIENCE = 5


class Trailing:
    """`then` runs after each round, when nothing is left to read. What goes wrong waits a moment
    and is tried again; `problem` is the newest.
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
        self.problem = ""
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
                self.problem = ""
            except Exception as error:  # noqa: BLE001  what follows can wait, the node goes on
                self.problem = repr(error)
                self._grown.wait(1)
                continue
            self._grown.wait(_PATIENCE)
            self._rest.wait(_REST)

    def close(self) -> None:
        self._ended = True
        self._grown.set()
        self._rest.set()
        self._thread.join()
