"""`kaifeng verify PATH`: an export, a data folder or a receipt. Loads no server."""

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trading.audit import Audit, Room, Step
from trading.committee import Charter
from trading.kernel.errors import InputUnusable
from trading.kernel.files import read_text
from trading.ledger.archive import open_archive
from trading.ledger.policy import Policy

if TYPE_CHECKING:
    from analytics.place import Scorer

_EVERY = 2000


@click.command("verify", help="离线核验：导出目录、数据目录或回执 / verify offline, step by step.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="自己的信任策略 / your own policy")
@click.option(
    "--charter", type=click.Path(path_type=Path), help="自己的受托章程 / your own charter"
)
@click.option(
    "--model",
    "models",
    multiple=True,
    type=click.Path(path_type=Path),
    help="预警模型：重算每一分数 / a model of warnings: makes its scores again",
)
def command(
    path: Path, policy: Path | None, charter: Path | None, models: tuple[Path, ...]
) -> None:
    own = Policy.parse(read_text(policy)) if policy else None
    if path.is_file():
        _receipt(path, own)
    else:
        _archive(path, own, Charter.parse(read_text(charter)) if charter else None, models)


def _archive(
    path: Path, own: Policy | None, charter: Charter | None, models: Sequence[Path]
) -> None:
    if own is None:
        click.echo("  使用档案自带的信任策略；用 --policy 换成你自己的 / believing its own policy")
    count = [0]

    def step(done: Step) -> None:
        _clear()
        count[0] = max(count[0], int(done.detail.split(" ")[0]) if done.number == 2 else 0)
        click.echo(f"✓ {done.number} {done.zh} {done.en}: {done.detail}")

    from analytics.recheck import Warned
    from evaluation.recheck import Evaluations

    gc.disable()  # nothing here makes cycles; a fifth of a large ledger's time went into looking
    with open_archive(path) as archive:
        rooms: list[Room] = [Evaluations(), Warned(_scorers(models))]
        Audit(archive, own, charter, _progress, rooms).run(step)
    click.echo(f"全部 {count[0]} 条记录核验通过 / every entry verified: {count[0]}")


def _scorers(models: Sequence[Path]) -> "dict[str, Scorer]":
    """What scores is slow to load, and most verify without."""
    if not models:
        return {}
    from analytics.model import Model
    from analytics.scoring import scorers

    return scorers(map(Model.load, models))


def _receipt(path: Path, own: Policy | None) -> None:
    from web.commands.receipt import show_receipt

    if own is None:
        raise InputUnusable(path=path, problem="回执须用 --policy 核验 / a receipt needs --policy")
    show_receipt(read_text(path), own)


def _progress(index: int) -> None:
    if index % _EVERY == _EVERY - 1 and sys.stderr.isatty():
        click.echo(f"\r  … {index + 1}", nl=False, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
