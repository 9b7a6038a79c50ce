"""封存 the one hot way through the edge: from the bytes of a seal to its answer, and nothing else.

At the deadline everybody seals at once. The same operation stands in the application, with its
description; here it runs without the framework around it, which costs more than the act itself.
"""

import asyncio
import re
from typing import Annotated, Any

import msgspec
from litestar.types import Receive, Scope, Send

from trading.desks.office import driven
from trading.envelope.layout import PREFIX, Prefix
from trading.kernel.errors import (
    BodyMissing,
    EnvelopeRefusal,
    RequestMalformed,
    RuleBroken,
)
from trading.kernel.ids import TenderId
from trading.ledger.entry import Stamp
from web.api.bodies import ActId, Answered, Body, stamped
from web.hot import Reply, refused, send_reply
from web.ports import Ports
from web.turns import Turns

__all__ = ["Seal", "SealLane", "seal"]

_PATH = re.compile(r"/v1/tenders/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/seals")
_TOGETHER = 8  # decisions, of half a millisecond each, until the loop looks at something else
_ROUTE = "/v1/tenders/{tender}/seals"


class Seal(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`envelope`: the 418 bytes of the prefix; `token`: the anonymous right to hand in; base64."""

    id: ActId
    envelope: Annotated[bytes, msgspec.Meta(min_length=PREFIX, max_length=PREFIX)]
    token: Annotated[bytes, msgspec.Meta(max_length=1024)] = b""


async def seal(ports: Ports, tender: TenderId, wanted: Seal) -> Answered:
    """Decided on a warm state, written with whatever else waits, answered once it is durable."""
    prefix = Prefix.parse(wanted.envelope)
    if not await ports.uploads.has(prefix.eid):
        raise BodyMissing(eid=prefix.eid)
    if not ports.office.live.is_ready(tender):
        await asyncio.to_thread(ports.office.live.warm, tender)
    try:
        sealing = ports.desks.bidder.sealing(tender, prefix, wanted.token, wanted.id)
        stamps = await driven(sealing)
    except (EnvelopeRefusal, RuleBroken) as refusal:
        earlier = await asyncio.to_thread(_refused, ports, tender, wanted, refusal)
        if earlier is None:
            raise
        stamps = earlier
    return stamped(stamps[0])


def _refused(
    ports: Ports, tender: TenderId, wanted: Seal, refusal: EnvelopeRefusal | RuleBroken
) -> tuple[Stamp, ...] | None:
    """On the record. An earlier try whose answer was lost may have been written just before it:
    whatever was under way then is visible now, and is the answer.
    """
    desk = ports.desks.bidder
    desk.log_refusal(tender, wanted.envelope, refusal)
    return desk.sealed(tender, Prefix.parse(wanted.envelope), wanted.token, wanted.id)


class SealLane:
    """Answers requests to seal; `takes` says which those are."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._decode = msgspec.json.Decoder(Seal).decode
        self._encode = msgspec.json.Encoder().encode
        self._turns = Turns(_TOGETHER)

    def takes(self, scope: Scope) -> str:
        """The tender of a seal, or an empty string."""
        found = _PATH.fullmatch(scope["path"]) if scope.get("method") == "POST" else None
        return found[1] if found else ""

    async def answer(self, taken: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            wanted = self._decode(await _body(receive))
            await self._turns.come()
            answered = await seal(self._ports, TenderId(taken), wanted)
            reply = Reply(self._encode(answered), status=201)
        except Exception as error:  # noqa: BLE001  told by its code, or as a failure of ours
            reply = refused(error, _ROUTE, scope)
        await send_reply(send, reply)


async def _body(receive: Receive) -> bytes:
    message: Any = await receive()
    parts = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    if message["type"] != "http.request":
        raise RequestMalformed(problem="连接中断 / the connection went")
    return b"".join(parts)
