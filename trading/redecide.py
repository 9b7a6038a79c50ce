"""Every fact decided again: what the rules said then is what they must say now.

One small function a fact; a fact without one needs no more than its place in the machine.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from trading.award import decide_award, decide_publicity
from trading.bidding import (
    bracket_incident,
    check_bracket,
    decide_all_rejected,
    decide_cancel,
    decide_failures,
    decide_issue,
    decide_publish,
    decide_receive,
    decide_withdraw,
)
from trading.committee import Charter, ceremony_of
from trading.contract import decide_complete, decide_contract
from trading.cover import (
    decide_missing_covers,
    decide_promise,
    decide_reveal_covers,
    pending_covers,
)
from trading.envelope.admit import check_body
from trading.envelope.layout import Prefix
from trading.facts.award import AwardDecided, CandidatesPublished, CandidatesRecommended
from trading.facts.bidding import (
    BiddingClosed,
    BracketWide,
    EnvelopeReceived,
    EnvelopeWithdrawn,
    TokenIssued,
)
from trading.facts.committee import CommitteeFormed, CommitteeReshared
from trading.facts.contract import ContractSigned
from trading.facts.cover import CoversMissing, CoversPromised, CoversRevealed
from trading.facts.notice import NoticeCorrected, QuestionAnswered, QuestionAsked
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
from trading.facts.suspension import (
    DeadlineExtended,
    OutageRecorded,
    ResumptionAsked,
    SuspensionAsked,
    TenderResumed,
    TenderSuspended,
)
from trading.facts.tender import (
    LotsFailed,
    TenderCancelled,
    TenderCompleted,
    TenderDrafted,
    TenderFailed,
    TenderPublished,
)
from trading.kernel.calendar import Calendar
from trading.kernel.errors import EntryBroken, RuleBroken, TooLate
from trading.kernel.instant import Reading
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.policy import Policy, Witnessed
from trading.notice import decide_answer, decide_ask, decide_correct
from trading.opening import (
    combined_point,
    decide_missing,
    decide_record,
    decide_reveal,
    decide_settle,
    decide_share,
    open_one,
    share_of,
)
from trading.procedures import PROCEDURES
from trading.suspension import (
    decide_ask_resumption,
    decide_ask_suspension,
    decide_extend,
    decide_resume,
    decide_suspend,
)
from trading.tender import Phase, Tender

__all__ = ["LATENCY", "Redecider"]

_Rules = dict[type[Fact], Callable[[Tender, Any, Reading], Fact | None]]

_KEPT = 8  # checkpoints remembered
LATENCY = timedelta(seconds=5)  # between a decision and its commit


class Redecider:
    """`body(eid)` streams a body; `policy` and `root` say what checkpoints are worth.

    A trustee has no bodies: it passes None and believes what an envelope is said to contain, not
    that it was due to be opened.
    """

    def __init__(
        self,
        calendar: Calendar,
        body: Callable[[str], Iterator[bytes]] | None,
        policy: Policy,
        root: Callable[[int], bytes],
        charter: Charter,
    ) -> None:
        self.calendar, self._body, self._policy, self._root = calendar, body, policy, root
        self._charter = charter
        self._decide = self._rules()
        self._checked: dict[str, Witnessed] = {}

    def _rules(self) -> _Rules:
        return self._before_closing() | self._from_closing()

    def _before_closing(self) -> _Rules:
        return {
            TenderDrafted: self._drafted,
            CommitteeFormed: self._seated,
            CommitteeReshared: self._seated,
            TenderPublished: self._published,
            NoticeCorrected: self._corrected,
            TenderCancelled: self._cancelled,
            QuestionAsked: self._asked,
            QuestionAnswered: self._answered,
            EnvelopeReceived: self._received,
            TokenIssued: decide_issue,
            EnvelopeWithdrawn: self._withdrawn,
            SuspensionAsked: lambda state, fact, now: decide_ask_suspension(
                state, fact.ground, now
            ),
            TenderSuspended: lambda state, _, now: decide_suspend(state, now),
            ResumptionAsked: lambda state, fact, _: decide_ask_resumption(state, fact.ground),
            TenderResumed: lambda state, _, __: decide_resume(state),
            DeadlineExtended: self._extended,
        }

    def _from_closing(self) -> _Rules:
        return {
            CoversMissing: lambda state, fact, now: decide_missing_covers(state, fact.maker, now),
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

    @property
    def trustees(self) -> frozenset[str]:
        """The keys of the charter, hex."""
        return frozenset(self._charter.trustees.values())

    def check(self, state: Tender, fact: Fact, stamp: Stamp) -> None:
        """Refusal or EntryBroken unless the rules give exactly this fact at this moment."""
        if isinstance(fact, CoversPromised | CoversRevealed):
            _check_cover(state, fact, stamp)
        decide = self._decide.get(type(fact))
        if decide is None:
            return
        try:
            again = decide(state, fact, Reading(stamp.at))
        except RuleBroken:
            if type(fact) not in _WITH_LATENCY:
                raise
            again = decide(state, fact, Reading(stamp.at - LATENCY))
        if again != fact:
            raise EntryBroken(index=stamp.index, problem="规则得出的结果不同 / rules say otherwise")

    def _drafted(self, state: Tender, fact: TenderDrafted, _: Reading) -> Fact | None:
        known = fact.procedure in {procedure.code for procedure in PROCEDURES}
        return fact if known and state.draft is None and fact.tender == state.id else None

    def _seated(
        self, state: Tender, fact: CommitteeFormed | CommitteeReshared, now: Reading
    ) -> Fact:
        """By the charter; a handover only while bids come in. Folding repeats the arithmetic."""
        self._charter.check(ceremony_of(fact))
        if isinstance(fact, CommitteeReshared) and state.deadline:
            _in_time(state.deadline, now)
        return fact

    def _published(self, state: Tender, fact: TenderPublished, now: Reading) -> Fact:
        return decide_publish(state, fact, now, self.calendar)

    def _corrected(self, state: Tender, fact: NoticeCorrected, now: Reading) -> Fact:
        return decide_correct(state, fact, now, self.calendar)

    def _cancelled(self, state: Tender, fact: TenderCancelled, _: Reading) -> Fact:
        return decide_cancel(state, fact.ground)

    def _asked(self, state: Tender, fact: QuestionAsked, now: Reading) -> Fact:
        return decide_ask(state, fact.question, fact.text, now)

    def _answered(self, state: Tender, fact: QuestionAnswered, now: Reading) -> Fact:
        return decide_answer(state, fact.question, fact.text, now)

    def _received(self, state: Tender, fact: EnvelopeReceived, now: Reading) -> Fact:
        prefix, token = bytes.fromhex(fact.prefix), bytes.fromhex(fact.token)
        return decide_receive(state, Prefix.parse(prefix), now, token)

    def _withdrawn(self, state: Tender, fact: EnvelopeWithdrawn, now: Reading) -> Fact:
        return decide_withdraw(state, fact.eid, bytes.fromhex(fact.signature), now)

    def _extended(self, state: Tender, fact: DeadlineExtended, _: Reading) -> Fact | None:
        outage = OutageRecorded(start=fact.start, end=fact.end)
        return decide_extend(state, outage, fact.outage)

    def _closed(self, state: Tender, fact: BiddingClosed, _: Reading) -> Fact:
        before, closing = self.witnessed(fact.before), self.witnessed(fact.closing)
        if state.deadline:
            check_bracket(state, state.deadline, before, closing)
        final = sorted(state.current.values(), key=lambda eid: state.received[eid].index)
        if self._body:
            for eid in final:
                check_body(state.received[eid].prefix, self._body(eid))
        return BiddingClosed(before=fact.before, closing=fact.closing, envelopes=tuple(final))

    def _nothing_due(self, state: Tender) -> None:
        """Whatever the law says at the closing has been said before anybody opens anything."""
        if pending_covers(state):
            raise RuleBroken(act="开标", article="", problem="掩护未公布 / covers not revealed")
        for fact in decide_settle(state, self.witnessed):
            problem = f"截标后应记未记 / not declared: {type(fact).__name__}"
            raise RuleBroken(act="开标", article="", problem=problem)

    def _wide(self, state: Tender, _: BracketWide, __: Reading) -> Fact | None:
        closed = state.closed
        if closed is None:
            return None
        before, closing = self.witnessed(closed.before), self.witnessed(closed.closing)
        return bracket_incident(before, closing)

    def _lots_failed(self, state: Tender, _: LotsFailed, __: Reading) -> Fact | None:
        return decide_failures(state).lots

    def _failed(self, state: Tender, _: TenderFailed, __: Reading) -> Fact | None:
        """After the opening: because nobody is left, or by a decision that the reader knows."""
        if state.phase is Phase.SEALED:
            return decide_failures(state).tender
        return decide_all_rejected(state) if state.phase is Phase.RECOMMENDED else None

    def _revealed(self, state: Tender, fact: CokeyRevealed, _: Reading) -> Fact:
        return decide_reveal(state, fact.eid, bytes.fromhex(fact.cokey))

    def _missing(self, state: Tender, fact: CokeyMissing, now: Reading) -> Fact:
        return decide_missing(state, fact.eid, now)

    def _share(self, state: Tender, fact: ShareGiven | ShareBlamed, _: Reading) -> Fact:
        self._nothing_due(state)
        return decide_share(state, fact.stage, share_of(fact), bytes.fromhex(fact.signature))

    def _opened(
        self, state: Tender, fact: EnvelopeOpened | EnvelopeUnopened, _: Reading
    ) -> Fact | None:
        order = [bid.eid for bid in state.final(fact.stage)]
        position = order.index(fact.eid)
        combined = combined_point(state, fact.stage, position)
        if self._body is None:
            return fact if combined.point.hex() == fact.point else None
        return open_one(state, state.received[fact.eid], combined, self._body(fact.eid))

    def _technical(self, state: Tender, _: TechnicalOpened, __: Reading) -> Fact:
        return decide_record(state, 1)

    def _recorded(self, state: Tender, _: OpeningRecorded, __: Reading) -> Fact:
        again = decide_record(state, 2)
        opened = again.opened if isinstance(again, OpeningRecorded) else -1
        return OpeningRecorded(opened=opened)

    def _recommended(self, state: Tender, fact: CandidatesRecommended, _: Reading) -> Fact | None:
        """The order is the panel's word; here: each opened bid is judged once, as it was opened."""
        bids = {bid.eid: bid for bid in state.priced()}
        judged = sorted([c.eid for c in fact.ranking] + [r.eid for r in fact.rejections])
        places = [(item.lot, item.rank) for item in fact.ranking if item.rank]
        if judged != sorted(bids) or len(set(places)) != len(places):
            return None
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
        return decide_publicity(state, now, self.calendar, fact.until)

    def _awarded(self, state: Tender, fact: AwardDecided, now: Reading) -> Fact:
        return decide_award(state, fact, now, self.calendar)

    def _contracted(self, state: Tender, fact: ContractSigned, now: Reading) -> Fact:
        return decide_contract(state, fact, now, self.calendar)

    def _completed(self, state: Tender, _: TenderCompleted, __: Reading) -> Fact | None:
        return decide_complete(state)

    def witnessed(self, note: str) -> Witnessed:
        """Checked once in a row: every step of an opening looks at the same two."""
        if note not in self._checked:
            witnessed = self._policy.check(note)
            head = witnessed.checkpoint
            if self._root(head.size) != head.root:
                raise RuleBroken(act="截标", article="", problem="检查点与记录不符 / other entries")
            self._checked = {**dict(list(self._checked.items())[-_KEPT:]), note: witnessed}
        return self._checked[note]


def _check_cover(state: Tender, fact: CoversPromised | CoversRevealed, stamp: Stamp) -> None:
    """These rules also look at who acts."""
    if isinstance(fact, CoversPromised):
        decide_promise(state, fact.digest, stamp.actor, Reading(stamp.at))
    else:
        decide_reveal_covers(state, fact, stamp.actor)


def _in_time(deadline: datetime, now: Reading) -> None:
    if not now.is_surely_before(deadline):
        raise TooLate(act="移交", deadline=deadline, article="")


_WITH_LATENCY = (TenderPublished, NoticeCorrected, CandidatesPublished, ContractSigned)
