"""`kaifeng flags FILE`: red flags of procurement data in OCDS, from anywhere."""

from pathlib import Path

import click
import msgspec

from analytics.flagging import Settings, flag, read_processes


@click.command(
    "flags", help="OCDS 数据的风险红旗 / red flags of procurement data in OCDS (JSON lines)."
)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "-s",
    "--settings",
    type=click.Path(path_type=Path),
    help="设置 INI，与 Cardinal 相同 / settings",
)
@click.option("--no-meta", is_flag=True, help="不附四分位与围栏 / without quartiles and fences")
@click.option(
    "-c", "--count", is_flag=True, help="各组计数（标准错误） / counts, on standard error"
)
def command(path: Path, settings: Path | None, no_meta: bool, count: bool) -> None:  # noqa: FBT001
    wanted = Settings.read(settings) if settings else Settings.of_all()
    found = flag(read_processes(path, _skipped), wanted)
    said = found.results | ({} if no_meta else {"Meta": found.meta})
    click.echo(msgspec.json.encode(said).decode())
    if count:
        for group, ids in found.results.items():
            click.echo(f"{group}: {len(ids)}", err=True)


def _skipped(line: int, problem: str) -> None:
    click.echo(f"! 第 {line} 行不是 JSON，跳过 / line {line} is no JSON: {problem}", err=True)
