"""`kaifeng demo`: one real tender live on a running server, every institution its own process.

It plays the parties' side over HTTP, as their own systems would, and tells what happens until it
is interrupted; the reader can take part as one more bidder.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from trading.envelope.content import Bidder, Manifest, Price
from trading.envelope.layout import Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.kernel.calendar import BEIJING
from trading.kernel.files import durable_write
from trading.kernel.ids import SystemIds
from trading.kernel.instant import SystemClock
from trading.kernel.money import Money
from trading.kernel.party import Role
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt
from web.cases import Bid, Case
from web.client import Client, act_id, hand_in
from web.invitation import invited_to
from web.play import amount
from web.rehearsal import Rehearsal

__all__ = ["LiveTender"]

_LAW_DAYS = 20
_SECONDS = 1.0
_SLACK = 4  # seconds between the last day of the law and the deadline


class LiveTender:
    """One case on its way through the edge; `say` tells a step in both languages."""

    def __init__(
        self, rehearsal: Rehearsal, case: Case, seconds: int, say: Callable[[str, str], None]
    ) -> None:
        self._rehearsal, self._case, self._say = rehearsal, case, say
        self._day_millis = max(1, seconds * 1000 // (_LAW_DAYS + 1))
        self.tender = SystemIds(SystemClock()).mint()
        self.deadline = SystemClock().read().at
        self._told: set[str] = set()

    # -- before the deadline ------------------------------------------------------------------

    def publish(self) -> None:
        case, enrol = self._case, self._rehearsal.enrol
        self._owner = enrol("owner", case.buyer, Role.PURCHASER)
        self._panel = enrol("panel", "评标委员会", Role.PANEL)
        enrol("inspector-1", "监督人员甲", Role.INSPECTOR)
        enrol("inspector-2", "监督人员乙", Role.INSPECTOR)
        enrol("you", "您", Role.BIDDER)
        self._owner.act("/v1/tenders", self._draft())
        self._say(f"项目 {case.title}", f"a real tender of {case.buyer}: {case.name}")
        self._owner.post(f"{self._path}/committees", {"stage": Stage.PRICE, "threshold": 3})
        self._say("五位受托人经网络共同生成公钥，三人可开", "five trustees made the key by network")
        now = SystemClock().read().at
        span = timedelta(milliseconds=self._day_millis * _LAW_DAYS) + timedelta(seconds=_SLACK)
        self.deadline = (now + span).replace(microsecond=0) + timedelta(seconds=1)
        documents = now + timedelta(milliseconds=self._day_millis * _LAW_DAYS / 2)
        dates = {"deadline": self.deadline, "documents_until": documents}
        self._owner.act(f"{self._path}/publication", dates)
        self._say(
            f"公告发布，截标 {_clock(self.deadline)}", "published; the law's days at rehearsal pace"
        )

    def hand_in(self) -> None:
        """Each recorded bidder: token, sealed envelope, upload, seal, receipt."""
        for number, bid in enumerate(self._case.bids, 1):
            folder = self._rehearsal.folder / "bidders" / str(number)
            receipt = self._bid(bid, folder, f"bidder-{number}")
            self._say(
                f"投标 {number}：领取令牌、上传、封存，回执 {receipt}",
                f"bid {number}: token taken, uploaded, sealed; receipt checked",
            )

    def _bid(self, bid: Bid, folder: Path, party: str) -> Path:
        client = self._rehearsal.enrol(party, bid.bidder_name, Role.BIDDER)
        stranger = self._rehearsal.client()
        view = stranger.get(self._path)
        token = client.token(self.tender, bytes.fromhex(view["token_key"]))
        folder.mkdir(parents=True, exist_ok=True)
        envelope = folder / "bid.kfe"
        with envelope.open("wb") as out:
            seal(self._manifest(bid), None, self._sealing(stranger, bid), out)
        act = act_id()
        hand_in(stranger, self.tender, envelope, token, act)
        receipt = stranger.text(f"/v1/acts/{act}/receipt")
        check_receipt(receipt, self._policy)
        durable_write(folder / "bid.tlog-proof", [receipt.encode()])
        return folder / "bid.tlog-proof"

    # -- until it is interrupted --------------------------------------------------------------

    def watch(self) -> None:
        """Tell each change of phase, and let purchaser and panel do their part when it is due."""
        while True:
            view = self._rehearsal.client().get(self._path)
            self._tell(view)
            self._go_on(view)
            time.sleep(_SECONDS)

    def _tell(self, view: dict[str, Any]) -> None:
        if view["phase"] in self._told:
            return
        self._told.add(view["phase"])
        if view["phase"] == "bidding":
            self._say("等待截标；Ctrl-C 结束演示", "waiting for the deadline; Ctrl-C ends the demo")
        if view["phase"] == "sealed":
            self._say(
                "截标：见证检查点夹住截止时间", "closed between two witness-dated checkpoints"
            )
        if view["phase"] == "opened":
            self._say("开标：三位受托人交出份额", "opened: three trustees gave their shares")
            for bid in view["opened"]:
                price = amount(bid["price"], bid["currency"])
                capital = Money(bid["price"]).capital() if bid["price"] else "—"
                click.echo(f"      {price:>16}  {capital}  {bid['bidder_name']}")
        if view["phase"] == "complete":
            self._say("合同已签，项目完成", "contract signed, the tender is complete")

    def _go_on(self, view: dict[str, Any]) -> None:
        phase, now = view["phase"], SystemClock().read().at
        if phase == "opened":
            self._panel.act(f"{self._path}/recommendation", {})
        if phase == "recommended":
            until = now + timedelta(milliseconds=self._day_millis * 4)
            self._owner.act(f"{self._path}/publicity", {"until": until})
        if phase == "publicity" and now > datetime.fromisoformat(view["publicity_until"]):
            firsts = [item for item in view["ranking"] if item["rank"] == 1]
            awards = [{"lot": item["lot"], "eid": item["eid"]} for item in firsts]
            self._owner.act(f"{self._path}/awards", {"awards": awards})
            self._owner.act(f"{self._path}/award-notice", {})
            for item in firsts:
                self._owner.act(f"{self._path}/contracts", {"lot": item["lot"]})

    # -- what is sent ---------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return f"/v1/tenders/{self.tender}"

    @property
    def _policy(self) -> Policy:
        return Policy.parse((self._rehearsal.data / "policy.txt").read_text("utf-8"))

    def _draft(self) -> dict[str, Any]:
        case = self._case
        return {
            "tender": self.tender,
            "number": case.name,
            "title": case.title,
            "buyer": case.buyer,
            "buyer_id": f"buyer:{case.buyer}",
            "procedure": "open-tender",
            "method": "lowest-reviewed-price",
            "lots": [{"number": n, "title": lot.title} for n, lot in enumerate(case.lots, 1)],
            "currency": case.currency,
            "panel": "panel",
            "authorities": [self._rehearsal.authority().certificate()],
            "day_millis": self._day_millis,
        }

    def _manifest(self, bid: Bid) -> Manifest:
        lot = [item.key for item in self._case.lots].index(bid.lot) + 1
        price = Price(bid.price.fen, self._case.currency) if bid.price else None
        bidder = Bidder(bid.bidder_id, bid.bidder_name)
        return Manifest(bidder, (), lot, price, Stage.PRICE, self.tender)

    def _sealing(self, client: Client, bid: Bid) -> Sealing:
        """To the committee of the invitation, once its proof holds under our own policy."""
        invitation = client.text(f"{self._path}/invitations/{Stage.PRICE}")
        durable_write(self._rehearsal.folder / "invitation.tlog-proof", [invitation.encode()])
        lot = [item.key for item in self._case.lots].index(bid.lot) + 1
        return Sealing(
            address=invited_to(client, self.tender, self._policy, lot),
            key=BidKey(),
            identity=self._rehearsal.authority().issue(bid.bidder_id, bid.bidder_name),
            at_ms=int(SystemClock().read().at.timestamp() * 1000),
        )


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(BEIJING):%H:%M:%S}"
