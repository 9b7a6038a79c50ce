"""定标窗口 award desk: publicity, decision, award notice, contract."""

from datetime import datetime

from trading.award import check_separated, decide_award, decide_notice_of_award, decide_publicity
from trading.awarding import Awarding, stream_of_award
from trading.contract import decide_complete, decide_contract, winner
from trading.desks.objection import objections_of
from trading.desks.office import Office
from trading.facts.award import AwardDecided, Awarded
from trading.facts.contract import ContractSigned
from trading.kernel.canonical import canonical, sha256
from trading.kernel.ids import TenderId
from trading.kernel.instant import Reading
from trading.kernel.party import Actor
from trading.ledger.entry import folded
from trading.objection import check_nothing_open, stream_of_objections
from trading.tender import Tender

__all__ = ["AwardDesk"]


class AwardDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def publish_candidates(
        self, owner: Actor, tender: TenderId, until: datetime | None = None
    ) -> Tender:
        """For as long as the law says, or longer if the owner wishes."""
        office = self._office
        return office.act(
            tender,
            lambda state, now: [decide_publicity(state, now, office.calendar, until)],
            owner,
        )

    def decide(
        self, owner: Actor, tender: TenderId, awards: tuple[Awarded, ...], ground: str = ""
    ) -> Tender:
        wanted, office = AwardDecided(awards=awards, ground=ground), self._office

        def decided(state: Tender, now: Reading) -> list[AwardDecided]:
            check_separated(state, wanted, self._awarding(tender))
            check_nothing_open(objections_of(office, tender), state)
            return [decide_award(state, wanted, now, office.calendar)]

        beside = (stream_of_award(tender), stream_of_objections(tender))
        return office.act(tender, decided, owner, beside=beside)

    def _awarding(self, tender: TenderId) -> Awarding:
        return folded(self._office.ledger.stream(stream_of_award(tender)), Awarding(tender))

    def send_notice(self, owner: Actor, tender: TenderId) -> Tender:
        return self._office.act(tender, lambda state, _: [decide_notice_of_award(state)], owner)

    def sign(self, owner: Actor, tender: TenderId, lot: int, document: bytes = b"") -> Tender:
        """签约 with the lot's winner at its price; the last contract completes the tender."""
        office = self._office
        state = office.act(
            tender,
            lambda fresh, now: [
                decide_contract(
                    fresh,
                    contract_for(fresh, lot, document),
                    now,
                    office.calendar,
                )
            ],
            owner,
        )
        done = decide_complete(state)
        return office.act(tender, lambda _, __: [done]) if done else state


def contract_for(tender: Tender, lot: int, document: bytes) -> ContractSigned:
    """The contract that the award calls for; without a document, of its terms alone."""
    bid = tender.opened[winner(tender, lot)]
    terms = {
        "amount": bid.price,
        "currency": bid.currency,
        "lot": lot,
        "supplier": bid.bidder_id,
        "tender": tender.id,
    }
    return ContractSigned(
        lot=lot,
        number=f"{tender.drafted.number}-C{lot}",
        supplier_id=bid.bidder_id,
        supplier_name=bid.bidder_name,
        amount=bid.price or 0,
        digest=sha256(document or canonical(terms)).hex(),
    )
