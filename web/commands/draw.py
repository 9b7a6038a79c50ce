"""`kaifeng draw`: a draw's transcript out of a ledger, and who was drawn, computed again."""

from pathlib import Path

import click

from trading.kernel.errors import InputUnusable
from trading.kernel.files import durable_write, read_text
from trading.ledger.policy import Policy
from trading.transcript import Recomputed, read_transcript, recompute, write_transcript


@click.group("draw", help="抽取 / verifiable draws.")
def command() -> None:
    pass


@command.command("verify", help="由抽取记录重算结果 / recompute a draw from its transcript.")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--policy", type=click.Path(path_type=Path), help="信任策略 / whom to believe")
def verify(path: Path, policy: Path | None) -> None:
    own = Policy.parse(read_text(policy)) if policy else None
    if own is None:
        click.echo("  未核对检查点的签名；用 --policy 核对 / signatures of the head not checked")
    number = [0]

    def step(done: Recomputed) -> None:
        number[0] += 1
        click.echo(f"✓ {number[0]} {done.zh} {done.en}: {done.found}")

    transcript = read_transcript(read_text(path).encode())
    recompute(transcript, own, step)
    for group in transcript.drawn:
        click.echo(f"  {group.group}: {'、'.join(group.codes)}")
    click.echo("抽取结果重算一致 / the draw is what its transcript gives")
    click.echo(
        "承诺先于检查点，由 kaifeng verify 对账本核验 / the order of entries: kaifeng verify"
    )


@command.command("transcript", help="从账本取出抽取记录 / take a transcript out of a ledger.")
@click.argument("ledger", metavar="LEDGER", type=click.Path(path_type=Path, exists=True))
@click.argument("draw", metavar="[DRAW]", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="写入文件 / into a file")
def transcript(ledger: Path, draw: str | None, out: Path | None) -> None:
    from trading.draw import Draw, check_draw
    from trading.ledger.archive import read_streams

    draws: dict[str, Draw] = {}
    for stream, facts in read_streams(ledger).items():
        kind, _, name = stream.partition(":")
        if kind != "draw":
            continue
        state = draws.setdefault(name, Draw(name))
        for fact, stamp in facts:
            check_draw(state, fact, stamp.actor)
            state.apply(fact, stamp)
    if draw is None:
        for name, state in draws.items():
            click.echo(f"{name}  {state.phase}  {state.terms.purpose}")
        return
    if draw not in draws:
        raise InputUnusable(path=ledger, problem=f"没有抽取 {draw} / no such draw")
    written = write_transcript(draws[draw])
    if out:
        durable_write(out, [written])
    else:
        click.echo(written.decode(), nl=False)
