"""履约窗口: what follows the contract, and the papers of the whole tender."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, post
from litestar.params import FromPath, JSONBody, PathParameter

from trading.facts.fulfilment import BondReturned, ContractAmended, PerformanceRecorded, Side
from trading.kernel.errors import NothingHere
from web.access import allow
from web.api.bodies import Body, Calls, Digest, Here, SignedBody, answered
from web.auth import actor, authenticate

__all__ = ["CountersignController", "FulfilmentController", "PaperController"]

_PDF = "application/pdf"
Lot = Annotated[int, PathParameter(ge=1, le=65_535)]
Kind = Annotated[str, PathParameter(pattern="^[a-z-]{1,60}$")]


class ContractAct(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole fact, as it will stand in the ledger of `contract:` and the tender's id."""

    fact: ContractAmended | PerformanceRecorded | BondReturned


class Countersign(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`signature`: CMS with its certificate, hex, over the digest of the contract."""

    side: Side
    signature: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})+$", max_length=40_000)]


class Archive(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    digest: Digest
    years: Annotated[int, msgspec.Meta(ge=1, le=1000)]


class FulfilmentController(Controller):
    path = "/v1/tenders/{tender:uuid}"
    tags = ("履约 fulfilment",)
    guards = (authenticate, allow)

    @post("/fulfilment", name="fulfilment", sync_to_thread=True)
    def act(
        self, tender: FromPath[UUID], data: JSONBody[ContractAct], ports: Here, request: Calls
    ) -> dict[str, object]:
        """合同变更、履约记录、退还保证金."""
        ports.desks.fulfilment.record(actor(request, data), str(tender), data.fact)
        return answered(ports.office.load(str(tender)))

    @post("/archive", name="archive", sync_to_thread=True)
    def archive(
        self, tender: FromPath[UUID], data: JSONBody[Archive], ports: Here
    ) -> dict[str, object]:
        """归档: the digest of the package that `kaifeng archive` made."""
        ports.desks.fulfilment.archive(str(tender), data.digest, data.years)
        return answered(ports.office.load(str(tender)))


class CountersignController(Controller):
    """The certificate says who it is."""

    path = "/v1/tenders/{tender:uuid}/contracts/{lot:int}"
    tags = ("履约 fulfilment",)

    @post("/signatures", name="countersign", sync_to_thread=True)
    def countersign(
        self, tender: FromPath[UUID], lot: Lot, data: JSONBody[Countersign], ports: Here
    ) -> dict[str, object]:
        """双方签章."""
        signature = bytes.fromhex(data.signature)
        ports.desks.fulfilment.countersign(str(tender), lot, data.side, signature)
        return answered(ports.office.load(str(tender)))


class PaperController(Controller):
    path = "/v1/tenders/{tender:uuid}/papers"
    tags = ("文书 papers",)
    guards = (authenticate, allow)

    @post("/{kind:str}", name="issue_paper", media_type=_PDF, sync_to_thread=True)
    def issue(self, tender: FromPath[UUID], kind: Kind, ports: Here) -> Response[bytes]:
        """出具, with the centre's seal; the digest goes into the ledger."""
        if ports.papers is None:
            raise NothingHere(what="签章 seal: KAIFENG_SEAL_FILE")
        return Response(ports.papers().issue(str(tender), kind).pdf, media_type=_PDF)
