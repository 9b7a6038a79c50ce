"""`kaifeng restore`: bring a back-up back, proven; and the two persons' word if it is too old."""

from pathlib import Path

import click

from trading.audit import Step
from trading.kernel.errors import InputUnusable, Usage
from trading.ledger.carry import size_in_postgres
from trading.ledger.checkpoint import verify_log_signature
from trading.ledger.note import Note
from trading.ledger.policy import Policy
from trading.ledger.signature import ActorKey
from web.backup import restore
from web.centre import settings_here
from web.institutions import read_witnesses
from web.options import DATABASE
from web.restored import approval_message, write_approval

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("restore", help="恢复备份 / bring a back-up back.")
def command() -> None:
    pass


@command.command("from", help="核验并恢复到空目录 / verify a copy, then restore it.")
@click.argument("copy", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("data", type=click.Path(path_type=Path))
@DATABASE
def bring_back(copy: Path, data: Path, database: str) -> None:
    restore(copy, data, _say, database, settings_here().objects)
    click.echo(f"✓ 已恢复 restored → {data}；密钥须另行放回 / put the keys back yourself")


@command.command(
    "approve", help="两人之一签署放行 / one of two persons signs to go on all the same."
)
@click.argument("data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--party", required=True, help="登记主体 / your party")
@click.option("--key", required=True, type=_FILE, help="主体密钥 / your key")
@DATABASE
def approve(data: Path, party: str, key: Path, database: str) -> None:
    policy = Policy.parse((data / "policy.txt").read_text("utf-8"))
    size = size_in_postgres(database) if database else _size(data)
    for witness in read_witnesses(Path(settings_here().witnesses)):
        note = witness.latest(policy.logs[0].name)
        if not note:
            continue
        seen = verify_log_signature(Note.parse(note), list(policy.logs))
        if seen.size > size:
            message = approval_message(seen.origin, size, seen)
            path = write_approval(data, party, ActorKey.load(key), message)
            click.echo(f"✓ {party}：{size} ← {seen.size} → {path}")
            return
    raise Usage(problem="没有见证人看到更新的账本 / no witness has seen a newer ledger")


def _size(data: Path) -> int:
    from sqlite3 import connect

    if not (data / "ledger.db").exists():
        raise InputUnusable(path=data, problem="没有账本 / no ledger.db")
    with connect(f"file:{data / 'ledger.db'}?mode=ro", uri=True) as db:
        return int(db.execute("SELECT count(*) FROM entry").fetchone()[0])


def _say(step: Step) -> None:
    click.echo(f"✓ {step.number} {step.zh} {step.en}: {step.detail}")
