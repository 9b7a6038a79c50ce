"""投标人窗口: documents and tokens, uploads, the seal that counts, and what became of it."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, head, patch, post, route
from litestar.params import FromPath, HeaderParameter, JSONBody, PathParameter

from trading.envelope.layout import PREFIX
from trading.kernel.errors import (
    Overloaded,
    UploadRefusal,
)
from trading.kernel.ids import TenderId
from web.access import allow
from web.api.bodies import (
    ActId,
    Answered,
    Body,
    Digest,
    Here,
    Hex,
    Text,
    answered,
)
from web.auth import authenticate
from web.ports import Ports
from web.seals import Seal, seal
from web.uploads import Upload

__all__ = ["BidderController", "TusController", "UploadController", "is_sealed"]

UploadKey = Annotated[str, PathParameter(pattern="^[0-9a-z]{1,64}$")]
UploadToken = Annotated[
    str, HeaderParameter(name="Upload-Token", pattern="^([0-9a-f]{2})*$", max_length=4096)
]
BidKey = Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$")]

_TUS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}
_TOKENS = 64  # that one party may take for one tender in the life of a process


class TakeToken(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`blinded`: base64, by RFC 9474."""

    blinded: bytes


class Taken(msgspec.Struct, frozen=True):
    signature: bytes


