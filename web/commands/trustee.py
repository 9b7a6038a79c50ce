"""`kaifeng trustee`: another institution's share of the committee key; works offline with files."""

import sys
from pathlib import Path

import click
import msgspec

from trading.desks.trustee import Refused, Trustee, TrusteeRequest
from trading.kernel.errors import FileUnreadable
from trading.kernel.files import durable_write, read_text
from trading.kernel.instant import SystemClock
from web.pipes import Service, serve_lines


@click.group("trustee", help="受托人 / trustee: its key never leaves this folder.")
def command() -> None:
    pass


@command.command(help="生成密钥，采用信任策略 / make a key, adopt a trust policy; prints the key.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--policy", required=True, type=click.Path(path_type=Path, exists=True), help="policy.txt"
)
def init(folder: Path, policy: Path) -> None:
    trustee = Trustee.create(folder, read_text(policy), SystemClock())
    click.echo(trustee.public.hex())


@command.command(help="采用受托章程 / adopt the charter: with whom, and how many, it will act.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("charter", type=click.Path(path_type=Path, exists=True))
def appoint(folder: Path, charter: Path) -> None:
    Trustee(folder, SystemClock()).appoint(read_text(charter))


@command.command(help="应答一个请求文件 / answer one request file (offline).")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("request", type=click.Path(path_type=Path, exists=True))
@click.argument("answer", type=click.Path(path_type=Path))
def answer(folder: Path, request: Path, answer: Path) -> None:
    try:
        asked: TrusteeRequest = msgspec.json.decode(request.read_bytes(), type=TrusteeRequest)
    except msgspec.MsgspecError as error:
        raise FileUnreadable(path=request, problem=error) from error
    given = Trustee(folder, SystemClock()).answer(asked)
    durable_write(answer, [msgspec.json.encode(given)])
    if isinstance(given, Refused):
        click.echo(f"✗ {given.code} {given.zh}\n  {given.en}", err=True)
        sys.exit(1)
    click.echo(f"✓ {type(given).__name__} → {answer}")


@command.command(help="经管道应答，每行一个请求 / answer over a pipe, one request a line.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
def serve(folder: Path) -> None:
    service = Service(
        TrusteeRequest,
        lambda: Trustee(folder, SystemClock()).answer,
        lambda error: Refused("KF-400", f"无法处理：{error!r}", f"cannot be handled: {error!r}"),
    )
    serve_lines(sys.stdin.buffer, sys.stdout.buffer, service)
