"""Options that several commands have."""

from typing import Any

import click

from web.centre import settings_here

__all__ = ["DATABASE"]


def _or_as_set(_: click.Context, __: click.Parameter, given: str) -> Any:
    return given or settings_here().database


DATABASE = click.option(
    "--database",
    default="",
    callback=_or_as_set,
    help="postgresql://…；缺省依设置 database / as the setting says",
)
