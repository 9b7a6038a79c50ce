"""`kaifeng monitor`: a stranger's cron job. Silence costs nothing; a rewritten history is an alarm.

Exit codes: 0 all is well, 1 the alarm (evidence is kept), 2 nothing could be seen.
"""

import secrets
import sys
import time
from pathlib import Path

import click
import httpx

from trading.kernel.errors import Broken, InputUnusable, Refusal
from trading.kernel.files import read_text
from trading.ledger.policy import Policy
from web.monitor import Monitor

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("monitor", help="从外部监测账本 / watch a ledger from outside.")
@click.argument("url")
@click.option("--policy", required=True, type=_FILE, help="自己的信任策略 / your own policy.txt")
@click.option("--state", required=True, type=click.Path(path_type=Path), help="状态目录 / folder")
@click.option("--witness", "witnesses", multiple=True, help="见证人地址 / a witness's address")
@click.option(
    "--every", type=click.IntRange(1), help="平均间隔秒数，不给则只看一次 / seconds, at random"
)
def command(
    url: str, policy: Path, state: Path, witnesses: tuple[str, ...], every: int | None
) -> None:
    try:
        trusted = Policy.parse(read_text(policy))
    except Refusal as refusal:  # our own file: nothing to be alarmed about
        raise InputUnusable(path=policy, problem=refusal) from refusal
    while True:
        code = _look(url, trusted, state, list(witnesses))
        if every is None or code == 1:
            sys.exit(code)
        time.sleep(secrets.randbelow(2 * every * 1000) / 1000)  # nobody knows when it comes


def _look(url: str, policy: Policy, state: Path, witnesses: list[str]) -> int:
    try:
        monitor = Monitor(state, policy, url, witnesses)
        seen = monitor.look()
    except Broken as alarm:
        click.echo(f"✗ 警报 ALARM {alarm.code} {alarm.text('zh')}\n  {alarm.text('en')}", err=True)
        click.echo(f"  证据 evidence → {state / 'evidence'}", err=True)
        return 1
    except httpx.HTTPError as error:
        click.echo(f"· 未能看到 nothing seen: {error!r}", err=True)
        return 2
    monitor.close()
    click.echo(f"✓ {seen.size} 条 entries（新 fresh {seen.fresh}，公开 shown {seen.disclosed}）")
    return 0
