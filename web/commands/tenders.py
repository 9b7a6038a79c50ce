"""`kaifeng tenders`: the list of tenders, projected from the ledger."""

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from trading.kernel.calendar import BEIJING
from trading.kernel.database import open_database
from trading.kernel.errors import InputUnusable
from trading.kernel.instant import SystemClock
from trading.ledger.follow import Following
from trading.tables import TenderList
from web.centre import open_ledger, settings_here
from web.commands.replay import plain


@click.command("tenders", help="列出数据目录中的项目 / list the tenders of a data folder.")
@click.argument("data", type=click.Path(path_type=Path, exists=True))
def command(data: Path) -> None:
    if not (data / "ledger.db").is_file():
        raise InputUnusable(path=data, problem="没有账本 / no ledger.db")
    engine = open_database(f"sqlite:///{data / 'lists.db'}")
    projection = TenderList(engine)
    with open_ledger(data, settings_here(), SystemClock()) as ledger:
        Following(ledger, projection).catch_up(ledger.size())
    table = Table(title="项目 / tenders")
    for heading in (
        "编号 number",
        "名称 title",
        "方式 procedure",
        "阶段 phase",
        "截标 deadline (UTC+8)",
        "信封 envelopes",
    ):
        table.add_column(heading, overflow="fold")
    for row in projection.rows():
        deadline = f"{row.deadline.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" if row.deadline else "—"
        cells = (row.number, row.title, row.procedure, row.phase, deadline, str(row.envelopes))
        table.add_row(*map(plain, cells))
    Console().print(table)
    engine.dispose()
