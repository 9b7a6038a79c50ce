"""`kaifeng cover`: another institution hides how many bids a tender has, until it is closed.

In each interval of a fixed length it hands in as many covers as chance says, at moments that chance
chooses: sealed, tokened and uploaded like any bid. It takes its tokens and promises its covers
before, and reveals them afterwards; in between only it can tell them apart.
"""

import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from trading.cover import covers_digest
from trading.envelope.content import Bidder, Manifest, Price
from trading.envelope.layout import Address, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.kernel.errors import FileUnreadable, SuspensionRefusal
from trading.kernel.files import read_text, write_secret
from trading.kernel.instant import SystemClock
from trading.ledger.policy import Policy
from trading.ledger.signature import ActorKey
from web.client import Client, Refused, act_id, hand_in
from web.invitation import invited_to

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PRICES = 10**9
_ROOM = timedelta(seconds=2)  # before the deadline


class _Kept(msgspec.Struct):
    """The maker's own secret: whoever has it can tell covers from bids."""

    salt: str
    seeds: list[str]
    made: int = 0
    tokens: list[bytes] = []


@click.command("cover", help="为项目制作掩护信封 / hide how many bids a tender has.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--url", required=True, help="中心地址 / the centre, http://…")
@click.option("--policy", required=True, type=_FILE, help="自己的信任策略 / your own policy.txt")
@click.option("--tender", required=True)
@click.option("--party", required=True, help="受托人或见证人 / a trustee or witness")
@click.option("--key", required=True, type=_FILE, help="主体密钥 / that party's key")
@click.option("--most", type=click.IntRange(1, 60), default=40, show_default=True)
@click.option(
    "--every", type=click.IntRange(1), default=600, show_default=True, help="秒 / seconds"
)
@click.option("--per-beat", type=click.IntRange(1, 100), default=2, show_default=True)
def command(**options: Any) -> None:
    wanted = msgspec.convert(options, _Options)
    with Client(wanted.url, wanted.party, ActorKey.load(wanted.key)) as client:
        _Maker(wanted, client).run()


class _Options(msgspec.Struct, frozen=True):
    """`per_beat`: in each interval of `every` seconds between none and that many."""

    folder: Path
    url: str
    policy: Path
    tender: str
    party: str
    key: Path
    most: int
    every: int
    per_beat: int


def _sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - SystemClock().read().at).total_seconds()))


class _Maker:
    def __init__(self, options: _Options, client: Client) -> None:
        self._options, self._client = options, client
        self._path = f"/v1/tenders/{options.tender}"
        self._file = options.folder / f"{options.tender}.json"
        self._kept = self._load()
        self._keys = [BidKey(bytes.fromhex(seed)) for seed in self._kept.seeds]

    def run(self) -> None:
        """Until the covers are revealed; killed, it goes on where it stopped."""
        self._promise()
        self._take_tokens()
        address = self._address()
        while (moments := self._moments()) is not None:
            for moment in moments:
                _sleep_until(moment)
                if self._kept.made < len(self._keys):
                    self._try(address)
        self._reveal()

    def _promise(self) -> None:
        if self._kept.made < 0:
            digest = covers_digest(self._kept.salt, self._public())
            self._client.act(f"{self._path}/cover-promises", {"digest": digest})
            self._keep(0)
            click.echo(f"✓ 已承诺 promised: {len(self._keys)} 个以内 at most")

    def _take_tokens(self) -> None:
        """All of them at once, when documents are taken: later a question would tell of a cover."""
        public = bytes.fromhex(self._client.get(self._path)["token_key"])
        while public and len(self._kept.tokens) < len(self._keys):
            self._kept.tokens.append(self._client.token(self._options.tender, public))
            self._keep(self._kept.made)

    def _try(self, address: Address) -> None:
        try:
            self._make(address)
        except Refused as refused:
            if refused.facts["code"] != SuspensionRefusal.code:
                raise
            click.echo("· 项目暂停 suspended")

    def _make(self, address: Address) -> None:
        key, number = self._keys[self._kept.made], self._kept.made
        self._keep(number + 1)  # first: a pseudonym is used once, whatever happens
        price = Price(secrets.randbelow(_PRICES) + 1)
        manifest = Manifest(
            Bidder("cover", "掩护"), (), address.lot, price, Stage.PRICE, self._options.tender
        )
        now = int(SystemClock().read().at.timestamp() * 1000)
        path = self._options.folder / f"{number}.kfe"
        with path.open("wb") as out:
            seal(manifest, None, Sealing(address=address, key=key, at_ms=now), out)
        token = self._kept.tokens[number] if self._kept.tokens else b""
        hand_in(self._client, self._options.tender, path, token, act_id())
        path.unlink()
        click.echo("✓ 一个掩护信封 a cover")

    def _moments(self) -> list[datetime] | None:
        """At the next multiple of the cadence, when to hand in until the one after it; None once
        the deadline leaves no more room.
        """
        every = self._options.every
        beat = int(SystemClock().read().at.timestamp()) // every * every + every
        begin = datetime.fromtimestamp(beat, UTC)
        last = datetime.fromisoformat(self._client.get(self._path)["deadline"]) - _ROOM
        if begin >= last:
            return None
        _sleep_until(begin)
        count = secrets.randbelow(self._options.per_beat + 1)
        chosen = (timedelta(milliseconds=secrets.randbelow(every * 1000)) for _ in range(count))
        return sorted(begin + later for later in chosen if begin + later < last)

    def _reveal(self) -> None:
        while self._client.get(self._path)["phase"] == "bidding":
            time.sleep(0.5)
        body = {"salt": self._kept.salt, "keys": self._public()}
        self._client.act(f"{self._path}/cover-revelations", body)
        click.echo(f"✓ 已公布 revealed: {self._kept.made} 个掩护 covers")

    def _public(self) -> list[str]:
        return sorted(key.public.hex() for key in self._keys)

    def _address(self) -> Address:
        policy = Policy.parse(read_text(self._options.policy))
        return invited_to(self._client, self._options.tender, policy)

    def _load(self) -> _Kept:
        if not self._file.exists():
            seeds = [os.urandom(32).hex() for _ in range(self._options.most)]
            self._kept = _Kept(os.urandom(32).hex(), seeds)
            self._keep(-1)
            return self._kept
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except msgspec.MsgspecError as error:
            raise FileUnreadable(path=self._file, problem=error) from error

    def _keep(self, made: int) -> None:
        self._kept.made = made
        write_secret(self._file, msgspec.json.encode(self._kept))
