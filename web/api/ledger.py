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
from trading.ledger.entry import leaf_hash, read_entry, stamped
from trading.ledger.port import Record
from web.access import allow
from web.api.bodies import Answered, Here, SignedBody
from web.api.bodies import stamped as where
from web.auth import Presigned, authenticate
from web.ports import Ports

__all__ = ["LedgerController", "PartyController"]

_TEXT = "text/plain; charset=utf-8"
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_PAGE = 1000

Cursor = Annotated[int, QueryParameter(ge=0, le=2**53)]
Limit = Annotated[int, QueryParameter(ge=1, le=_PAGE)]
Key = Annotated[str, PathParameter(pattern="^[0-9a-f-]{32,64}$")]


class Item(msgspec.Struct, frozen=True):
    """One entry, in the order of its commit. Sealed ones show their leaf alone until later."""

    index: int
    leaf: str
    salt: str = ""
    entry: Any = None  # its very bytes, which the leaf commits to


class Feed(msgspec.Struct, frozen=True):
    """`next` is the cursor to go on from; the same as asked when there is nothing new."""

    items: list[Item]
    next: int
    size: int


class Enrol(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The party's own signature is over its enrolment; the request is signed by the registrar."""

    party: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z.:_-]{1,100}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    roles: Annotated[tuple[Role, ...], msgspec.Meta(min_length=1, max_length=8)]
    key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Party(msgspec.Struct, frozen=True):
    party: str
    name: str
    roles: tuple[Role, ...]
    key: str


class LedgerController(Controller):
    path = "/"
    tags = ("账本 ledger",)

    @get("/checkpoint", name="checkpoint", media_type=_TEXT, sync_to_thread=True)
    def checkpoint(self, ports: Here) -> Response[str]:
        """The newest checkpoint that a quorum of witnesses has cosigned."""
        history = ports.office.publisher.history()
        if not history:
            raise NothingHere(what="联署检查点 / cosigned checkpoint yet")
        return Response(history[-1].note, media_type=_TEXT, headers={"Cache-Control": "max-age=1"})

    @get("/tile/{place:path}", name="tile", sync_to_thread=True)
    def tile(self, place: FromPath[str], ports: Here) -> Response[bytes]:
        """Static tiles of 256 hashes, and bundles of leaves (c2sp.org/tlog-tiles)."""
        content = ports.tiles.at(place.lstrip("/"))
        if content is None:
            raise NothingHere(what=f"瓦片 tile/{place[:60]}")
        return Response(content, media_type="application/octet-stream", headers=_FOREVER)

    @get("/v1/feed", name="feed", sync_to_thread=True)
    def feed(self, ports: Here, cursor: Cursor = 0, limit: Limit = 100) -> Feed:
        """Every entry once, in exact commit order: what is behind a cursor never changes place."""
        ledger = ports.office.ledger
        size = ledger.size()
        records = list(ledger.records(min(cursor, size), min(size, cursor + limit)))
        return Feed([_item(ports, record) for record in records], cursor + len(records), size)

    @get("/v1/consistency", name="consistency", sync_to_thread=True)
    def consistency(self, ports: Here, old: Cursor, new: Cursor) -> list[str]:
        """The proof that the ledger of size `new` extends the one of size `old`; hex."""
        size = ports.office.ledger.size()
        if not old <= new <= size:
            raise RequestMalformed(problem=f"{old} ≤ {new} ≤ {size}")
        return [item.hex() for item in ports.office.ledger.consistency(old, new)]

    @get("/v1/policy", name="policy", media_type=_TEXT)
    async def policy(self, ports: Here) -> str:
        """信任策略: the log's keys, the witnesses' keys, the quorum. Compare with your own copy."""
        return ports.policy

    @get("/v1/charter", name="charter", media_type=_TEXT)
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

    @get("/v1/acts/{key:str}/receipt", name="receipt", media_type=_TEXT, sync_to_thread=True)
    def receipt(self, key: Key, ports: Here) -> Response[str]:
        """回执 one .tlog-proof, once the witnesses have seen the entry; 503 until then."""
        found = ports.office.ledger.find(key)
        if found is None:
            raise NothingHere(what=f"行为 {key} / act {key}")
        fact, stamp = found
        tender = tender_of(stamp.stream)
        own = isinstance(fact, SEALED)  # whose key only its bidder knows
        if not own and not is_shown(fact, ports.phase_of(tender) if tender else None):
            raise NothingHere(what="截标前不出具 / a receipt of this act before the closing")
        text = receipt_from(ports.office, stamp.index)
        if text is None:
            raise Overloaded(seconds=1)
        return Response(text, media_type=_TEXT, headers={"Cache-Control": "no-store"})


def _item(ports: Ports, record: Record) -> Item:
    hidden = Item(record.index, record.leaf.hex())
    if not record.raw:
        return hidden
    entry = read_entry(record.raw, record.index)
    fact, _ = stamped(entry, record.index, leaf_hash(record.leaf))
    tender = tender_of(entry.stream)
    if not is_shown(fact, ports.phase_of(tender) if tender else None):
        return hidden
    return Item(record.index, record.leaf.hex(), record.salt.hex(), msgspec.Raw(record.raw))


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
