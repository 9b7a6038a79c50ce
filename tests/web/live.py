"""One running centre for tests: real processes, real HTTP, and a tender that moves quickly."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from trading.envelope.content import Bidder, Manifest, Price
from trading.envelope.layout import PREFIX, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.kernel.instant import SystemClock
from trading.kernel.party import Role
from trading.ledger.policy import Policy
from web.client import Client, act_id, hand_in
from web.invitation import invited_to
from web.rehearsal import Rehearsal

__all__ = ["ALiveTender", "SealedBid", "enrolled", "patiently", "until"]


class SealedBid(msgspec.Struct):
    """What a bidder keeps: where the envelope lies, its token, and the id it asks under."""

    path: Path
    token: bytes
    act: str
    eid: str = ""

    @property
    def body(self) -> dict[str, Any]:
        prefix = self.path.read_bytes()[:PREFIX]
        return {"id": self.act, "envelope": prefix, "token": self.token}


class ALiveTender:
    """Drafted, with a committee, published: `day` milliseconds are a day of the law."""

    def __init__(self, rehearsal: Rehearsal, day: int = 250, **changes: object) -> None:
        self.rehearsal, self.id = rehearsal, act_id()
        self.path = f"/v1/tenders/{self.id}"
        self.owner = enrolled(rehearsal, "owner", Role.PURCHASER)
        self.panel = enrolled(rehearsal, "panel", Role.PANEL)
        draft = {
            "tender": self.id,
            "number": f"测试 {self.id[:8]}",
            "title": "乡村道路硬化工程",
            "buyer": "某县交通局",
            "buyer_id": "buyer-1",
            "procedure": "open-tender",
            "method": "lowest-reviewed-price",
            "lots": [{"number": 1, "title": "第一标段"}],
            "panel": "panel",
            "authorities": [rehearsal.authority().certificate()],
            "day_millis": day,
        }
        self._day = timedelta(milliseconds=day)
        self.owner.act("/v1/tenders", draft | changes)
        self.owner.post(f"{self.path}/committees", {"stage": Stage.PRICE, "threshold": 3})

    def publish(self, spare: float = 2) -> None:
        """The deadline is the first whole second after twenty days and `spare` seconds."""
        now = SystemClock().read().at
        deadline = now + 20 * self._day + timedelta(seconds=spare + 1)
        self.deadline = deadline.replace(microsecond=0)
        dates = {"deadline": self.deadline, "documents_until": now + 10 * self._day}
        self.owner.act(f"{self.path}/publication", dates)
        self.view = self.anyone.get(self.path)
        self._address = invited_to(self.anyone, self.id, self.policy())

    @property
    def anyone(self) -> Client:
        return self.rehearsal.client()

    @property
    def phase(self) -> str:
        return str(self.anyone.get(self.path)["phase"])

    def take_token(self, bidder: str) -> bytes:
        client = enrolled(self.rehearsal, bidder, Role.BIDDER)
        return client.token(self.id, bytes.fromhex(self.view["token_key"]))

    def seal(self, bidder: str, fen: int, **changes: Any) -> SealedBid:
        """Sealed and not handed in; `key` and `replaces` as in Sealing."""
        manifest = Manifest(
            Bidder(bidder, f"{bidder} 公司"), (), 1, Price(fen), Stage.PRICE, self.id
        )
        path = self.rehearsal.folder / "bids" / f"{act_id()}.kfe"
        path.parent.mkdir(exist_ok=True)
        identity = self.rehearsal.authority().issue(bidder, f"{bidder} 公司")
        sealing = Sealing(address=self._address, identity=identity, **({"key": BidKey()} | changes))
        with path.open("wb") as out:
            prefix = seal(manifest, None, sealing, out)
        token = self.take_token(bidder) if self.view["token_key"] else b""
        return SealedBid(path, token, act_id(), prefix.eid)

    def hand_in(self, bidder: str, fen: int, **changes: Any) -> SealedBid:
        bid = self.seal(bidder, fen, **changes)
        hand_in(self.anyone, self.id, bid.path, bid.token, bid.act)
        return bid

    def policy(self) -> Policy:
        return Policy.parse(self.anyone.text("/v1/policy"))


def enrolled(rehearsal: Rehearsal, party: str, *roles: Role) -> Client:
    """Once, however often it is asked."""
    known = rehearsal.folder / "parties" / f"{party}.enrolled"
    if not known.exists():
        rehearsal.enrol(party, party, *roles)
        known.touch()
    return rehearsal.client(party)


def until(tender: ALiveTender, *phases: str) -> dict[str, Any]:
    """The view, once the clerk has brought the tender there."""
    for _ in range(300):
        view: dict[str, Any] = tender.anyone.get(tender.path)
        if view["phase"] in phases:
            return view
        time.sleep(0.2)
    raise AssertionError(view["phase"])


def patiently(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Sent again while a busy machine makes the edge shed: what it turns away it has not begun."""
    for _ in range(60):
        answer = send()
        if answer.status_code != 503:
            break
        time.sleep(0.25)
    return answer
