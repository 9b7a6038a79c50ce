"""`kaifeng migrate`: bring a PostgreSQL database to this release's schema; any number of times."""

import click

from trading.kernel.errors import Usage
from web.migrate import migrate
from web.options import DATABASE


@click.command("migrate", help="升级数据库结构 / bring a PostgreSQL database up to date.")
@DATABASE
def command(database: str) -> None:
    if not database:
        raise Usage(problem="缺少 --database / which database?")
    migrate(database)
    click.echo("✓ 数据库结构已是最新 / the schema is up to date")
