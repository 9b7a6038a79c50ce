"""市场的门 the market for everyone: statistics, one-stop query, portraits, tables to take along."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery, PathParameter, QueryParameter, SkipValidation

from analytics.deal import Deal
from analytics.sheet import as_csv, as_xlsx
from analytics.statistics import GROUPS, Portrait, Statistics, grouped, portrait, summed
from analytics.trade import HEADER, Query, row_of
from trading.kernel.calendar import check_moment
from web.api.bodies import Here

__all__ = ["MarketController"]

_MOST = 100_000  # rows of a table
_SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Words = Annotated[str, QueryParameter(max_length=100)]
Region = Annotated[str, QueryParameter(pattern="^[0-9]{0,6}$")]
Code = Annotated[str, QueryParameter(pattern="^[a-z-]{0,40}$")]
Asked = NamedDependency[SkipValidation[Query]]
By = Annotated[str, QueryParameter(pattern=f"^({'|'.join(GROUPS)})$")]


class Market(msgspec.Struct, frozen=True):
    """All lots that were asked for, and the same by month, region, procedure or buyer."""

    total: Statistics
    groups: dict[str, Statistics]


def _query(
    text: Words = "",
    region: Region = "",
    procedure: Code = "",
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
    rehearsals: FromQuery[bool] = False,  # noqa: FBT002  a parameter of a URL
) -> Query:
    for moment in (since, until):
        if moment:
            check_moment(moment, "查询")
    return Query(
        text=text,
        region=region,
        procedure=procedure,
        since=since,
        until=until,
        rehearsals=rehearsals,
    )


class MarketController(Controller):
    path = "/v1/market"
    tags = ("市场 market",)
    dependencies = {"asked": Provide(_query, sync_to_thread=False)}  # noqa: RUF012  as Litestar copies it

    @get("/", name="market", sync_to_thread=True)
    def market(
        self,
        ports: Here,
        asked: Asked,
        by: By = "month",
    ) -> Market:
        """成交额、节约率、参与度、集中度、时长: what charts are drawn from."""
        deals = ports.desks.trade.ask(asked)
        return Market(summed(deals), grouped(deals, by))

    @get("/deals", name="deals", sync_to_thread=True)
    def deals(
        self,
        ports: Here,
        asked: Asked,
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> list[Deal]:
        """一站式查询, by any word of number, title, buyer or bidder; the newest first."""
        return ports.desks.trade.ask(asked)[:limit]

    @get("/deals/tables/{kind:str}", name="deals_table", sync_to_thread=True)
    def table(
        self,
        ports: Here,
        kind: Annotated[str, PathParameter(pattern="^(csv|xlsx)$")],
        asked: Asked,
    ) -> Response[bytes]:
        """The same as a table; no cell of it is ever run as a formula."""
        deals = ports.desks.trade.ask(asked)[:_MOST]
        rows = [row_of(deal) for deal in deals]
        is_csv = kind == "csv"
        content = as_csv(HEADER, rows) if is_csv else as_xlsx("成交 deals", HEADER, rows)
        return Response(
            content,
            media_type="text/csv; charset=utf-8" if is_csv else _SHEETS,
            headers={"Content-Disposition": f'attachment; filename="deals.{kind}"'},
        )

    @get("/parties/{party:str}", name="portrait", sync_to_thread=True)
    def portrait(
        self,
        party: Annotated[str, PathParameter(max_length=100)],
        ports: Here,
        rehearsals: FromQuery[bool] = False,  # noqa: FBT002  a parameter of a URL
    ) -> Portrait:
        """市场主体画像 of a firm or a buyer, by registration number."""
        return portrait(ports.desks.trade.ask(Query(rehearsals=rehearsals)), party)
