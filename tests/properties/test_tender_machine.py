"""Random acts on a tender: the machine, the law and the ledger agree whatever comes."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from builders import ABid, AStory
from centre import TestCentre
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from trading.envelope.layout import Stage
from trading.envelope.seal import withdrawal_message
from trading.kernel.errors import Refusal
from trading.tender import MACHINE, Phase


class TenderLife(RuleBasedStateMachine):
    """Bids come, are replaced, withdrawn, spoiled and late; the clock runs; someone closes."""

    bids = Bundle("bids")

    @initialize()
    def a_published_tender(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.centre = TestCentre(self.folder)
        self.story = AStory(self.centre).bidding()
        self.final: dict[str, int] = {}
        self.number = 0

    @property
    def phase(self) -> Phase:
        return self.story.state.phase

    @rule(target=bids, fen=st.integers(1, 10**9))
    def a_bid_comes(self, fen: int) -> ABid:
        self.number += 1
        bid = ABid(f"9133{self.number}", fen)
        self._hand_in(bid)
        return bid

    @rule(bid=bids, fen=st.integers(1, 10**9))
    def a_bid_is_replaced(self, bid: ABid, fen: int) -> None:
        current = self._current(bid)
        if current:
            bid.fen, bid.replaces = fen, self.story.state.received[current].prefix
            if self._hand_in(bid):
                self.final.pop(current, None)

    @rule(bid=consumes(bids))
    def a_bid_is_withdrawn(self, bid: ABid) -> None:
        current = self._current(bid)
        if not current:
            return
        prefix = self.story.state.received[current].prefix
        signature = bid.key.sign(withdrawal_message(prefix, prefix.header.seq))
        try:
            self.centre.bidder.withdraw(self.story.tender, current, signature)
            self.final.pop(current)
        except Refusal:
            assert self.phase is not Phase.BIDDING or self._is_late()

    @rule(place=st.integers(0, 417), bit=st.integers(0, 7))
    def a_spoiled_bid_is_refused(self, place: int, bit: int) -> None:
        sealed = bytearray(ABid("坏", 1).seal(self.story.state))
        sealed[place] ^= 1 << bit
        size = len(self.story.state.received)
        with pytest.raises(Refusal):
            self.centre.bidder.hand_in(self.story.tender, [bytes(sealed)])
        assert len(self.story.state.received) == size

    @rule(days=st.integers(1, 12))
    def time_passes(self, days: int) -> None:
        deadline = self.story.state.deadline
        assert deadline
        if self.phase is Phase.BIDDING and self.centre.clock.at + timedelta(days=days) >= deadline:
            self.story.closed()
        else:
            self.centre.advance(days=days)

    @precondition(lambda self: self.phase is Phase.SEALED)
    @rule(who=st.sets(st.integers(0, 4), min_size=1, max_size=3))
    def some_trustees_answer(self, who: set[int]) -> None:
        self.story.shared(who=tuple(sorted(who)))

    @precondition(lambda self: self.phase is Phase.SEALED)
    @rule()
    def the_host_opens(self) -> None:
        shares = [key for key in self.story.state.shares if key[0] == Stage.PRICE]
        if len(shares) >= 3:
            self.story.opened()
            return
        with pytest.raises(Refusal) as few:
            self.story.opened()
        assert few.value.code == "KF-404"

    @precondition(lambda self: self.phase in (Phase.OPENED, Phase.RECOMMENDED, Phase.PUBLICITY))
    @rule()
    def the_panel_and_the_owner_go_on(self) -> None:
        if self.phase is Phase.OPENED:
            self.story.ranked()
        elif self.phase is Phase.RECOMMENDED:
            self.story.publicised()
        else:
            self.story.awarded()

    @precondition(lambda self: self.phase is Phase.NOTICED)
    @rule()
    def the_contract_is_signed(self) -> None:
        self.story.contracted()
        lowest = min(self.final[eid] for eid in self.story.state.opened)
        assert self.story.state.contracts[1].amount == lowest

    @rule()
    def acts_out_of_order_are_refused(self) -> None:
        """Every act that this phase does not know is refused and writes nothing."""
        size, phase = self.centre.ledger.size(), self.phase
        acts = {
            Phase.OPENED: self.story.ranked,
            Phase.RECOMMENDED: lambda: self.centre.award.publish_candidates(
                self.centre.owner, self.story.tender
            ),
            Phase.AWARDED: lambda: self.centre.award.send_notice(
                self.centre.owner, self.story.tender
            ),
        }
        for due, act in acts.items():
            if phase is not due:
                with pytest.raises(Refusal):
                    act()
                assert self.centre.ledger.size() == size

    @invariant()
    def nothing_changes_after_the_closing(self) -> None:
        state = self.story.state
        if state.closed and state.phase is not Phase.FAILED:
            assert set(state.closed.envelopes) == set(self.final)
        for eid, opened in state.opened.items():
            assert opened.price == self.final[eid]

    def teardown(self) -> None:
        self.centre.verify_everything()
        self.centre.close()
        shutil.rmtree(self.folder)

    def _hand_in(self, bid: ABid) -> bool:
        try:
            (eid,) = self.story.hand_in(bid)
        except Refusal:
            assert self.phase is not Phase.BIDDING or self._is_late()
            return False
        self.final[eid] = bid.fen or 0
        return True

    def _current(self, bid: ABid) -> str | None:
        return self.story.state.current.get((bid.key.public, bid.lot, bid.stage))

    def _is_late(self) -> bool:
        deadline = self.story.state.deadline
        return deadline is not None and self.centre.clock.at >= deadline


TestTenderLife = TenderLife.TestCase
TestTenderLife.settings = settings(max_examples=30, stateful_step_count=40)


def test_every_phase_is_reached_and_left() -> None:
    reached = {MACHINE.start} | {target for _, _, target in MACHINE.rows}
    left = {source for source, _, target in MACHINE.rows if source != target}
    ends = {Phase.COMPLETE, Phase.FAILED, Phase.CANCELLED}
    assert reached == set(Phase)
    assert left == set(Phase) - ends
