"""The outermost wall: lanes with room for seals, a name and headers for every answer, figures.

A lane that is full answers 503 at once instead of queueing; when the event loop itself lags,
everything but a seal is turned away. Nothing in here knows what a request means.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import prometheus_client
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from trading.kernel.chance import portions
from trading.kernel.errors import Overloaded, Refusal, RequestTooSlow
from web.hot import HotWay, send_reply, told

__all__ = ["Edge", "Lane"]

_LAG = 0.25  # seconds that the loop may be late before it sheds
_TICK = 0.05
_NAME, _DRAWN = 8, 512  # bytes of a request's name, and how many are drawn together
_BODY_SECONDS = 10.0  # for a whole body, uploads apart; they have their own patience
_LARGEST = 2 << 20  # bytes of a request body, uploads apart
_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"cache-control", b"no-store"),
]
_TOO_BUSY = Overloaded(seconds=1)
_TOO_SLOW = RequestTooSlow(seconds=10, limit=_LARGEST)
_SECONDS = prometheus_client.Histogram(
    "kaifeng_request_seconds",
    "Time from request to answer",
    ["lane", "status"],
    buckets=(0.005, 0.02, 0.1, 0.25, 0.5, 1, 2, 5, 10),
)
_INSIDE = prometheus_client.Gauge("kaifeng_requests_inside", "Requests under way", ["lane"])
_LAGGING = prometheus_client.Gauge("kaifeng_loop_lag_seconds", "How late the event loop is")


class Lane(msgspec.Struct):
    """`most` requests at once, bodies of at most `largest` bytes; `reserved` lanes are open even
    while the loop lags.
    """

    name: str
    most: int
    reserved: bool = False
    largest: int = _LARGEST
    inside: int = 0


class Edge:
    """At most `seals` at once. The `hot` ways are asked first, the application gets the rest."""

    def __init__(self, app: ASGIApp, seals: int = 4096, hot: Sequence[HotWay] = ()) -> None:
        self._app, self._hot = app, hot
        self._lanes = {
            "seal": Lane("seal", seals, reserved=True, largest=16 << 10),
            "upload": Lane("upload", 512, largest=1 << 62),
            "write": Lane("write", 256),
            "read": Lane("read", 512),
            "health": Lane("health", 64, reserved=True),
        }
        # by chance: numbers would tell a stranger how many requests came between two of its own
        self._names = portions(_NAME, _DRAWN)
        self._lag = 0.0
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        if self._watch is None:
            self._watch = asyncio.create_task(self._measure())
        lane = self._lanes[_lane(scope["method"], scope["path"])]
        name = next(self._names).hex()
        scope["request_id"] = name  # type: ignore[typeddict-unknown-key]
        if lane.name != "upload":  # a place in a lane is taken by a whole request, not by a promise
            body = await _collected(receive, lane.largest)
            if body is None:
                await _turn_away(send, name, _TOO_SLOW)
                return
            receive = _again(body, receive)
        if lane.inside >= lane.most or (self._lag > _LAG and not lane.reserved):
            await _turn_away(send, name, _TOO_BUSY)
            _observe(lane.name, "503", 0)
            return
        lane.inside += 1
        started, answer = time.perf_counter(), _Answer(send, name)
        try:
            await self._inside(scope, receive, answer.send)
        finally:
            lane.inside -= 1
            _observe(lane.name, answer.status, time.perf_counter() - started)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        for way in self._hot:
            if taken := way.takes(scope):
                await way.answer(taken, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _measure(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(_TICK)
            late = time.perf_counter() - before - _TICK
            self._lag = max(late, self._lag * 0.7)
            _LAGGING.set(self._lag)
            for lane in self._lanes.values():
                _INSIDE.labels(lane.name).set(lane.inside)


class _Answer:
    """Adds what every answer carries, unless the handler has said it itself."""

    def __init__(self, send: Send, name: str) -> None:
        self._send, self._name, self.status = send, name, "0"

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = str(message["status"])
            message["headers"] = _complete(message["headers"], self._name)
        await self._send(message)


def _complete(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    said = {key.lower() for key, _ in given}
    missing = [(key, value) for key, value in _HEADERS if key not in said]
    return [*given, *missing, (b"x-request-id", name.encode())]


def _lane(method: str, path: str) -> str:
    if path.endswith("/seals"):
        return "seal"
    if path in ("/healthz", "/readyz"):
        return "health"
    if "/uploads" in path:
        return "upload"
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "write"


async def _collected(receive: Receive, largest: int) -> bytes | None:
    """The whole body in bounded time and space; None for one that is too slow or too large."""
    parts, size, task = [], 0, asyncio.current_task()
    late: list[bool] = []

    def end() -> None:
        late.append(True)
        if task:
            task.cancel()

    timer = asyncio.get_running_loop().call_later(_BODY_SECONDS, end)
    try:
        while True:
            message: Any = await receive()
            size += len(message.get("body", b""))
            if message["type"] != "http.request" or size > largest:
                return None
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                return b"".join(parts)
    except asyncio.CancelledError:
        if late and task:
            task.uncancel()
            return None
        raise
    finally:
        timer.cancel()


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, in one piece; what comes after it is the connection's own."""
    message: Any = {"type": "http.request", "body": body, "more_body": False}
    told = False

    async def again() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return message

    return again


@cache
def _seconds(lane: str, status: str) -> Any:
    return _SECONDS.labels(lane, status)


def _observe(lane: str, status: str, seconds: Any) -> None:
    _seconds(lane, status).observe(seconds)


async def _turn_away(send: Send, name: str, refusal: Refusal) -> None:
    """Without the application: it may be what is too busy."""
    reply = told(refusal)
    closing = msgspec.structs.replace(reply, headers=[*reply.headers, ("connection", "close")])
    await send_reply(_Answer(send, name).send, closing)
