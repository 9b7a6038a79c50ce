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
@click.option(
    "--ask-a-person", is_flag=True, help="每次开标须本机构人员确认 / a person must say yes"
)
def init(folder: Path, policy: Path, ask_a_person: bool) -> None:  # noqa: FBT001  a flag
    trustee = Trustee.create(folder, read_text(policy), SystemClock())
    if ask_a_person:
        trustee.ask_a_person()
    click.echo(trustee.public.hex())


@command.command(help="本机构人员同意开标 / a person's yes for one opening.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("tender")
@click.argument("stage", type=click.IntRange(1, 2))
def approve(folder: Path, tender: str, stage: int) -> None:
    Trustee(folder, SystemClock()).approve(tender, stage)
    click.echo(f"✓ {tender} {stage}")


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


@command.command(help="守护进程：--port 经网络，否则经管道 / a daemon: by HTTP, or over a pipe.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--port", type=click.IntRange(0, 65_535), help="HTTP 端口 / HTTP port")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--centre", default="", help="中心的公钥 / only answer this centre's key (hex)")
def serve(folder: Path, port: int | None, host: str, centre: str) -> None:
    if port is not None:
        from web.daemons import serve_trustee  # a child on a pipe needs no server

        serve_trustee(folder, host, port, centre)
        return
    service = Service(
        TrusteeRequest,
        lambda: Trustee(folder, SystemClock()).answer,
        lambda error: Refused("KF-400", f"无法处理：{error!r}", f"cannot be handled: {error!r}"),
    )
    serve_lines(sys.stdin.buffer, sys.stdout.buffer, service)
