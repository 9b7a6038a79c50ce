"""`kaifeng archive`: one tender's entries and papers as a package to be kept for years."""

import hashlib
from pathlib import Path

import click

from evaluation.archive_package import archived
from trading.kernel.files import durable_write
from trading.ledger.archive import read_streams

_YEARS = 15  # 政府采购法 第四十二条


@click.command("archive", help="归档一个项目：记录与文书 / archive one tender, entries and papers.")
@click.argument("ledger", metavar="LEDGER", type=click.Path(path_type=Path, exists=True))
@click.argument("tender", metavar="TENDER")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="ZIP")
@click.option("--issuer", default="公共资源交易中心", help="归档单位 / who archives")
@click.option("--years", default=_YEARS, type=click.IntRange(min=_YEARS), help="保存年限 / years")
def command(ledger: Path, tender: str, out: Path, issuer: str, years: int) -> None:
    streams = read_streams(ledger)
    draws = [name for name in streams if name.startswith(f"draw:{tender}:")]
    package = archived(lambda name: streams.get(name, []), draws, tender, issuer, years)
    durable_write(out, [package])
    digest = hashlib.sha256(package).hexdigest()
    click.echo(f"{out}（{len(package) // 1024} KiB）保存 {years} 年 / kept for {years} years")
    click.echo(f"SHA-256 {digest}")
