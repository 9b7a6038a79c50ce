"""主持人窗口 host's desk: close the bidding, collect co-keys and shares, open, record.

From here down: trading/bidding.py and opening.py decide, trading/envelope and keys compute.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from trading.bidding import decide_close
from trading.cover import decide_missing_covers, pending_covers
from trading.desks.office import Office
from trading.desks.suspension import SuspensionDesk
from trading.desks.trustee import Shared
from trading.envelope.admit import check_body
from trading.envelope.layout import split_prefix
from trading.kernel.errors import BodyAltered, QuorumMissing, ShareInvalid, StoreDamaged, TooEarly
from trading.kernel.ids import TenderId
from trading.kernel.instant import Reading
from trading.ledger.fact import Fact
from trading.ledger.policy import Witnessed
from trading.opening import (
    combined_point,
    decide_missing,
    decide_record,
    decide_reveal,
    decide_settle,
    decide_share,
    open_one,
    pending_cokeys,
)
from trading.tender import Received, Tender

__all__ = ["OpeningDesk"]


class OpeningDesk:
    def __init__(self, office: Office, interruptions: SuspensionDesk | None = None) -> None:
        self._office = office
        self._interruptions = interruptions or SuspensionDesk(office)

    def close(self, tender: TenderId) -> Tender:
        """截标, between the last checkpoint that the witnesses date before the deadline and the
        first they date at or after it, which is made now if there is none yet.
        """
        self._interruptions.record_silence()
        self._interruptions.extend(tender)
        before, closing = self._bracket(self._office.live.newest(tender))
        self._office.act(tender, lambda fresh, now: [decide_close(fresh, before, closing, now)])
        return self.settle(tender)

    def settle(self, tender: TenderId) -> Tender:
        """What the law wants said at the closing and nobody has said yet: a wide bracket at once,
        流标 where too few have bid as soon as every cover is revealed, or its maker missing.
        """
        check = self._office.publisher.policy.check
        return self._office.act(tender, lambda state, _: decide_settle(state, check))

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
        """Once, whoever brings it; ShareInvalid (KF-403) for a wrong share, which is recorded."""
        share, signature = shared.share, shared.signature
        place = stage, share.index

        def decide(fresh: Tender, _: Reading) -> list[Fact]:
            return [] if place in fresh.shares else [decide_share(fresh, stage, share, signature)]

        state = self._office.act(tender, decide)
        if place not in state.shares:
            raise ShareInvalid(trustee=share.index)
        return state

    def open(self, tender: TenderId, stage: int, extract: Path | None = None) -> Tender:
        """开标: every final envelope of the stage, then the record; or another node does it."""
        state = self._office.load(tender)
        for position, bid in enumerate(state.final(stage)):
            if not state.is_opened(bid.eid):
                fact = self._opened(state, stage, position, bid, extract)
                state = self._office.act(tender, partial(_unless_opened, bid.eid, fact))
        return self._office.act(tender, lambda fresh, _: [decide_record(fresh, stage)])

    def _bracket(self, state: Tender) -> tuple[Witnessed, Witnessed]:
        deadline, now = state.deadline, self._office.clock.read()
        if deadline is None or not now.is_surely_after(deadline):
            raise TooEarly(act="截标", moment=deadline, article=state.procedure.articles.opening)
        publisher, size = self._office.publisher, state.bidding_size
        before, closing = publisher.around(deadline, size)
        if closing is None:
            publisher.publish()
            before, closing = publisher.around(deadline, size)
        if before is None or closing is None:
            raise QuorumMissing(size=size)
        return before, closing

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


def _unless_opened(eid: str, fact: Fact, fresh: Tender, _: Reading) -> list[Fact]:
    return [] if fresh.is_opened(eid) else [fact]
