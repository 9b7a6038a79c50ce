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

# In the place of a status: the connection went, the server said nothing in time, the run ended.
LOST, TIMED_OUT, UNSENT = -1, -2, -3
_FREE = -1
_RETRY, _TICK, _WATCH = 0.05, 0.001, 0.25


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


Plan = Closed | Open
Requests = Iterable[bytes] | Callable[[int], bytes]


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
    plan: Plan
    requests: str
    outcome: str


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """One raw request; JSON unless the headers say otherwise."""
    fields = {"content-type": "application/json", "content-length": len(body), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n".encode() + body


class _Client(asyncio.Protocol):
    """One keep-alive connection with at most one request on it."""

    def __init__(self, run: "_Run") -> None:
        self._run, self._index = run, _FREE
        self._sent = self._since = 0.0
        self._chunks: list[bytes] = []
        if run.target.keep:
            self.on_body = self._chunks.append  # the parser calls what it finds here
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport) -> None:
        self.transport = transport
        self._run.clients.add(self)

    def send(self, index: int, now: float, since: float) -> None:
        self._index, self._sent, self._since = index, now, since
        self.transport.write(self._run.request(index))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_message_complete(self) -> None:
        asked = self._index != _FREE
        self._settle(self._parser.get_status_code())
        if asked and self._parser.should_keep_alive():
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
            latency, body = time.perf_counter() - self._since, b"".join(self._chunks)
            self._chunks.clear()
            self._run.settled(Answer(index, status, latency, body))


class _Run:
    """Requests fall due in the order of their index, and free clients take them in that order."""

    def __init__(self, target: Target, plan: Plan, request: Callable[[int], bytes]) -> None:
        self.target, self.request = target, request
        self.total = plan.total
        self.gap = 1 / plan.rate if isinstance(plan, Open) else 0.0
        self.start = self.end = 0.0
        self.late = array("d")
        self.answers = [Answer(index, UNSENT, 0.0) for index in range(self.total)]
        self._due = 0 if self.gap else self.total  # how many fell due
        self._sent = self._settled = 0
        self._idle: deque[_Client] = deque()
        self.clients: set[_Client] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._done = asyncio.Event()

    async def run(self, clients: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle.extend([await self._connect() for _ in range(clients)])
        self.start = time.perf_counter()
        self._tick()
        while not self._done.is_set() and self.end < self.start + self.target.limit:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), _WATCH)
            self.end = time.perf_counter()
            for client in self.clients:
                client.give_up(self.end - self.target.timeout)
        self._done.set()
        for client in self.clients:
            client.give_up(self.end)
        await asyncio.gather(*self._tasks)
        for client in self.clients:
            client.transport.abort()
        await asyncio.sleep(_RETRY)  # until all of them are gone

    def freed(self, client: _Client) -> None:
        if not self._done.is_set():
            self._idle.append(client)
            self._pump()

    def gone(self, client: _Client) -> None:
        """A successor comes, also when the server is away for a while."""
        self.clients.discard(client)
        if not self._done.is_set():
            self._tasks.append(self._loop.create_task(self._replace()))

    def settled(self, answer: Answer) -> None:
        self.answers[answer.index] = answer
        self._settled += 1
        if self._settled == self.total:
            self._done.set()

    def _pump(self) -> None:
        now = time.perf_counter()
        while self._due < self.total and (due := self.start + self._due * self.gap) <= now:
            self.late.append(now - due)
            self._due += 1
        while self._sent < self._due and self._idle:
            client = self._idle.popleft()
            if not client.transport.is_closing():
                since = self.start + self._sent * self.gap if self.gap else now
                client.send(self._sent, now, since)
                self._sent += 1

    def _tick(self) -> None:
        """The loop's timers are no finer than this; every answer pumps as well."""
        self._pump()
        if self._due < self.total and not self._done.is_set():
            self._loop.call_later(_TICK, self._tick)

    async def _connect(self) -> _Client:
        async with asyncio.timeout(self.target.timeout):
            _transport, client = await self._loop.create_connection(
                lambda: _Client(self), "127.0.0.1", self.target.port
            )
        return client

    async def _replace(self) -> None:
        while not self._done.is_set():
            try:
                self.freed(await self._connect())
                break
            except OSError:
                await asyncio.sleep(_RETRY)


def _outcome(run: _Run, cpu: float) -> Outcome:
    waits = sorted(one.latency for one in run.answers if one.status not in (LOST, UNSENT))
    seconds = run.end - run.start
    return Outcome(
        counts=dict(Counter(one.status for one in run.answers)),
        p50=_quantile(waits, 0.5),
        p90=_quantile(waits, 0.9),
        p99=_quantile(waits, 0.99),
        top=_quantile(waits, 1),
        seconds=seconds,
        rate=sum(one.status > 0 for one in run.answers) / seconds,
        late_p99=_quantile(sorted(run.late), 0.99),
        cpu=cpu,
        answers=run.answers,
    )


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _prepared(requests: Iterable[bytes], total: int) -> list[bytes]:
    made = list(islice(requests, total))
    if len(made) < total:
        raise ValueError(f"{len(made)} requests for a plan of {total}")
    return made


def drive(target: Target, plan: Plan, requests: Requests) -> Outcome:
    """Raw requests in order, or what makes the one of an index. Blocks; each is sent once."""
    request = requests if callable(requests) else _prepared(requests, plan.total).__getitem__
    cpu, run = time.process_time(), _Run(target, plan, request)
    uvloop.run(run.run(plan.clients))
    return _outcome(run, time.process_time() - cpu)


def drive_apart(folder: Path, target: Target, plan: Plan, requests: Iterable[bytes]) -> Outcome:
    """The same in a process of its own, whose processor time is nobody else's."""
    config, log, sent = folder / "load.json", folder / "load.log", folder / "requests"
    apart = _Apart(target, plan, str(sent), str(folder / "outcome.json"))
    config.write_bytes(msgspec.json.encode(apart))
    sent.write_bytes(msgspec.msgpack.encode(_prepared(requests, plan.total)))
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
