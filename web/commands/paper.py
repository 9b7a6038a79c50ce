"""`kaifeng paper`: a tender's papers as PDF/A, made from a ledger; sealed where a key is given."""

from pathlib import Path

import click

from evaluation.casefile import case_of
from evaluation.pades import PaperSeal, timestamper
from evaluation.paper import seal_mark, typeset
from evaluation.papers import PAPERS
from trading.kernel.errors import Usage
from trading.kernel.files import durable_write
from trading.kernel.settings import read_secret
from trading.ledger.archive import read_streams

_KINDS = "、".join(f"{kind.code} {kind.zh}" for kind in PAPERS)


@click.command("paper", help=f"出具文书 / make a paper: {_KINDS}.")
@click.argument("ledger", metavar="LEDGER", type=click.Path(path_type=Path, exists=True))
@click.argument("tender", metavar="TENDER")
@click.argument("kind", metavar="KIND")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="PDF")
@click.option("--issuer", default="公共资源交易中心", help="出具单位 / whose seal")
@click.option(
    "--seal",
    type=click.Path(path_type=Path),
    help="签章：私钥与证书同在一个 PEM / key and chain in one PEM",
)
@click.option("--upto", type=int, help="截至第几条记录 / as of this entry")
@click.option("--timestamps", default="", help="时间戳服务 URL / of an RFC 3161 authority")
def command(  # noqa: PLR0913  one option each
    ledger: Path,
    tender: str,
    kind: str,
    out: Path,
    issuer: str,
    seal: Path | None,
    upto: int | None,
    timestamps: str,
) -> None:
    if timestamps and not seal:
        raise Usage(problem="时间戳须与签章一起 / --timestamps needs --seal")
    streams = read_streams(ledger)
    paper = PAPERS[kind].compose(case_of(lambda name: streams[name], tender, issuer, upto))
    pdf = typeset(paper)
    if seal:
        pdf = PaperSeal.from_pem(read_secret(seal)).seal(
            pdf, seal_mark(issuer, paper.at), timestamper(timestamps)
        )
    durable_write(out, [pdf])
    sealed = "已签章 sealed" if seal else "未签章 unsealed"
    click.echo(f"{paper.title} {paper.subtitle} → {out} ({len(pdf) // 1024} KiB, {sealed})")
