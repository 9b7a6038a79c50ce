"""The edge put together: one application from its ports, nothing global, nothing made here."""

from typing import Any

from litestar import Litestar, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Server

from trading.kernel.errors import NothingHere
from web.access import check_complete
from web.api.awarding import AwardingController
from web.api.bank import BankController
from web.api.bidder import BidderController, TusController, UploadController
from web.api.cover import CoverController
from web.api.draws import DrawController, TranscriptController
from web.api.fulfilment import CountersignController, FulfilmentController, PaperController
from web.api.ledger import LedgerController, PartyController
from web.api.market import MarketController
from web.api.node import NodeController
from web.api.objections import ObjectionController
from web.api.opening import AwardController, OpeningController, SuspensionController
from web.api.panels import ClarificationController, DraftController, PanelController
from web.api.purchaser import PurchaserController
from web.api.tenders import TenderController
from web.api.warnings import WarningController
from web.hot import HotWay
from web.ports import Ports
from web.problems import HANDLERS, CarefulRequest, problem
from web.reads import ReadLane
from web.seals import SealLane

__all__ = ["create_app", "hot_ways"]

_CONTROLLERS = [
    NodeController,
    LedgerController,
    PartyController,
    TenderController,
    PurchaserController,
    BidderController,
    TusController,  # before the uploads: the framework would answer OPTIONS by itself
    UploadController,
    CoverController,
    OpeningController,
    AwardController,
    SuspensionController,
    BankController,
    DrawController,
    TranscriptController,
    PanelController,
    DraftController,
    ClarificationController,
    AwardingController,
    ObjectionController,
    FulfilmentController,
    CountersignController,
    PaperController,
    WarningController,
    MarketController,
]


def create_app(ports: Ports) -> Litestar:
    """TypeError if an operation has no row in the access matrix."""
    app = Litestar(
        [Router("/", route_handlers=_CONTROLLERS)],
        dependencies={"ports": Provide(lambda: ports, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        request_class=CarefulRequest,
        state=State({"ports": ports}),
        request_max_body_size=None,  # the edge's wall counts bytes, and cheaper
        openapi_config=OpenAPIConfig(
            title="开封 Kaifeng",
            version="1",
            description="到点才开封，处处可核验 / sealed until the deadline, verifiable by anyone",
            servers=[Server(url="/")],
            render_plugins=[JsonRenderPlugin()],
            use_handler_docstrings=True,
            operation_id_creator=lambda handler, *_: str(handler.name),
            openapi_router=Router(
                "/schema", route_handlers=[], include_in_schema=False, after_request=_in_our_form
            ),
        ),
        logging_config=None,
    )
    check_complete(app)
    _close_schemas(app)
    return app


def hot_ways(ports: Ports) -> list[HotWay]:
    """What the edge answers before it asks the application."""
    return [SealLane(ports), ReadLane(ports)]


def _in_our_form(answer: Response[Any]) -> Response[Any]:
    return answer if answer.status_code == 200 else problem(NothingHere(what="/schema"))


def _close_schemas(app: Litestar) -> None:
    """Say in the description that unknown fields are refused: the framework keeps it to itself."""
    for schema in (app.openapi_schema.components.schemas or {}).values():
        if schema.properties:
            schema.additional_properties = False
