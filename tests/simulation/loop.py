"""Virtual time: an event loop that jumps to the next moment when nobody is ready and draws the
order of those who are. Threads are greenlets: each gives way where it would block, so that one
seed replays every interleaving of desks, committers and duties. Knows nothing of tenders.
"""

import asyncio
import contextlib
import contextvars
import queue
import random  # noqa: TID251  the seed's own draws: they must repeat
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any, Generic, TypeVar
from unittest import mock

from greenlet import getcurrent, greenlet
from http_message_signatures import signatures

__all__ = ["HERE", "Bell", "Crashed", "Loop", "Machine", "Mailbox", "Rng", "Stalled", "pause"]

T = TypeVar("T")
Rng = random.Random
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
_HANDING = 0.0005  # seconds at most until a pool's thread takes up its work


class Crashed(BaseException):
    """The machine is gone: what ran on it never returns."""


class Stalled(Exception):  # noqa: N818  a finding, not a malfunction
    """Everybody waits for everybody."""


class Machine:
    """One process: its threads and tasks go on together and end together."""

    def __init__(self, loop: "Loop", wall: Callable[[], datetime]) -> None:
        self.loop, self.wall, self.is_alive, self.frozen_until = loop, wall, True, 0.0
        self.threads: dict[_Thread, None] = {}
        self.tasks: dict[asyncio.Task[Any], None] = {}

    def start(self, work: Callable[[], object]) -> None:
        """A thread of its own for as long as the machine lives."""
        thread = _Thread(self, work)
        self.loop.call_soon(thread.go_on)

    def context(self) -> contextvars.Context:
        context = contextvars.copy_context()
        context.run(HERE.set, self)
        return context

    def crash(self) -> None:
        self.is_alive = False
        for thread in list(self.threads):
            thread.kill()
        for task in list(self.tasks):
            task.cancel()


HERE: contextvars.ContextVar[Machine | None] = contextvars.ContextVar("machine", default=None)


class _Thread(greenlet):
    def __init__(self, machine: Machine, work: Callable[[], object]) -> None:
        super().__init__(partial(self._run, work), machine.loop.hub)
        self._machine, self._turn = machine, 0
        machine.threads[self] = None

    def _run(self, work: Callable[[], object]) -> None:
        HERE.set(self._machine)
        try:
            work()
        except Crashed:
            pass
        except BaseException as error:  # noqa: BLE001  in the loop's greenlet it would be nobody's
            self._machine.loop.problems.append(error)
        finally:
            self._machine.threads.pop(self, None)

    def wait(self, register: Callable[[Callable[[], object]], object]) -> None:
        """Give way until the function that `register` is handed has been called."""
        self._check()
        self._turn += 1
        register(partial(self._machine.loop.call_soon, self.go_on, self._turn))
        self._machine.loop.hub.switch()
        self._check()

    def go_on(self, turn: int = 0) -> None:
        machine = self._machine
        if self.dead or turn != self._turn or not machine.is_alive:
            return
        if machine.frozen_until > machine.loop.now:
            machine.loop.call_at(machine.frozen_until, self.go_on, turn)
        else:
            self.switch()

    def kill(self) -> None:
        if self:
            self.throw(Crashed)

    def _check(self) -> None:
        if not self._machine.is_alive:
            raise Crashed


def wait(register: Callable[[Callable[[], object]], object]) -> None:
    """In a thread of the simulation only: whoever blocks the event loop itself is found here."""
    thread = getcurrent()
    if not isinstance(thread, _Thread):
        raise TypeError("this would block the event loop")
    thread.wait(register)


def pause(loop: "Loop", seconds: float) -> None:
    wait(partial(loop.call_later, seconds))


class _Jump:
    """In the place of a selector: nothing outside happens, so the next timer is now."""

    def __init__(self, loop: "Loop") -> None:
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[object]:
        if timeout is None:
            raise Stalled("nobody is ready and no timer runs")
        self._loop.now += timeout
        return []


