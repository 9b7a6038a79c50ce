"""HTTP/1.1 load from one cheap asyncio process: a closed loop of clients, or a fixed rate.

Knows nothing of what it sends. `python -m bench.load --config FILE.json` runs it apart.
"""

import argparse
import asyncio
import gc
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

import httptools
import msgspec
import uvloop
from bench.processes import running

__all__ = ["LOST", "TIMED_OUT", "UNSENT", "Answer", "Closed", "Open", "Outcome", "Target"]
__all__ += ["drive", "drive_apart", "post"]

# In the place of a status: the connection went, the server said nothing in time, the run ended.
LOST, TIMED_OUT, UNSENT = -1, -2, -3
_FREE = -1
_AT_ONCE = 64  # connections being made
_RETRY = 0.05
_TICK = 0.001


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """Each client sends its next request when the one before was answered."""

    clients: int
    total: int


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Requests fall due on a schedule that no answer moves; `clients` is the pool that sends."""

    clients: int
    rate: float
    seconds: float

    @property
    def total(self) -> int:
        return round(self.rate * self.seconds)


class Target(msgspec.Struct, frozen=True):
    """A server on this machine, and how long one answer and the whole run may take."""

    port: int
    timeout: float = 30.0
    limit: float = 300.0
    keep: bool = False  # the bodies of the answers


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`latency` counts from the sending, in an open loop from when the request was due."""

    index: int
    status: int
    latency: float
    body: bytes = b""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies are of all that was answered or timed out; `cpu` is of the generator alone."""

    counts: dict[int, int]  # by status, errors among them
    p50: float
    p90: float
    p99: float
    top: float
    seconds: float
    rate: float  # of answers
    late_p99: float  # how late the generator saw what was due: its own part of the latencies
    cpu: float
    answers: list[Answer]

    @property
    def errors(self) -> int:
        return sum(count for status, count in self.counts.items() if status < 0)


class _Apart(msgspec.Struct, frozen=True):
    target: Target
    plan: Closed | Open
    requests: str
    outcome: str


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """One raw request; JSON unless the headers say otherwise."""
    fields = {"host": "127.0.0.1", "content-type": "application/json", **(headers or {})}
    fields["content-length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class _Client(asyncio.Protocol):
    """One keep-alive connection with at most one request on it."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._chunks: list[bytes] = []
        self._index = _FREE
        self._sent = self._since = 0.0

    def connection_made(self, transport) -> None:
        self.transport = transport

    def send(self, index: int, now: float, since: float) -> None:
        self._index, self._sent, self._since = index, now, since
        self.transport.write(self._run.request(index))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_body(self, chunk: bytes) -> None:
        if self._run.target.keep:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        if self._index == _FREE:  # nobody asked
            self.transport.abort()
            return
        self._settle(self._parser.get_status_code())
        if self._parser.should_keep_alive():
            self._run.freed(self)
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(LOST)
        self._run.gone(self)

    def give_up(self, sent_before: float) -> None:
        if self._index != _FREE and self._sent < sent_before:
            self._settle(TIMED_OUT)
            self.transport.abort()

    def _settle(self, status: int) -> None:
        if self._index != _FREE:
            index, self._index = self._index, _FREE
            self._run.settled(index, status, time.perf_counter() - self._since)
            if self._chunks:
                self._run.bodies[index], self._chunks = b"".join(self._chunks), []


