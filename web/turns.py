"""Taking turns on the event loop: first come, first served, a few at a time."""

import asyncio
from collections import deque

__all__ = ["Turns"]


class Turns:
    """Work that holds the loop is let in `together` a turn of it; in between the loop hears new
    connections, answers readers and delivers what was written.
    """

    def __init__(self, together: int) -> None:
        self._together = together
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._calling = False

    async def come(self) -> None:
        """Returns when it is one's turn."""
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self._waiting.append(mine)
        if not self._calling:
            self._calling = True
            loop.call_soon(self._call, loop)
        await mine

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        left = self._together
        while self._waiting and left:
            waiting = self._waiting.popleft()
            if not waiting.done():  # whoever waited may have gone
                waiting.set_result(None)
                left -= 1
        self._calling = bool(self._waiting)
        if self._calling:
            loop.call_soon(self._call, loop)