class Loop(asyncio.BaseEventLoop):
    def __init__(self, rng: Rng) -> None:
        super().__init__()
        self._selector = _Jump(self)
        self._clock_resolution = 1e-6  # far from the beginning a second has no nanoseconds
        self.rng, self.now, self.hub = rng, 0.0, getcurrent()
        self.problems: list[BaseException] = []
        self.outside = Machine(self, self.wall)
        self.set_task_factory(_make_task)

    def time(self) -> float:
        return self.now

    def wall(self) -> datetime:
        """The true time."""
        return START + timedelta(seconds=self.now)

    def _run_once(self) -> None:
        ready = self._ready
        if len(ready) > 1:
            shuffled = list(ready)
            self.rng.shuffle(shuffled)
            ready.clear()
            ready.extend(shuffled)
        super()._run_once()  # type: ignore[misc]

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in a system call that would have to be interrupted."""

    def run_in_executor(
        self, executor: object, func: Callable[..., T], *args: object
    ) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = self.create_future()
        machine = HERE.get() or self.outside
        thread = _Thread(machine, partial(_answer, future, func, args))
        self.call_later(self.rng.uniform(0, _HANDING), thread.go_on)
        return future

    @contextlib.contextmanager
    def ruling(self) -> Iterator[None]:
        """Whoever reads the clock of the system reads this loop's, and sleeps in it."""
        ours, real = threading.get_ident(), (time.monotonic, time.sleep)

        def now() -> float:
            return self.now if threading.get_ident() == ours else real[0]()

        def sleep(seconds: float) -> None:
            pause(self, seconds) if threading.get_ident() == ours else real[1](seconds)

        with (
            mock.patch.multiple(time, monotonic=now, perf_counter=now, sleep=sleep),
            mock.patch.object(signatures, "datetime", _Calendar(self)),
        ):
            yield


def _answer(future: "asyncio.Future[T]", func: Callable[..., T], args: tuple[object, ...]) -> None:
    try:
        result = func(*args)
    except Crashed:
        raise
    except BaseException as error:  # noqa: BLE001  as every executor does
        if not future.done():
            future.set_exception(error)
    else:
        if not future.done():
            future.set_result(result)


def _make_task(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> "asyncio.Task[Any]":
    task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **more)
    context = more.get("context")
    machine = context.get(HERE) if context else HERE.get()
    if machine:
        machine.tasks[task] = None
        task.add_done_callback(lambda done: machine.tasks.pop(done, None))
    return task


class _Calendar:
    """The module `datetime` as a library sees it that reads the wall clock without a port."""

    timedelta, timezone = timedelta, timezone

    def __init__(self, loop: Loop) -> None:
        class Moment(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                machine = HERE.get()
                return machine.wall() if machine else loop.wall()

        self.datetime = Moment


class Mailbox(Generic[T]):
    """The sequencer's queue, where waiting takes no time."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._wake: Callable[[], object] | None = None

    def put(self, item: T) -> None:
        self._items.append(item)
        if self._wake:
            wake, self._wake = self._wake, None
            wake()

    def get(self) -> T:
        while not self._items:
            wait(self._remember)
        return self._items.popleft()

    def get_nowait(self) -> T:
        if not self._items:
            raise queue.Empty
        return self._items.popleft()

    def empty(self) -> bool:
        return not self._items

    def qsize(self) -> int:
        return len(self._items)

    def _remember(self, wake: Callable[[], object]) -> None:
        self._wake = wake


_TICK = 0.1


class Bell:
    """`threading.Event` for a loop that ticks; a busy machine is late by some ticks."""

    def __init__(self, loop: Loop, slowness: float) -> None:
        self._loop, self._slowness = loop, slowness

    def wait(self, timeout: float) -> bool:
        pause(self._loop, timeout + _TICK * self._loop.rng.uniform(1, self._slowness))
        return False
