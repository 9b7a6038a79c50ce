"""From the writer's thread to an event loop: one wake-up for all the answers of a batch."""

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["answered"]

T = TypeVar("T")


class _Mailbox:
    """Of one event loop. Waking a loop costs a system call, and each act would pay for its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._woken = False

    def wait(self, attempt: "Future[T]") -> "asyncio.Future[T]":
        waiting: asyncio.Future[T] = self._loop.create_future()
        attempt.add_done_callback(lambda done: self._put(waiting, done))
        return waiting

    def _put(self, waiting: "asyncio.Future[T]", done: "Future[T]") -> None:
        """In the writer's thread. First in the box, then asked whether a wake-up is on its way."""
        self._due.append((waiting, done))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._due:
            waiting, done = self._due.popleft()
            if waiting.done():  # whoever asked has gone
                continue
            error = done.exception()
            if error:
                waiting.set_exception(error)
            else:
                waiting.set_result(done.result())


class _Here(threading.local):
    box: _Mailbox | None = None
    loop: asyncio.AbstractEventLoop | None = None


_HERE = _Here()


async def answered(attempt: "Future[T]") -> T:
    """Its result, awaited in the running loop."""
    loop = asyncio.get_running_loop()
    if _HERE.box is None or _HERE.loop is not loop:
        _HERE.box, _HERE.loop = _Mailbox(loop), loop
    return await _HERE.box.wait(attempt)