class _Run:
    """Requests fall due in the order of their index, and free clients take them in that order."""

    def __init__(
        self, target: Target, plan: Closed | Open, request: Callable[[int], bytes]
    ) -> None:
        self.target, self.request = target, request
        self.total = plan.total
        self.gap = 1 / plan.rate if isinstance(plan, Open) else 0.0
        self.start = self.end = 0.0
        self.late = array("d")
        self.statuses = array("h", [UNSENT]) * self.total
        self.latencies = array("d", [0.0]) * self.total
        self.bodies: dict[int, bytes] = {}
        self._due = 0 if self.gap else self.total  # how many fell due
        self._sent = self._settled = 0
        self._idle: deque[_Client] = deque()
        self._clients: set[_Client] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()

    async def run(self, clients: int) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)
        made = await asyncio.gather(*(self._connect(gate) for _ in range(clients)))
        self.start = time.perf_counter()
        for client in made:
            self.freed(client)
        self._spawn(self._watch())
        self._loop.call_later(_TICK, self._tick)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), self.target.limit)
        self.end = time.perf_counter()
        self._done.set()
        for client in self._clients.copy():
            client.give_up(time.perf_counter())
            client.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.sleep(0)

    def freed(self, client: _Client) -> None:
        self._idle.append(client)
        self._pump()

    def gone(self, client: _Client) -> None:
        """A successor comes, also when the server is away for a while."""
        self._clients.discard(client)
        if not self._done.is_set():
            self._spawn(self._replace())

    def settled(self, index: int, status: int, latency: float) -> None:
        self.statuses[index], self.latencies[index] = status, latency
        self._settled += 1
        if self._settled == self.total:
            self._done.set()

    def _pump(self) -> None:
        now = time.perf_counter()
        while self._due < self.total and (late := now - self._schedule(self._due)) >= 0:
            self.late.append(late)
            self._due += 1
        while self._sent < self._due and self._idle:
            client = self._idle.popleft()
            if not client.transport.is_closing():
                client.send(self._sent, now, self._schedule(self._sent) if self.gap else now)
                self._sent += 1

    def _schedule(self, index: int) -> float:
        return self.start + index * self.gap

    def _tick(self) -> None:
        self._pump()
        if self._due < self.total and not self._done.is_set():
            self._loop.call_later(_TICK, self._tick)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(1.0, self.target.timeout / 4))
            for client in self._clients.copy():
                client.give_up(time.perf_counter() - self.target.timeout)

    async def _connect(self, gate: asyncio.Semaphore) -> _Client:
        async with gate:
            _transport, client = await self._loop.create_connection(
                lambda: _Client(self), "127.0.0.1", self.target.port
            )
        self._clients.add(client)
        return client

    async def _replace(self) -> None:
        while True:
            with suppress(OSError):
                self.freed(await self._connect(asyncio.Semaphore()))
                return
            await asyncio.sleep(_RETRY)

    def _spawn(self, work) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _outcome(run: _Run, cpu: float) -> Outcome:
    answers = [
        Answer(index, *pair, run.bodies.get(index, b""))
        for index, pair in enumerate(zip(run.statuses, run.latencies, strict=True))
    ]
    waits = sorted(one.latency for one in answers if one.status not in (LOST, UNSENT))
    seconds = run.end - run.start
    return Outcome(
        counts=dict(Counter(run.statuses)),
        p50=_quantile(waits, 0.5),
        p90=_quantile(waits, 0.9),
        p99=_quantile(waits, 0.99),
        top=_quantile(waits, 1),
        seconds=seconds,
        rate=sum(one.status > 0 for one in answers) / seconds,
        late_p99=_quantile(sorted(run.late), 0.99),
        cpu=cpu,
        answers=answers,
    )


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _prepared(requests: Iterable[bytes], total: int) -> list[bytes]:
    made = list(islice(requests, total))
    if len(made) < total:
        raise ValueError(f"{len(made)} requests for a plan of {total}")
    return made


def drive(
    target: Target, plan: Closed | Open, requests: Iterable[bytes] | Callable[[int], bytes]
) -> Outcome:
    """Raw requests in order, or what makes the one of an index. Blocks; each is sent once."""
    request = requests if callable(requests) else _prepared(requests, plan.total).__getitem__

    async def work() -> Outcome:
        run, cpu = _Run(target, plan, request), time.process_time()
        await run.run(plan.clients)
        return _outcome(run, time.process_time() - cpu)

    return uvloop.run(work())


def drive_apart(
    folder: Path, target: Target, plan: Closed | Open, requests: Iterable[bytes]
) -> Outcome:
    """The same in a process of its own, whose processor time is nobody else's."""
    (folder / "requests").write_bytes(msgspec.msgpack.encode(_prepared(requests, plan.total)))
    apart = _Apart(target, plan, str(folder / "requests"), str(folder / "outcome.json"))
    config, log = folder / "load.json", folder / "load.log"
    config.write_bytes(msgspec.json.encode(apart))
    with running(["-m", "bench.load", "--config", str(config)], log) as child:
        if child.wait(target.limit + 60):
            raise ChildProcessError(log.read_text())
    return msgspec.json.decode(Path(apart.outcome).read_bytes(), type=Outcome)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    given = msgspec.json.decode(parser.parse_args().config.read_bytes(), type=_Apart)
    requests = msgspec.msgpack.decode(Path(given.requests).read_bytes(), type=list[bytes])
    gc.freeze()
    gc.disable()  # bounded in count, and a pause would be taken for the server's
    outcome = drive(given.target, given.plan, requests)
    Path(given.outcome).write_bytes(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
