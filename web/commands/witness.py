"""`kaifeng witness`: run by another institution, with its own key and state."""

import sys
from pathlib import Path

import click

from trading.kernel.errors import FileUnreadable
from trading.kernel.files import durable_write, read_text
from trading.kernel.instant import SystemClock
from trading.ledger.signature import KeyType, NoteKey, VerifierKey
from trading.ledger.witness import Answer, Witness
from web.pipes import Service, serve_lines

_KEY, _LOGS = "witness.key", "logs.txt"


@click.group(
    "witness", help="见证人 / witness: cosigns the growth of ledgers it knows, and dates it."
)
def command() -> None:
    pass


@command.command(help="生成密钥；打印验证公钥 / make a key, print its verifier key.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="签名名称，如 notary.example/witness / key name")
@click.option("--log", "logs", multiple=True, help="受见证账本的验证公钥 / a log's verifier key")
def init(folder: Path, name: str, logs: tuple[str, ...]) -> None:
    click.echo(create_witness(folder, name, list(logs)))


@command.command(help="再添一个账本 / add a log to those this witness cosigns.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("log")
def trust(folder: Path, log: str) -> None:
    VerifierKey.parse(log)
    durable_write(folder / _LOGS, [*(f"{old}\n".encode() for old in _logs(folder)), log.encode()])


@command.command(help="应答一个请求文件 / answer one add-checkpoint request from a file.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.argument("request", type=click.Path(path_type=Path, exists=True))
def cosign(folder: Path, request: Path) -> None:
    answer = _open(folder).add_checkpoint(read_text(request))
    click.echo(answer.body, nl=False)
    sys.exit(0 if answer.status == 200 else 1)


@command.command(help="守护进程：--port 经网络，否则经管道 / a daemon: by HTTP, or over a pipe.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--port", type=click.IntRange(0, 65_535), help="HTTP 端口 / HTTP port")
@click.option("--host", default="127.0.0.1", show_default=True)
def serve(folder: Path, port: int | None, host: str) -> None:
    if port is not None:
        from web.daemons import serve_witness  # a child on a pipe needs no server

        serve_witness(_open(folder), host, port)
        return
    service = Service(
        str, lambda: _open(folder).add_checkpoint, lambda error: Answer(400, f"{error}\n")
    )
    serve_lines(sys.stdin.buffer, sys.stdout.buffer, service)


def create_witness(folder: Path, name: str, logs: list[str]) -> str:
    """The witness's verifier key; an existing key is kept."""
    for log in logs:
        VerifierKey.parse(log)
    if not (folder / _KEY).exists():
        NoteKey.generate(name, KeyType.COSIGN_MLDSA44).save(folder / _KEY)
    durable_write(folder / _LOGS, ["\n".join(logs).encode()])
    return str(NoteKey.load(folder / _KEY).verifier)


def _open(folder: Path) -> Witness:
    keys = [VerifierKey.parse(line) for line in _logs(folder)]
    return Witness([NoteKey.load(folder / _KEY)], keys, folder / "state", SystemClock())


def _logs(folder: Path) -> list[str]:
    try:
        return [line for line in (folder / _LOGS).read_text("utf-8").split("\n") if line]
    except OSError as error:
        raise FileUnreadable(path=folder / _LOGS, problem=error) from error
