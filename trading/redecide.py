"""Every fact decided again: what the rules said then is what they must say now.

One small function a fact; a fact without one needs no more than its place in the machine.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from trading.award import decide_award, decide_publicity
from trading.bidding import (
    bracket_incident,
    check_bracket,
    decide_failures,
    decide_publish,
    decide_receive,
    decide_withdraw,
)
from trading.contract import decide_complete, decide_contract
from trading.envelope.admit import check_body
from trading.envelope.layout import Prefix
from trading.facts.award import AwardDecided, CandidatesPublished, CandidatesRecommended
from trading.facts.bidding import (
    BiddingClosed,
    BracketWide,
    EnvelopeReceived,
    EnvelopeWithdrawn,
)
from trading.facts.contract import ContractSigned
from trading.facts.notice import NoticeCorrected, QuestionAnswered
from trading.facts.opening import (
    CokeyMissing,
    CokeyRevealed,
    EnvelopeOpened,
    EnvelopeUnopened,
    OpeningRecorded,
    ShareBlamed,
    ShareGiven,
    TechnicalOpened,
)
from trading.facts.tender import (
    LotsFailed,
    TenderCompleted,
    TenderDrafted,
    TenderFailed,
    TenderPublished,
)
from trading.kernel.calendar import Calendar
from trading.kernel.errors import EntryBroken, RuleBroken
from trading.kernel.instant import Reading
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.note import Note
from trading.ledger.policy import Policy, Witnessed
from trading.notice import decide_answer, decide_correct
from trading.opening import (
    combined_point,
    decide_missing,
    decide_record,
    decide_reveal,
    decide_share,
    open_one,
    share_of,
)
from trading.procedure import Procedure
from trading.procedures import PROCEDURES
from trading.tender import Phase, Tender

__all__ = ["Redecider"]

_LATENCY = timedelta(seconds=5)  # between a decision and its commit


class Redecider:
    """`body(eid)` streams a body; `policy` and `root` say what checkpoints are worth."""

    def __init__(
        self,
        calendar: Calendar,
        body: Callable[[str], Iterator[bytes]],
        policy: Policy,
        root: Callable[[int], bytes],
    ) -> None:
        self._calendar, self._body, self._policy, self._root = calendar, body, policy, root
        self._decide: dict[type[Fact], Callable[[Tender, Any, Reading], Fact | None]] = {
            TenderDrafted: self._drafted,
            TenderPublished: self._published,
            NoticeCorrected: self._corrected,
            QuestionAnswered: self._answered,
            EnvelopeReceived: self._received,
            EnvelopeWithdrawn: self._withdrawn,
            BiddingClosed: self._closed,
            BracketWide: self._wide,
            LotsFailed: self._lots_failed,
            TenderFailed: self._failed,
            CokeyRevealed: self._revealed,
            CokeyMissing: self._missing,
            ShareGiven: self._share,
            ShareBlamed: self._share,
            EnvelopeOpened: self._opened,
            EnvelopeUnopened: self._opened,
            TechnicalOpened: self._technical,
            OpeningRecorded: self._recorded,
            CandidatesRecommended: self._recommended,
            CandidatesPublished: self._publicity,
            AwardDecided: self._awarded,
            ContractSigned: self._contracted,
            TenderCompleted: self._completed,
        }

    def check(self, state: Tender, fact: Fact, stamp: Stamp) -> None:
        """Refusal or EntryBroken unless the rules give exactly this fact at this moment."""
        decide = self._decide.get(type(fact))
        if decide is None:
            return
        try:
            again = decide(state, fact, Reading(stamp.at))
        except RuleBroken:
            if type(fact) not in _WITH_LATENCY:
                raise
            again = decide(state, fact, Reading(stamp.at - _LATENCY))
        if again != fact:
            raise EntryBroken(index=stamp.index, problem="规则得出的结果不同 / rules say otherwise")

    def _drafted(self, state: Tender, fact: TenderDrafted, _: Reading) -> Fact:
        PROCEDURES[fact.procedure]
        return fact if state.draft is None and fact.tender == state.id else TenderCompleted()

    def _published(self, state: Tender, fact: TenderPublished, now: Reading) -> Fact:
        return decide_publish(state, fact, _procedure(state), now, self._calendar)

    def _corrected(self, state: Tender, fact: NoticeCorrected, now: Reading) -> Fact:
        return decide_correct(state, fact, _procedure(state), now, self._calendar)

    def _answered(self, state: Tender, fact: QuestionAnswered, now: Reading) -> Fact:
        return decide_answer(state, fact.question, fact.text, now)

    def _received(self, state: Tender, fact: EnvelopeReceived, now: Reading) -> Fact:
        return decide_receive(state, Prefix.parse(bytes.fromhex(fact.prefix)), now)

    def _withdrawn(self, state: Tender, fact: EnvelopeWithdrawn, now: Reading) -> Fact:
        return decide_withdraw(state, fact.eid, bytes.fromhex(fact.signature), now)

    def _closed(self, state: Tender, fact: BiddingClosed, _: Reading) -> Fact:
        before, closing = self._witnessed(fact.before), self._witnessed(fact.closing)
        if state.deadline:
            check_bracket(state.deadline, before, closing)
        size = closing.checkpoint.size
        final = sorted(
            (eid for eid in state.current.values() if state.received[eid].index < size),
            key=lambda eid: state.received[eid].index,
        )
        for eid in final:
            check_body(state.received[eid].prefix, self._body(eid))
        return BiddingClosed(before=fact.before, closing=fact.closing, envelopes=tuple(final))

    def _wide(self, state: Tender, fact: BracketWide, _: Reading) -> Fact | None:
        closed = state.closed
        if closed is None:
            return None
        before, closing = self._witnessed(closed.before), self._witnessed(closed.closing)
        return bracket_incident(before, closing, fact.limit)

    def _lots_failed(self, state: Tender, _: LotsFailed, __: Reading) -> Fact | None:
        return decide_failures(state, _procedure(state)).lots

    def _failed(self, state: Tender, fact: TenderFailed, _: Reading) -> Fact | None:
        if state.phase is Phase.OPENED:  # all bids rejected: evaluation's word
            return fact
        return decide_failures(state, _procedure(state)).tender

    def _revealed(self, state: Tender, fact: CokeyRevealed, _: Reading) -> Fact:
        return decide_reveal(state, fact.eid, bytes.fromhex(fact.cokey))

    def _missing(self, state: Tender, fact: CokeyMissing, _: Reading) -> Fact:
        return decide_missing(state, fact.eid)

    def _share(self, state: Tender, fact: ShareGiven | ShareBlamed, _: Reading) -> Fact:
        return decide_share(state, fact.stage, share_of(fact))

    def _opened(self, state: Tender, fact: EnvelopeOpened | EnvelopeUnopened, _: Reading) -> Fact:
        order = [bid.eid for bid in state.final(fact.stage)]
        position = order.index(fact.eid)
        combined = combined_point(state, fact.stage, position)
        return open_one(state, state.received[fact.eid], combined, self._body(fact.eid))

    def _technical(self, state: Tender, _: TechnicalOpened, __: Reading) -> Fact:
        return decide_record(state, 1)

    def _recorded(self, state: Tender, fact: OpeningRecorded, _: Reading) -> Fact:
        again = decide_record(state, 2)
        opened = again.opened if isinstance(again, OpeningRecorded) else -1
        return OpeningRecorded(opened=opened, objections=fact.objections)

    def _recommended(self, state: Tender, fact: CandidatesRecommended, _: Reading) -> Fact | None:
        """Ranking is evaluation's word; here only that it speaks of the opened bids, truly."""
        bids = {bid.eid: bid for bid in state.priced()}
        for item in fact.ranking:
            bid = bids.get(item.eid)
            if bid is None or (bid.lot, bid.price, bid.bidder_id) != (
                item.lot,
                item.price,
                item.bidder_id,
            ):
                return None
        return fact

    def _publicity(self, state: Tender, fact: CandidatesPublished, now: Reading) -> Fact:
        """`until` was reckoned at the decision, moments before the commit."""
        latest = decide_publicity(state, _procedure(state), now, self._calendar)
        if not latest.until - _LATENCY <= fact.until <= latest.until:
            raise RuleBroken(act="公示", article="", problem=fact.until.isoformat())
        return fact

    def _awarded(self, state: Tender, fact: AwardDecided, now: Reading) -> Fact:
        return decide_award(state, fact, _procedure(state), now)

    def _contracted(self, state: Tender, fact: ContractSigned, now: Reading) -> Fact:
        return decide_contract(state, fact, _procedure(state), now, self._calendar)

    def _completed(self, state: Tender, _: TenderCompleted, __: Reading) -> Fact | None:
        return decide_complete(state)

    def _witnessed(self, note: str) -> Witnessed:
        witnessed = self._policy.check(note)
        head = Checkpoint.parse(Note.parse(note).text)
        if self._root(head.size) != head.root:
            raise RuleBroken(act="截标", article="", problem="检查点与记录不符 / other entries")
        return witnessed


def _procedure(state: Tender) -> Procedure:
    return PROCEDURES[state.drafted.procedure]


_WITH_LATENCY = (TenderPublished, NoticeCorrected, ContractSigned)
