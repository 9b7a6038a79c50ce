"""`kaifeng export`: what a stranger needs to verify a centre's ledger, as plain files."""

from pathlib import Path

import click

from trading.kernel.errors import InputUnusable
from web.centre import Centre, settings_here


@click.command("export", help="导出账本 / export the ledger of a rehearsal folder.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
def command(folder: Path, out: Path) -> None:
    if not (folder / "centre" / "ledger.db").is_file():
        problem = "其下没有 centre/ledger.db / the folder that holds centre/ is wanted"
        raise InputUnusable(path=folder, problem=problem)
    with Centre(folder, settings_here()) as centre:
        count = centre.export(out)
    click.echo(f"✓ {count} 条记录已导出 / entries exported → {out}")
