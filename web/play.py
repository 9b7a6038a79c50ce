"""One real tender on its way through the real desks; demo and replay tell it differently."""

import io
import math
from datetime import UTC, datetime, timedelta

from trading.envelope.content import Bidder, Manifest, Price
from trading.envelope.layout import Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.facts.award import Awarded, Candidate
from trading.facts.tender import Lot, TenderDrafted
from trading.kernel.calendar import Pace
from trading.kernel.ids import TenderId
from trading.kernel.money import Money
from trading.tender import Phase, Tender
from web.cases import Bid, Case
from web.centre import THRESHOLD, Centre
from web.rehearsed_panel import RehearsedPanel

__all__ = ["EARLY", "Play"]

EARLY = timedelta(milliseconds=400)  # when the last checkpoint before a deadline is taken

_STATUTORY_DAYS = 20
_OPEN_MINIMUM = 3


class Play:
    """Steps in order; each may be repeated after a crash: the ledger knows what is done."""

    def __init__(self, centre: Centre, case: Case, pace: Pace, tender: str | None = None) -> None:
        self.centre, self.case, self.pace = centre, case, pace
        self.tender = TenderId(tender or centre.ids.mint())
        self._authority = centre.authority

    @property
    def state(self) -> Tender:
        return self.centre.office.load(self.tender)

    def draft(self) -> Tender:
        case = self.case
        lots = tuple(
            Lot(number, lot.title, estimate=case.estimate.fen if case.estimate else None)
            for number, lot in enumerate(case.lots, 1)
        )
        wanted = TenderDrafted(
            tender=self.tender,
            number=case.name,
            title=case.title,
            buyer=case.buyer,
            buyer_id=f"buyer:{case.buyer}",
            procedure=procedure_for(case),
            method="lowest-reviewed-price",
            lots=lots,
            currency=case.currency,
            invited=_invited(case),
            panel=str(self.centre.panel.party),
            authorities=(self._authority.certificate(),),
            pace=self.pace,
        )
        return self.centre.purchaser.draft(self.centre.owner, wanted)

    def form(self) -> Tender:
        trustees = self.centre.trustees
        formed = self.centre.ceremony.form(self.tender, Stage.PRICE, THRESHOLD, trustees)
        return self.centre.purchaser.form_committee(self.tender, formed)

    def publish(self, deadline: datetime) -> Tender:
        documents = self.centre.clock.read().at + (_STATUTORY_DAYS / 2) * self.pace.day
        return self.centre.purchaser.publish(self.centre.owner, self.tender, deadline, documents)

    def seal(self, bid: Bid) -> bytes:
        """The bidder's side: a fresh pseudonym, a certificate of its own, one sealed price."""
        number = self.lot_number(bid)
        manifest = Manifest(
            Bidder(bid.bidder_id, bid.bidder_name),
            (),
            number,
            Price(bid.price.fen, self.case.currency) if bid.price else None,
            Stage.PRICE,
            self.tender,
        )
        sealing = Sealing(
            address=self.state.address(number, Stage.PRICE),
            key=BidKey(),
            identity=self._authority.issue(bid.bidder_id, bid.bidder_name),
            at_ms=int(self.centre.clock.read().at.timestamp() * 1000),
        )
        out = io.BytesIO()
        seal(manifest, None, sealing, out)
        return out.getvalue()

    def lot_number(self, bid: Bid) -> int:
        return [lot.key for lot in self.case.lots].index(bid.lot) + 1

    def hand_in(self) -> int:
        for bid in self.case.bids:
            self.centre.bidder.hand_in(self.tender, [self.seal(bid)])
        return len(self.case.bids)

    def close(self) -> Tender:
        return self.centre.opening.close(self.tender)

    def open(self) -> Tender:
        """Three of the trustees answer; the rest need not."""
        head = self.centre.office.publisher.publish()
        for trustee in self.centre.trustees[:THRESHOLD]:
            share = self.centre.ceremony.ask_share(self.tender, Stage.PRICE, trustee, head)
            self.centre.opening.accept_share(self.tender, Stage.PRICE, share)
        return self.centre.opening.open(self.tender, Stage.PRICE)

    def rank(self) -> Tender:
        """Where the record disqualifies bids, a panel does so first, for the recorded reason."""
        doubts = {
            (bid.bidder_id, self.lot_number(bid)): bid.disqualified
            for bid in self.case.bids
            if bid.disqualified
        }
        if doubts and self.state.phase is Phase.OPENED:
            RehearsedPanel(self.centre, self.tender).review(doubts)
        return self.centre.evaluation.recommend(self.centre.panel, self.tender)

    def publish_candidates(self) -> Tender:
        """Only where the procedure knows a publicity of candidates."""
        state = self.state
        if state.procedure.publicity is None:
            return state
        return self.centre.award.publish_candidates(self.centre.owner, self.tender)

    def award(self) -> Tender:
        awards = tuple(Awarded(first.lot, first.eid) for first in first_ranks(self.state))
        self.centre.award.decide(self.centre.owner, self.tender, awards)
        return self.centre.award.send_notice(self.centre.owner, self.tender)

    def contract(self) -> Tender:
        state = self.state
        for lot in state.live_lots:
            if lot not in state.contracts:
                state = self.centre.award.sign(self.centre.owner, self.tender, lot)
        return state

    @property
    def is_alive(self) -> bool:
        return self.state.phase not in (Phase.FAILED, Phase.CANCELLED, Phase.COMPLETE)


def procedure_for(case: Case) -> str:
    """The Chinese procedure that fits the record; its own law where none does."""
    bidders = min(
        (len({bid.bidder_id for bid in case.bids if bid.lot == lot.key}) for lot in case.lots),
        default=0,
    )
    if case.method in ("direct", "limited") and len(case.bids) == 1:
        return "single-source"
    if case.method == "open" and bidders >= _OPEN_MINIMUM:
        return "open-tender"
    return "foreign-record"


def _invited(case: Case) -> tuple[str, ...]:
    """A single source names its supplier."""
    sole = procedure_for(case) == "single-source"
    return tuple(bid.bidder_id for bid in case.bids) if sole else ()


def first_ranks(state: Tender) -> list[Candidate]:
    ranking = state.recommended.ranking if state.recommended else ()
    return [item for item in ranking if item.rank == 1]


def deadline_after(now: datetime, pace: Pace, slack: timedelta) -> datetime:
    """The next whole second after the statutory days and the slack: witnesses date in seconds."""
    moment = now + _STATUTORY_DAYS * pace.day + slack
    return datetime.fromtimestamp(math.ceil(moment.timestamp()), UTC)


def amount(fen: int | None, currency: str) -> str:
    return "—" if fen is None else f"{Money(fen)} {currency}"
