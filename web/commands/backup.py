"""`kaifeng backup` and its way back, `kaifeng restore`: see docs/howto/run-a-county-centre.md."""

import sys
from pathlib import Path

import click

from trading.kernel.objects import open_objects
from web.backup import back_up
from web.centre import settings_here
from web.options import DATABASE


@click.command("backup", help="在线备份 / back up a data folder while its centre is running.")
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path))
@DATABASE
def command(data: Path, out: Path, database: str) -> None:
    objects = open_objects(settings_here().objects or str(data / "envelopes"))
    count = back_up(data, objects, out, _progress, database)
    click.echo(f"✓ {count} 条记录已备份 / entries backed up → {out}（不含密钥 / no keys）")


def _progress(what: str, number: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K  … {what} {number}", nl=False, err=True)
