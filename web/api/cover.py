"""掩护的门: other institutions promise covers before they make them, and reveal them afterwards."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, post
from litestar.params import FromPath, JSONBody

from trading.kernel.ids import TenderId
from web.access import allow
from web.api.bodies import Digest, Here, SignedBody, answered
from web.auth import actor, authenticate

__all__ = ["CoverController"]

_MOST = 10_000


class Promise(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    digest: Digest


class Reveal(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    salt: Digest
    keys: Annotated[tuple[Digest, ...], msgspec.Meta(max_length=_MOST)]


class CoverController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("掩护 covers",)
    guards = (authenticate, allow)

    @post("/cover-promises", name="promise_covers", sync_to_thread=True)
    def promise(
        self,
        tender: FromPath[UUID],
        data: JSONBody[Promise],
        ports: Here,
        request: Request[Any, Any, Any],
    ) -> dict[str, object]:
        """承诺: a digest over all pseudonyms that this maker will use."""
        maker = actor(request, data)
        return answered(ports.desks.cover.promise(maker, TenderId(str(tender)), data.digest))

    @post("/cover-revelations", name="reveal_covers", sync_to_thread=True)
    def reveal(
        self,
        tender: FromPath[UUID],
        data: JSONBody[Reveal],
        ports: Here,
        request: Request[Any, Any, Any],
    ) -> dict[str, object]:
        """公布, between the closing and the opening: those envelopes are no bids."""
        maker, name = actor(request, data), TenderId(str(tender))
        ports.desks.cover.reveal(maker, name, data.salt, data.keys)
        return answered(ports.desks.opening.settle(name))
