"""A committee of three in five, envelopes sealed to it, and the tender they belong to."""

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from trading.committee import Seat
from trading.envelope.content import Bidder, Manifest, Price, describe_files
from trading.envelope.identity import Authority, Identity
from trading.envelope.layout import PREFIX, Address, Prefix, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.facts.bidding import BiddingClosed
from trading.facts.tender import Lot, TenderDrafted
from trading.kernel.ids import SystemIds
from trading.kernel.instant import SystemClock
from trading.keys import dkg
from trading.keys.group import base, random_scalar
from trading.keys.schnorr import sign
from trading.tender import Phase, Received, Tender

__all__ = ["Panel", "Sealed", "sealed_tender"]

_THRESHOLD, _SEATS = 3, 5
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Sealed(msgspec.Struct, frozen=True):
    """An envelope as it was handed in."""

    prefix: Prefix
    body: bytes


class Panel:
    """Five trustees after a ceremony: long-term `secrets` d_i, secret `shares` x_i."""

    def __init__(self) -> None:
        self.secrets = secrets = [random_scalar() for _ in range(_SEATS)]
        members = tuple(base(secret) for secret in secrets)
        ceremony = dkg.Ceremony(_THRESHOLD, members, os.urandom(32))
        numbered = list(enumerate(secrets, 1))
        deals = [
            dkg.deal(own, secret, ceremony, dkg.Secrets.draw(_THRESHOLD))
            for own, secret in numbered
        ]
        self.shares = [dkg.receive(own, secret, ceremony, deals) for own, secret in numbered]
        text = dkg.transcript(ceremony, deals, dkg.extension(bytes(32), deals))
        kid = dkg.certify(ceremony, text, [sign(secret, text) for secret in secrets])
        committee = dkg.committee(ceremony, deals)
        self.seat = Seat(kid, committee, tuple(member.hex() for member in members))
        self.tender = SystemIds(SystemClock()).mint()
        self.authority = Authority.create("bench", _START)

    def address(self, stage: int) -> Address:
        return Address(self.tender, 1, stage, self.seat.kid, self.seat.committee.key)

    def identity(self, number: int) -> Identity:
        return self.authority.issue(f"91330000{number:010d}", f"投标人{number}")

    def manifest(self, folder: Path | None, stage: int, number: int = 0) -> Manifest:
        files = describe_files(folder) if folder else ()
        price = Price(10_000_000 + number) if stage == Stage.PRICE else None
        bidder = Bidder(f"91330000{number:010d}", f"投标人{number}")
        return Manifest(bidder, files, 1, price, stage, self.tender)

    def price_envelope(self, number: int) -> Sealed:
        out = io.BytesIO()
        sealing = Sealing(
            address=self.address(Stage.PRICE), key=BidKey(), identity=self.identity(number)
        )
        prefix = seal(self.manifest(None, Stage.PRICE, number), None, sealing, out)
        return Sealed(prefix, out.getvalue()[PREFIX:])


def sealed_tender(panel: Panel, envelopes: list[Sealed]) -> Tender:
    """The state after closing, put together directly: a fold would admit every envelope first."""
    draft = TenderDrafted(
        tender=panel.tender,
        number="bench",
        title="bench",
        buyer="bench",
        buyer_id="bench",
        procedure="open-tender",
        method="lowest-reviewed-price",
        lots=(Lot(1, "bench"),),
        authorities=(panel.authority.certificate(),),
    )
    received = [
        Received(item.prefix.eid, item.prefix, n, _START) for n, item in enumerate(envelopes)
    ]
    closed = BiddingClosed(before="", closing="", envelopes=tuple(bid.eid for bid in received))
    return Tender(
        id=panel.tender,
        phase=Phase.SEALED,
        draft=draft,
        seats={Stage.PRICE: panel.seat},
        received={bid.eid: bid for bid in received},
        closed=closed,
    )
