"""招标人·代理窗口 purchaser's desk: draft, publish, correct, answer, cancel."""

from datetime import datetime

from trading.bidding import decide_cancel, decide_publish
from trading.committee import form_seat, reshare_seat
from trading.desks.office import Office
from trading.facts.committee import CommitteeFormed, CommitteeReshared
from trading.facts.notice import NoticeCorrected
from trading.facts.tender import TenderDrafted, TenderPublished
from trading.kernel.ids import TenderId
from trading.kernel.party import Actor
from trading.notice import decide_answer, decide_ask, decide_correct
from trading.procedures import PROCEDURES
from trading.tender import Tender, fold, stream_of

__all__ = ["PurchaserDesk"]


class PurchaserDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def draft(self, owner: Actor, wanted: TenderDrafted) -> Tender:
        """A new tender; its procedure must exist. `wanted.tender` is a fresh id."""
        PROCEDURES[wanted.procedure]  # UnknownPlugin before anything is written
        self._office.check_method(wanted)
        stream = stream_of(wanted.tender)
        stamps = self._office.ledger.append(stream, 0, [self._office.draft(stream, wanted, owner)])
        return fold(wanted.tender, [(wanted, stamps[0])])

    def form_committee(self, tender: TenderId, formed: CommitteeFormed) -> Tender:
        """The ceremony's record; folding it repeats the ceremony's public arithmetic."""
        return self._office.act(tender, lambda state, _: [_tried(state, formed)])

    def reshare(self, tender: TenderId, reshared: CommitteeReshared) -> Tender:
        return self._office.act(tender, lambda state, _: [_tried(state, reshared)], in_time=True)

    def publish(
        self, owner: Actor, tender: TenderId, deadline: datetime, documents_until: datetime
    ) -> Tender:
        wanted = TenderPublished(deadline=deadline, documents_until=documents_until)
        office = self._office
        return office.act(
            tender,
            lambda state, now: [decide_publish(state, wanted, now, office.calendar)],
            owner,
        )

    def correct(
        self, owner: Actor, tender: TenderId, text: str, deadline: datetime | None = None
    ) -> Tender:
        wanted, office = NoticeCorrected(text=text, deadline=deadline), self._office
        return office.act(
            tender,
            lambda state, now: [decide_correct(state, wanted, now, office.calendar)],
            owner,
            in_time=True,
        )

    def ask(self, tender: TenderId, text: str) -> str:
        """提问, by anyone who takes part; the asker is not recorded. Returns the question's id."""
        question = self._office.ids.mint()
        self._office.act(
            tender, lambda state, now: [decide_ask(state, question, text, now)], in_time=True
        )
        return question

    def answer(self, owner: Actor, tender: TenderId, question: str, text: str) -> Tender:
        return self._office.act(
            tender,
            lambda state, now: [decide_answer(state, question, text, now)],
            owner,
            in_time=True,
        )

    def cancel(self, owner: Actor, tender: TenderId, ground: str) -> Tender:
        return self._office.act(tender, lambda state, _: [decide_cancel(state, ground)], owner)


def _tried(
    state: Tender, fact: CommitteeFormed | CommitteeReshared
) -> CommitteeFormed | CommitteeReshared:
    """Refuse a wrong ceremony before it is written, by the same check that folding makes."""
    if isinstance(fact, CommitteeFormed):
        form_seat(state.id, fact)
    else:
        reshare_seat(state.seats[fact.stage], fact)
    return fact
