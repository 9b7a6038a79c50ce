"""The way between clients and processes: slow, lossy, and sometimes it delivers a message twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from simulation.loop import Crashed, Loop
from simulation.process import Process

__all__ = ["Answer", "Line", "Network"]

_TIMEOUT = 3.0  # seconds a client waits for an answer


class Answer(msgspec.Struct, frozen=True):
    status: int
    text: bytes

    @property
    def body(self) -> dict[str, Any]:
        return msgspec.json.decode(self.text) if self.text[:1] == b"{" else {}

    @property
    def code(self) -> str:
        return str(self.body.get("code", self.status))


class Line(msgspec.Struct):
    """Chances of a message, and the seconds it takes at most."""

    lost: float = 0.0
    unanswered: float = 0.0
    twice: float = 0.0
    slowest: float = 0.03


class Network:
    def __init__(self, loop: Loop, line: Line, complain: Callable[[str], None]) -> None:
        self._loop, self.line, self._complain = loop, line, complain

    async def ask(
        self, process: Process, target: tuple[str, str], headers: dict[str, str], body: bytes
    ) -> Answer | None:
        """None if nobody knows what became of it."""
        if self._chance(self.line.lost):
            await asyncio.sleep(_TIMEOUT)
            return None
        await asyncio.sleep(self._latency())
        if not process.is_open:
            return None
        scope = _scope(target, headers, body)
        task = self._deliver(process, scope, body)
        if self._chance(self.line.twice):
            self._loop.call_later(self._latency(), self._repeat, process, dict(scope), body)
        done, _ = await asyncio.wait({task}, timeout=_TIMEOUT)
        await asyncio.sleep(self._latency())
        if not done or task.cancelled() or self._chance(self.line.unanswered):
            return None
        return task.result()

    def _deliver(
        self, process: Process, scope: dict[str, Any], body: bytes
    ) -> "asyncio.Task[Answer | None]":
        work = self._served(process.entrance, scope, body)
        return self._loop.create_task(work, context=process.machine.context())

    def _repeat(self, process: Process, scope: dict[str, Any], body: bytes) -> None:
        if process.is_open:
            self._deliver(process, scope, body)

    def _latency(self) -> float:
        return self._loop.rng.uniform(0.001, self.line.slowest)

    def _chance(self, likely: float) -> bool:
        return self._loop.rng.random() < likely

    async def _served(
        self, app: Callable[..., Awaitable[None]], scope: dict[str, Any], body: bytes
    ) -> Answer | None:
        """None if the process died over it."""
        told: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        try:
            await app(scope, receive, send)
        except Crashed:
            return None
        except Exception as error:  # noqa: BLE001  whatever leaves an application is a finding
            self._complain(f"{scope['path']}: {error!r}")
            return None
        text = b"".join(message.get("body", b"") for message in told)
        return Answer(told[0]["status"], text)


def _scope(target: tuple[str, str], headers: dict[str, str], body: bytes) -> dict[str, Any]:
    method, path = target
    given = headers | {"content-length": str(len(body))}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("192.0.2.1", 40_000),
        "server": ("centre.example", 80),
        "extensions": {},
    }
