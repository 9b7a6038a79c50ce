"""`kaifeng submit`: the bidder's last step. Upload early, seal in time, keep the receipt.

The token is asked for under the bidder's name, the envelope is handed in under none: the two
cannot be linked. Everything may be repeated: what has been done is not done twice.
"""

import json
from pathlib import Path

import click

from trading.envelope.layout import PREFIX, Prefix
from trading.facts.bidding import EnvelopeReceived
from trading.kernel.errors import FileUnreadable, Usage
from trading.kernel.files import durable_write, read_text, write_secret
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt
from trading.ledger.signature import ActorKey
from web.client import Client, act_id, hand_in

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("submit", help="上传、封存并取回执 / upload an envelope, seal it, keep the receipt.")
@click.argument("envelope", type=_FILE)
@click.option("--url", required=True, help="中心地址 / the centre, http://…")
@click.option("--policy", required=True, type=_FILE, help="自己的信任策略 / your own policy.txt")
@click.option("--party", default="", help="登记主体，用于领取令牌 / your party, to take the token")
@click.option("--key", type=_FILE, help="主体密钥 / that party's key")
def command(envelope: Path, url: str, policy: Path, party: str, key: Path | None) -> None:
    believed = Policy.parse(read_text(policy))
    with envelope.open("rb") as file:
        prefix = Prefix.parse(file.read(PREFIX))
    tender = _tender(prefix)
    with Client(url, party, ActorKey.load(key) if key else None) as client:
        state = _State(envelope.with_suffix(".submit.json"))
        token = state.token(client, tender, party)
        done = hand_in(client, tender, envelope, token, state.act)
        click.echo(f"✓ 已封存 sealed: 记录 entry {done['index']}，{done['at']}")
        receipt = client.text(f"/v1/acts/{state.act}/receipt")
    found = check_receipt(receipt, believed)
    if found.index != done["index"] or not isinstance(found.fact, EnvelopeReceived):
        raise Usage(problem="回执不是本次封存的 / the receipt is for another act")
    path = envelope.with_suffix(".tlog-proof")
    durable_write(path, [receipt.encode()])
    seen = f"{found.witnessed.median:%Y-%m-%d %H:%M:%S} UTC"
    click.echo(f"✓ 回执 receipt → {path}（见证人 witnesses: {len(found.witnessed.times)}, {seen}）")


def _tender(prefix: Prefix) -> str:
    text = prefix.header.tender.hex()
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


class _State:
    """Token and act id of one envelope, kept before use: a repeated run is the same act."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._kept = json.loads(path.read_bytes()) if path.exists() else {"act": act_id()}
        except ValueError as error:
            raise FileUnreadable(path=path, problem=error) from error
        self.act: str = self._kept["act"]
        self._write()

    def token(self, client: Client, tender: str, party: str) -> bytes:
        if "token" not in self._kept:
            public = bytes.fromhex(client.get(f"/v1/tenders/{tender}")["token_key"])
            if public and not party:
                raise Usage(problem="本项目须领取令牌：--party --key / this tender wants a token")
            self._kept["token"] = client.token(tender, public).hex() if public else ""
            self._write()
        return bytes.fromhex(self._kept["token"])

    def _write(self) -> None:
        write_secret(self._path, json.dumps(self._kept).encode())
