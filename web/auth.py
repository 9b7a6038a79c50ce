"""Finding out who calls, and taking over an act that was signed elsewhere."""

import asyncio
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from trading.kernel.errors import ActUnsigned, Unauthenticated
from trading.kernel.ids import PartyId
from trading.kernel.party import Actor
from trading.ledger.signature import check_act
from web.access import is_frameworks
from web.api.bodies import SignedBody
from web.parties import Caller
from web.ports import Ports
from web.signing import Message, check_signature

__all__ = ["Presigned", "actor", "authenticate"]

_NO_SIGNATURE = "00" * 64


async def authenticate(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """The first guard of every operation with roles; the caller then stands in the scope."""
    if is_frameworks(handler):
        return
    if not isinstance(connection, Request):
        raise Unauthenticated(problem="HTTP")
    ports: Ports = connection.app.state.ports
    scope, host = connection.scope, connection.headers.get("host", "")
    if ports.authority and host != ports.authority:
        raise Unauthenticated(problem=f"Host {host[:100]}，应为 / not {ports.authority}")
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    url = f"{scope['scheme']}://{host}{path}" + (f"?{query}" if query else "")  # as it was sent
    message = Message(connection.method, url, dict(connection.headers))
    body = await connection.body()
    scope["user"] = await asyncio.to_thread(_caller, ports, message, body)


def _caller(ports: Ports, message: Message, body: bytes) -> Caller:
    keys, office = ports.parties.keys(), ports.office
    party = check_signature(message, body, keys, office.ledger, office.clock)
    return ports.parties.caller(party)


class Presigned:
    """A signature that was made elsewhere (hex), worth what it is worth over this very act."""

    def __init__(self, party: str, public: bytes, signature: str) -> None:
        self._party, self._public, self._signature = party, public, signature or _NO_SIGNATURE

    @property
    def public(self) -> bytes:
        return self._public

    def sign(self, message: bytes) -> bytes:
        """ActUnsigned, which tells what to sign, unless the signature fits."""
        signature = bytes.fromhex(self._signature)
        if not check_act(self._public, signature, message):
            raise ActUnsigned(party=self._party, message=message.decode())
        return signature


def actor(request: Request[Any, Any, Any], act: SignedBody) -> Actor:
    """Whoever called, with the signature it made over this very act."""
    caller: Caller = request.scope["user"]
    key = Presigned(caller.party, caller.key, act.sig)
    return Actor(PartyId(caller.party), caller.roles, key, act.id)
