"""账本的门 the ledger for everyone: checkpoint, tiles, feed, proofs, receipts, the roll."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, JSONBody, PathParameter, QueryParameter

from trading.desks.bidder import receipt_from
from trading.disclosure import SEALED, is_shown, tender_of
from trading.facts.party import PartyEnrolled
from trading.kernel.errors import NothingHere, Overloaded, RequestMalformed
from trading.kernel.ids import PartyId
from trading.kernel.party import Actor, Role
from web.access import allow
from web.api.bodies import Answered, Here, SignedBody
from web.api.bodies import stamped as where
from web.auth import Presigned, authenticate
from web.feed import PAGE, Feed
from web.reads import CHECKPOINT, FOREVER, TEXT, newest_checkpoint, tile

__all__ = ["LedgerController", "PartyController"]


Cursor = Annotated[int, QueryParameter(ge=0, le=2**53)]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE)]
Key = Annotated[str, PathParameter(pattern="^[0-9a-f-]{32,64}$")]


class Enrol(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The party's own signature is over its enrolment; the request is signed by the registrar."""

    party: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z.:_-]{1,100}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1, max_length=len(Role))]
    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Party(msgspec.Struct, frozen=True):
    party: str
    name: str
    roles: tuple[Role, ...]
    key: str


class LedgerController(Controller):
    path = "/"
    tags = ("账本 ledger",)

    @get("/checkpoint", name="checkpoint", media_type=TEXT, sync_to_thread=True)
    def checkpoint(self, ports: Here) -> Response[str]:
        """The newest checkpoint that a quorum of witnesses has cosigned."""
        note = newest_checkpoint(ports.office.publisher)
        return Response(note, media_type=TEXT, headers=dict([CHECKPOINT]))

    @get("/tile/{place:path}", name="tile", sync_to_thread=True)
    def tile(self, place: FromPath[str], ports: Here) -> Response[bytes]:
        """Static tiles of 256 hashes, and bundles of leaves (c2sp.org/tlog-tiles)."""
        content = tile(ports.tiles, place)
        return Response(content, media_type="application/octet-stream", headers=dict([FOREVER]))

    @get("/v1/feed", name="feed", sync_to_thread=True)
    def feed(self, ports: Here, cursor: Cursor = 0, limit: Limit = 100) -> Feed:
        """Every entry once, in exact commit order: what is behind a cursor never changes place."""
        return ports.feed.page(cursor, limit)

    @get("/v1/consistency", name="consistency", sync_to_thread=True)
    def consistency(self, ports: Here, old: Cursor, new: Cursor) -> list[str]:
        """The proof that the ledger of size `new` extends the one of size `old`; hex."""
        size = ports.office.ledger.size()
        if not old <= new <= size:
            raise RequestMalformed(problem=f"{old} ≤ {new} ≤ {size}")
        return [item.hex() for item in ports.office.ledger.consistency(old, new)]

    @get("/v1/policy", name="policy", media_type=TEXT)
    async def policy(self, ports: Here) -> str:
        """信任策略: the log's keys, the witnesses' keys, the quorum. Compare with your own copy."""
        return ports.policy

    @get("/v1/charter", name="charter", media_type=TEXT)
    async def charter(self, ports: Here) -> str:
        """受托章程: who may hold shares, how many must act."""
        return ports.charter

    @get("/v1/acts/{key:str}", name="act", sync_to_thread=True)
    def act(self, key: Key, ports: Here) -> Answered:
        """What became of the act that was sent under this idempotency key."""
        found = ports.office.ledger.find(key)
        if found is None:
            raise NothingHere(what=f"行为 {key} / act {key}")
        return where(found[1])

    @get("/v1/acts/{key:str}/receipt", name="receipt", media_type=TEXT, sync_to_thread=True)
    def receipt(self, key: Key, ports: Here) -> Response[str]:
        """回执 one .tlog-proof, once the witnesses have seen the entry; 503 until then."""
        found = ports.office.ledger.find(key)
        if found is None:
            raise NothingHere(what=f"行为 {key} / act {key}")
        fact, stamp = found
        tender = tender_of(stamp.stream)
        own = isinstance(fact, SEALED)  # whose key only its bidder knows
        if not own and not is_shown(fact, ports.office.phase_of(tender) if tender else None):
            raise NothingHere(what="截标前不出具 / a receipt of this act before the closing")
        text = receipt_from(ports.office, stamp.index)
        if text is None:
            raise Overloaded(seconds=1)
        return Response(text, media_type=TEXT, headers={"Cache-Control": "no-store"})


class PartyController(Controller):
    path = "/v1/parties"
    tags = ("名册 parties",)

    @get("/{party:str}", name="party", sync_to_thread=True)
    def party(self, party: Annotated[str, PathParameter(max_length=100)], ports: Here) -> Party:
        found = ports.parties[party]
        if found is None:
            raise NothingHere(what=f"主体 {party} / party {party}")
        return Party(found.party, found.name, found.roles, found.key)

    @post("/", name="enrol", guards=[authenticate, allow], sync_to_thread=True)
    def enrol(
        self, data: JSONBody[Enrol], ports: Here, request: Request[Any, Any, Any]
    ) -> Answered:
        """登记, by a registrar of the platform, signed by the party itself."""
        key = Presigned(data.party, bytes.fromhex(data.key), data.sig)
        fact = PartyEnrolled(
            party=data.party, name=data.name, roles=tuple(sorted(data.roles)), key=data.key
        )
        party = Actor(PartyId(data.party), frozenset(data.roles), key, data.id)
        return where(ports.office.admit_party(fact, party))
