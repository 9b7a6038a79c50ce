"""Named builders: a tender, a bid, a whole play. Sensible values, nothing random but keys."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from centre import TestCentre

from trading.envelope.content import Bidder, Manifest, Price, describe_files
from trading.envelope.identity import Authority, Identity
from trading.envelope.layout import Prefix, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.facts.award import Awarded
from trading.facts.tender import Lot, TenderDrafted
from trading.kernel.ids import TenderId
from trading.tender import Tender

AUTHORITY = Authority.create("测试 CA", datetime(2026, 1, 1, tzinfo=UTC))
THREE = (9_800_000, 10_000_000, 12_000_000)


class ABid(msgspec.Struct):
    """A bid as its bidder keeps it."""

    bidder: str
    fen: int | None
    lot: int = 1
    stage: int = Stage.PRICE
    cokey: bytes = b""
    key: BidKey = msgspec.field(default_factory=BidKey)
    replaces: Prefix | None = None
    folder: Path | None = None
    identity: Identity | None = None
    signed: bool = True

    def seal(self, tender: Tender) -> bytes:
        files = describe_files(self.folder) if self.folder else ()
        price = Price(self.fen) if self.fen is not None else None
        bidder = Bidder(self.bidder, f"{self.bidder} 公司")
        manifest = Manifest(bidder, files, self.lot, price, self.stage, tender.id)
        identity = self.identity or AUTHORITY.issue(self.bidder, f"{self.bidder} 公司")
        sealing = Sealing(
            address=tender.address(self.lot, self.stage),
            key=self.key,
            identity=identity if self.signed else None,
            cokey=self.cokey,
            replaces=self.replaces,
        )
        out = io.BytesIO()
        seal(manifest, self.folder, sealing, out)
        return out.getvalue()


class AStory:
    """One tender on its way; each step is a line of a test."""

    def __init__(self, centre: TestCentre, **changes: object) -> None:
        self.centre = centre
        self.tender = TenderId(centre.ids.mint())
        wanted: dict[str, object] = {
            "tender": self.tender,
            "number": "开封招字第 1 号",
            "title": "乡村道路硬化工程",
            "buyer": "某县交通局",
            "buyer_id": "buyer-1",
            "procedure": "open-tender",
            "method": "lowest-reviewed-price",
            "lots": (Lot(1, "第一标段"),),
            "panel": "panel",
            "authorities": (AUTHORITY.certificate(),),
        }
        self.wanted = TenderDrafted(**(wanted | changes))  # type: ignore[arg-type]

    @property
    def state(self) -> Tender:
        return self.centre.office.load(self.tender)

    def drafted(self) -> "AStory":
        self.centre.purchaser.draft(self.centre.owner, self.wanted)
        return self

    def formed(self, threshold: int = 3) -> "AStory":
        for stage in self.wanted.stages:
            formed = self.centre.ceremony.form(
                self.tender, stage, threshold, list(self.centre.trustees)
            )
            self.centre.purchaser.form_committee(self.tender, formed)
        return self

    def published(self, days: float = 25) -> "AStory":
        now = self.centre.clock.at.replace(microsecond=0)
        self.centre.purchaser.publish(
            self.centre.owner,
            self.tender,
            now + timedelta(days=days),
            now + timedelta(days=10),
        )
        return self

    def hand_in(self, *bids: ABid) -> list[str]:
        return [self.centre.bidder.hand_in(self.tender, [bid.seal(self.state)]).eid for bid in bids]

    def with_three(self, prices: tuple[int, ...] = THREE) -> "AStory":
        self.hand_in(*(ABid(f"9133{n}", fen) for n, fen in enumerate(prices)))
        return self

    def closed(self) -> "AStory":
        deadline = self.state.deadline
        assert deadline
        clock = self.centre.clock
        clock.at = deadline - timedelta(seconds=1)
        self.centre.publisher.publish()
        clock.at = deadline + timedelta(milliseconds=10)
        self.centre.opening.close(self.tender)
        return self

    def shared(self, stage: int = Stage.PRICE, who: tuple[int, ...] = (0, 1, 2)) -> "AStory":
        for index in who:
            trustee = self.centre.trustees[index]
            share = self.centre.ceremony.ask_share(self.tender, stage, trustee)
            self.centre.opening.accept_share(self.tender, stage, share)
        return self

    def opened(self, stage: int = Stage.PRICE) -> "AStory":
        self.centre.opening.open(self.tender, stage)
        return self

    def ranked(self) -> "AStory":
        self.centre.evaluation.recommend(self.centre.panel, self.tender)
        return self

    def publicised(self) -> "AStory":
        self.centre.award.publish_candidates(self.centre.owner, self.tender)
        publicity = self.state.publicity
        assert publicity
        self.centre.clock.at = publicity.until + timedelta(seconds=1)
        return self

    def awarded(self, ground: str = "", rank: int = 1) -> "AStory":
        recommended = self.state.recommended
        assert recommended
        awards = tuple(Awarded(c.lot, c.eid) for c in recommended.ranking if c.rank == rank)
        self.centre.award.decide(self.centre.owner, self.tender, awards, ground)
        self.centre.award.send_notice(self.centre.owner, self.tender)
        return self

    def contracted(self) -> "AStory":
        for lot in self.state.live_lots:
            self.centre.award.sign(self.centre.owner, self.tender, lot)
        return self

    def bidding(self) -> "AStory":
        return self.drafted().formed().published()

    def to_opening(self) -> "AStory":
        return self.bidding().with_three().closed().shared().opened()
