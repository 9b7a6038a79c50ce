"""What an operator does by hand until there is a page for it: keys, enrolments, signed acts.

`python deploy/tools/party.py --help`, with the Python that Kaifeng is installed for.
"""
# ruff: noqa: INP001  a script, not a package

import json
from pathlib import Path
from typing import Any

import click

from trading.facts.party import STREAM, PartyEnrolled
from trading.kernel.errors import Refusal
from trading.kernel.files import durable_folder, durable_write
from trading.kernel.party import Role
from trading.ledger.entry import act_message
from trading.ledger.fact import write_fact
from trading.ledger.signature import ActorKey
from web.centre import log_keys, settings_here
from web.client import Client, act_id
from web.node import CENTRE

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PATH = click.Path(path_type=Path)
_ROLES = click.Choice([str(role) for role in Role])


@click.group(help="密钥、登记、签名的行为 / keys, enrolments, signed acts.")
def main() -> None:
    pass


@main.command(help="中心的密钥 / a centre's keys, made if absent; prints the public ones.")
@click.argument("data", type=_PATH)
def keys(data: Path) -> None:
    durable_folder(data)
    for key in log_keys(data, settings_here()):
        click.echo(f"log {key.verifier}")
    click.echo(f"centre {_key(data / 'operator.key').public.hex()}")


@main.command(help="自己签署登记材料 / a party's own enrolment, signed with its own key.")
@click.argument("out", type=_PATH)
@click.option("--party", required=True, help="登记主体 / the party's name in the ledger")
@click.option("--name", required=True, help="名称 / the name that people read")
@click.option("--role", "roles", required=True, multiple=True, type=_ROLES)
@click.option("--key", required=True, type=_PATH, help="密钥文件，没有则生成 / made if absent")
def enrolment(out: Path, party: str, name: str, roles: tuple[str, ...], key: Path) -> None:
    own, identity = _key(key), act_id()
    wanted = tuple(sorted(Role(role) for role in roles))
    fact = PartyEnrolled(party=party, name=name, roles=wanted, key=own.public.hex())
    message = act_message(STREAM, identity, party, write_fact(fact))
    body = {
        "id": identity,
        "sig": own.sign(message).hex(),
        "party": party,
        "name": name,
        "roles": [str(role) for role in wanted],
        "key": own.public.hex(),
    }
    durable_write(out, [json.dumps(body, ensure_ascii=False).encode()])
    click.echo(f"✓ {party} {own.public.hex()} → {out}")


@main.command(help="由中心登记 / enrol a party whose own signature the file holds.")
@click.argument("enrolment", type=_FILE)
@click.option("--url", required=True)
@click.option("--party", default=CENTRE, show_default=True, help="登记人 / the registrar")
@click.option("--key", required=True, type=_FILE, help="登记人密钥 / the registrar's key")
def enrol(enrolment: Path, url: str, party: str, key: Path) -> None:
    with Client(url, party, ActorKey.load(key)) as client:
        _show(client.post("/v1/parties", json.loads(enrolment.read_bytes())))


@main.command(help="一个签名的行为 / one act of a party, signed once it says what was meant.")
@click.argument("path")
@click.argument("body", default="{}")
@click.option("--url", required=True)
@click.option("--party", required=True)
@click.option("--key", required=True, type=_FILE)
@click.option("--plain", is_flag=True, help="仅请求签名 / the request is signed, no act is")
def act(path: str, body: str, url: str, party: str, key: Path, *, plain: bool) -> None:
    with Client(url, party, ActorKey.load(key)) as client:
        _show((client.post if plain else client.act)(path, json.loads(body)))


def _key(path: Path) -> ActorKey:
    if not path.exists():
        ActorKey.generate().save(path)
    return ActorKey.load(path)


def _show(answer: Any) -> None:
    click.echo(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main()
    except Refusal as refusal:
        raise SystemExit(f"✗ {refusal.code} {refusal.text('zh')}\n  {refusal.text('en')}") from None
