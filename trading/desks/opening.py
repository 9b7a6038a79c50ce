"""主持人窗口 host's desk: close the bidding, collect co-keys and shares, open, record.

From here down: trading/bidding.py and opening.py decide, trading/envelope and keys compute.
"""

from collections.abc import Iterator
from pathlib import Path

from trading.bidding import bracket_incident, decide_close, decide_failures
from trading.cover import decide_missing_covers, pending_covers
from trading.desks.office import Office
from trading.desks.trustee import Shared
from trading.envelope.admit import check_body
from trading.envelope.layout import split_prefix
from trading.kernel.errors import BodyAltered, QuorumMissing, ShareInvalid, StoreDamaged, TooEarly
from trading.kernel.ids import TenderId
from trading.ledger.fact import Fact
from trading.ledger.policy import Witnessed
from trading.opening import (
    combined_point,
    decide_missing,
    decide_record,
    decide_reveal,
    decide_share,
    open_one,
    pending_cokeys,
)
from trading.tender import Received, Tender

__all__ = ["OpeningDesk"]


class OpeningDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def close(self, tender: TenderId) -> Tender:
        """截标, between the last checkpoint that the witnesses date before the deadline and the
        first they date at or after it, which is made now if there is none yet.
        """
        before, closing = self._bracket(self._office.load(tender))
        self._office.act(tender, lambda fresh, now: [decide_close(fresh, before, closing, now)])
        incident = bracket_incident(before, closing)
        if incident:
            self._office.act(tender, lambda _, __: [incident])
        return self.settle(tender)

    def settle(self, tender: TenderId) -> Tender:
        """流标 where too few have bid: known once every cover is revealed, or its maker missing."""
        state = self._office.load(tender)
        return state if pending_covers(state) else self._fail_where_too_few(state)

    def end_covers_window(self, tender: TenderId) -> Tender:
        """Makers that have not revealed by now are recorded as missing."""
        self._office.act(
            tender,
            lambda state, now: [
                decide_missing_covers(state, maker, now) for maker in pending_covers(state)
            ],
        )
        return self.settle(tender)

    def reveal(self, tender: TenderId, eid: str, cokey: bytes) -> Tender:
        return self._office.act(tender, lambda state, _: [decide_reveal(state, eid, cokey)])

    def end_cokey_window(self, tender: TenderId, stage: int) -> Tender:
        """Whoever has not revealed by now is recorded as missing."""
        return self._office.act(
            tender,
            lambda state, now: [
                decide_missing(state, eid, now) for eid in pending_cokeys(state, stage)
            ],
        )

    def accept_share(self, tender: TenderId, stage: int, shared: Shared) -> Tender:
        """ShareInvalid (KF-403) for a wrong share, after it has been recorded as blame."""
        share, signature = shared.share, shared.signature
        state = self._office.act(
            tender, lambda fresh, _: [decide_share(fresh, stage, share, signature)]
        )
        if (stage, share.index) not in state.shares:
            raise ShareInvalid(trustee=share.index)
        return state

    def open(self, tender: TenderId, stage: int, extract: Path | None = None) -> Tender:
        """开标: every final envelope of the stage, then the record."""
        state = self._office.load(tender)
        for position, bid in enumerate(state.final(stage)):
            if bid.eid not in state.opened and bid.eid not in state.unopened:
                fact = self._opened(state, stage, position, bid, extract)
                state = self._office.act(tender, lambda _, __, fact=fact: [fact])  # type: ignore[misc]
        return self._office.act(tender, lambda fresh, _: [decide_record(fresh, stage)])

    def _bracket(self, state: Tender) -> tuple[Witnessed, Witnessed]:
        deadline, now = state.deadline, self._office.clock.read()
        if deadline is None or not now.is_surely_after(deadline):
            raise TooEarly(act="截标", moment=deadline, article=state.procedure.articles.opening)
        before, closing = self._office.publisher.around(deadline)
        if before is None:
            raise QuorumMissing(size=0)
        return before, closing or self._office.publisher.publish()

    def _opened(
        self, state: Tender, stage: int, position: int, bid: Received, extract: Path | None
    ) -> Fact:
        # what was admitted must be what is opened: damage in our own store is no bidder's fault
        try:
            check_body(bid.prefix, self._body(bid.eid))
        except (BodyAltered, OSError) as error:
            raise StoreDamaged(problem=f"envelopes/{bid.eid}.kfe") from error
        combined = combined_point(state, stage, position)
        target = extract / bid.eid if extract else None
        if target:
            target.mkdir(parents=True, exist_ok=True)
        return open_one(state, bid, combined, self._body(bid.eid), target)

    def _body(self, eid: str) -> Iterator[bytes]:
        _, body = split_prefix(self._office.objects.chunks(eid))
        return body

    def _fail_where_too_few(self, state: Tender) -> Tender:
        failures = decide_failures(state)
        facts = [fact for fact in (failures.lots, failures.tender) if fact]
        return self._office.act(state.id, lambda _, __: facts) if facts else state
