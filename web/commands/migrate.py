"""`kaifeng migrate`: bring a PostgreSQL database to this release's schema; any number of times."""

import click

from web.migrate import migrate


@click.command("migrate", help="升级数据库结构 / bring a PostgreSQL database up to date.")
@click.option("--database", required=True, envvar="KAIFENG_DATABASE", help="postgresql://…")
def command(database: str) -> None:
    migrate(database)
    click.echo("✓ 数据库结构已是最新 / the schema is up to date")