class Withdraw(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: ActId
    eid: Digest
    signature: Hex


class Reveal(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    eid: Digest
    cokey: Hex


class Ask(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: Text


class Bid(msgspec.Struct, frozen=True):
    """What became of an envelope, for whoever knows its id."""

    eid: str
    state: str  # unknown, stored, received, replaced, withdrawn, opened, unopened
    index: int | None = None
    at: str = ""


class BidderController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("投标人 bidder",)

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        self._taken: dict[tuple[str, str], int] = {}

    @post("/tokens", name="take_tokens", guards=[authenticate, allow], status_code=200)
    async def take_tokens(
        self,
        tender: FromPath[UUID],
        data: JSONBody[TakeToken],
        ports: Here,
        request: Request[Any, Any, Any],
    ) -> Taken:
        """领取招标文件 take the documents: one blindly signed token for each question."""
        party, name = request.scope["user"].party, TenderId(str(tender))
        desk = ports.desks.bidder
        # before any key is made or used
        await asyncio.to_thread(desk.check_issue, name, party, data.blinded)
        self._count(name, party)
        return Taken(
            await asyncio.to_thread(
                lambda: desk.issue_token(name, ports.issuers.of(name), party, data.blinded)
            )
        )

    def _count(self, tender: str, party: str) -> None:
        taken = self._taken.get((tender, party), 0)
        if taken >= _TOKENS:
            raise Overloaded(seconds=3600)
        self._taken[tender, party] = taken + 1

    @post("/questions", name="ask", sync_to_thread=True)
    def ask(self, tender: FromPath[UUID], data: JSONBody[Ask], ports: Here) -> dict[str, str]:
        """提问, by anyone; who asks is not recorded."""
        question = ports.desks.purchaser.ask(TenderId(str(tender)), data.text)
        return {"question": question}

    @post("/seals", name="seal")
    async def seal(self, tender: FromPath[UUID], data: JSONBody[Seal], ports: Here) -> Answered:
        """封存: what counts at the deadline. If the answer is lost, send it again under its id."""
        return await seal(ports, TenderId(str(tender)), data)

    @post("/withdrawals", name="withdraw", status_code=200, sync_to_thread=True)
    def withdraw(
        self, tender: FromPath[UUID], data: JSONBody[Withdraw], ports: Here
    ) -> dict[str, object]:
        """撤回, signed by the bid's pseudonym."""
        signature = bytes.fromhex(data.signature)
        name = TenderId(str(tender))
        ports.desks.bidder.withdraw(name, data.eid, signature, data.id)
        return {"eid": data.eid, "state": "withdrawn"}

    @post("/cokeys", name="reveal", status_code=200, sync_to_thread=True)
    def reveal(
        self, tender: FromPath[UUID], data: JSONBody[Reveal], ports: Here
    ) -> dict[str, object]:
        """解密: the bidder's own key, after the deadline and before the committee acts."""
        cokey = bytes.fromhex(data.cokey)
        return answered(ports.desks.opening.reveal(TenderId(str(tender)), data.eid, cokey))

    @get("/bids/{eid:str}", name="bid", sync_to_thread=True)
    def bid(self, tender: FromPath[UUID], eid: BidKey, ports: Here) -> Bid:
        """我的投标怎么样了 what happened to my bid; only its bidder knows its id."""
        with ports.office.live.held(str(tender), fresh=True) as state:
            received = state.received.get(eid)
            if received is None:
                return Bid(eid, "stored" if ports.uploads.is_stored(eid) else "unknown")
            word = "received" if state.current.get(received.place) == eid else "replaced"
            word = "withdrawn" if eid in state.withdrawn else word
            word = "opened" if eid in state.opened else word
            word = "unopened" if eid in state.unopened else word
            return Bid(eid, word, received.index, received.at.isoformat())


class TusController(Controller):
    """What our uploads can do, as tus asks for it."""

    tags = ("上传 uploads",)

    @route(
        ["/v1/uploads", "/v1/tenders/{tender:uuid}/uploads"],
        http_method=["OPTIONS"],
        name="upload_options",
        include_in_schema=False,
        status_code=204,
    )
    async def options(self, ports: Here) -> Response[None]:
        return Response(None, status_code=204, headers={**_TUS, **ports.uploads.abilities()})


class UploadController(Controller):
    """tus 1.0 with creation, termination and expiration."""

    tags = ("上传 uploads",)

    @post("/v1/tenders/{tender:uuid}/uploads", name="create_upload", sync_to_thread=True)
    def create(
        self,
        tender: FromPath[UUID],
        ports: Here,
        length: Annotated[int, HeaderParameter(name="Upload-Length", ge=PREFIX)],
        token: UploadToken = "",
    ) -> Response[None]:
        """A place for one envelope. The same token is given the same place again."""
        ports.desks.bidder.check_right(TenderId(str(tender)), bytes.fromhex(token))
        upload = ports.uploads.create(
            str(tender), length, bytes.fromhex(token), ports.office.ids.mint()
        )
        headers = {"Location": f"/v1/uploads/{upload.id}", **_standing(ports, upload)}
        return Response(None, status_code=201, headers=headers)

    @head("/v1/uploads/{upload:str}", name="upload_offset", sync_to_thread=True)
    def offset(self, upload: UploadKey, ports: Here) -> Response[None]:
        found = ports.uploads.find(upload)
        headers = {**_standing(ports, found), "Upload-Length": str(found.length)}
        return Response(None, headers=headers)

    @patch("/v1/uploads/{upload:str}", name="append_upload")
    async def append(
        self,
        upload: UploadKey,
        ports: Here,
        request: Request[Any, Any, Any],
        offset: Annotated[int, HeaderParameter(name="Upload-Offset", ge=0)],
    ) -> Response[None]:
        """The next bytes; what arrives before a break is kept."""
        if request.headers.get("content-type") != "application/offset+octet-stream":
            raise UploadRefusal(problem="Content-Type: application/offset+octet-stream")
        found = ports.uploads.find(upload)
        name, token = TenderId(found.tender), bytes.fromhex(found.token)
        done = await ports.uploads.append(
            found,
            offset,
            request.stream(),
            lambda prefix: ports.desks.bidder.check(name, prefix, token),
        )
        return Response(None, status_code=204, headers=_standing(ports, done))

    @delete("/v1/uploads/{upload:str}", name="drop_upload", status_code=204, sync_to_thread=True)
    def drop(self, upload: UploadKey, ports: Here) -> Response[None]:
        """The bytes alone: a sealed bid is withdrawn, never dropped."""
        ports.uploads.drop(upload, lambda found: is_sealed(ports, found))
        return Response(None, status_code=204, headers=_TUS)


def is_sealed(ports: Ports, upload: Upload) -> bool:
    """Whether the upload has become a bid, current or not: then its bytes are evidence."""
    with ports.office.live.held(upload.tender, fresh=True) as state:
        return upload.eid in state.received


def _standing(ports: Ports, upload: Upload) -> dict[str, str]:
    headers = {
        **_TUS,
        "Upload-Offset": str(ports.uploads.offset(upload)),
        "Upload-Expires": f"{upload.expires:%a, %d %b %Y %H:%M:%S GMT}",
    }
    return headers | ({"Upload-Envelope": upload.eid} if upload.eid else {})
