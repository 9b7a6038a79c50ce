"""`kaifeng export`: what a stranger needs to verify a centre's ledger, as plain files."""

from pathlib import Path

import click

from web.centre import Centre, settings_here


@click.command("export", help="导出账本 / export the ledger of a rehearsal folder.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
def command(folder: Path, out: Path) -> None:
    with Centre(folder, settings_here()) as centre:
        count = centre.export(out)
    click.echo(f"✓ {count} 条记录已导出 / entries exported → {out}")
