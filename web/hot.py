"""热路 hot ways through the edge: what thousands ask at once, answered without the framework.

The same operations stand in the application, with their descriptions; the framework around them
costs more than they do themselves. A way takes what it knows and leaves the rest.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from litestar.types import Receive, Scope, Send

from trading.kernel.errors import Internal, Refusal, RequestMalformed
from web.problems import PROBLEM, log_failure, log_refusal, problem

__all__ = ["JSON", "HotWay", "Reply", "refused", "send_reply", "told"]

JSON = "application/json"
_ENCODE = msgspec.json.Encoder().encode


class HotWay(Protocol):
    def takes(self, scope: Scope) -> str:
        """What `answer` needs to know of the request; empty if it is none of this way's."""
        ...

    async def answer(self, taken: str, scope: Scope, receive: Receive, send: Send) -> None: ...


class Reply(msgspec.Struct, frozen=True):
    content: bytes
    kind: str = JSON
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()


async def send_reply(send: Send, reply: Reply) -> None:
    fields = [("content-type", reply.kind), ("content-length", str(len(reply.content)))]
    start: Any = {"type": "http.response.start", "status": reply.status}
    start["headers"] = [
        (name.lower().encode(), text.encode()) for name, text in [*fields, *reply.headers]
    ]
    await send(start)
    await send({"type": "http.response.body", "body": reply.content, "more_body": False})


def refused(error: Exception, route: str, scope: Scope) -> Reply:
    """By its code, or as a failure of ours."""
    request = str(scope.get("request_id", ""))
    if isinstance(error, msgspec.MsgspecError | UnicodeDecodeError):
        error = RequestMalformed(problem=error)
    if isinstance(error, Refusal):
        log_refusal(error, route, request)
    else:
        log_failure(error, request)
        error = Internal(request=request)
    return told(error)


def told(refusal: Refusal) -> Reply:
    said = problem(refusal)
    return Reply(_ENCODE(said.content), PROBLEM, said.status_code or 500, [*said.headers.items()])
