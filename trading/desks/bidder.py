"""投标人窗口 bidder's desk: take envelopes in, give receipts, withdraw."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec

from trading.bidding import decide_receive, decide_withdraw
from trading.desks.office import Office
from trading.envelope.admit import checked_body
from trading.envelope.layout import PREFIX, Prefix, check_size, split_prefix
from trading.facts.bidding import EnvelopeRefused
from trading.facts.committee import CommitteeFormed
from trading.kernel.errors import EnvelopeRefusal, NotSealed, RuleBroken, StreamUnknown
from trading.kernel.ids import TenderId
from trading.ledger.port import ANY
from trading.ledger.receipt import write_receipt
from trading.tender import Tender, stream_of

__all__ = ["BidderDesk", "HandedIn"]


class HandedIn(msgspec.Struct, frozen=True):
    """Where the ledger keeps the envelope."""

    eid: str
    index: int


class BidderDesk:
    """`limit` is the largest envelope in bytes."""

    def __init__(self, office: Office, limit: int = 2 << 30) -> None:
        self._office, self._limit = office, limit

    def hand_in(self, tender: TenderId, envelope: Iterable[bytes]) -> HandedIn:
        """Streamed; stored and logged, or refused with a reason that is logged as well."""
        first, body = split_prefix(envelope)
        try:
            prefix = self._parse(tender, first)
            return self._receive(tender, prefix, self._limited(body))
        except (EnvelopeRefusal, RuleBroken) as refusal:
            self._log_refusal(tender, first, refusal)
            raise

    def withdraw(self, tender: TenderId, eid: str, signature: bytes) -> Tender:
        return self._office.act(
            tender,
            lambda state, now: [decide_withdraw(state, eid, signature, now)],
            in_time=True,
        )

    def invitation(self, tender: TenderId, stage: int) -> str:
        """What bidders seal by: the proof that the stage's ceremony stands in the ledger."""
        facts = self._office.ledger.stream(stream_of(tender))
        for fact, stamp in facts:
            if isinstance(fact, CommitteeFormed) and fact.stage == stage:
                return receipt_of(self._office, stamp.index)
        raise StreamUnknown(stream=f"{stream_of(tender)} stage {stage}")

    def receipt(self, handed_in: HandedIn) -> str:
        """回执: a .tlog-proof under the newest cosigned checkpoint; publishes one if needed."""
        return receipt_of(self._office, handed_in.index)

    def _parse(self, tender: TenderId, first: bytes) -> Prefix:
        try:
            return Prefix.parse(first)
        except NotSealed as error:  # 未密封: refused by the tender's own law
            article = self._office.load(tender).procedure.articles.late
            raise NotSealed(article=article) from error

    def _receive(self, tender: TenderId, prefix: Prefix, body: Iterator[bytes]) -> HandedIn:
        # (1) all that can be said before the body: cheap refusals first
        decide_receive(self._office.load(tender), prefix, self._office.clock.read())
        # (2) the body, written while it is hashed; a wrong one leaves nothing behind
        self._office.objects.put(prefix.eid, chain([prefix.pack()], checked_body(prefix, body)))
        # (3) decided again, appended, refused by the writer itself once the deadline has come
        state = self._office.act(
            tender, lambda fresh, now: [decide_receive(fresh, prefix, now)], in_time=True
        )
        return HandedIn(prefix.eid, state.received[prefix.eid].index)

    def _limited(self, body: Iterator[bytes]) -> Iterator[bytes]:
        size = PREFIX
        for chunk in body:
            size += len(chunk)
            check_size(size, self._limit)
            yield chunk

    def _log_refusal(
        self, tender: TenderId, first: bytes, refusal: EnvelopeRefusal | RuleBroken
    ) -> None:
        fact = EnvelopeRefused(
            digest=hashlib.sha256(first).hexdigest(),
            code=refusal.code,
            problem=refusal.text("zh"),
            article=str(refusal.facts.get("article", "")),
        )
        stream = f"refusals:{tender}"
        self._office.ledger.append(stream, ANY, [self._office.draft(stream, fact, None)])


def receipt_of(office: Office, index: int) -> str:
    witnessed = office.publisher.publish()
    size = witnessed.checkpoint.size
    record = next(office.ledger.records(index, index + 1))
    path = office.ledger.inclusion(index, size)
    return write_receipt(index, path, witnessed.note, record.salt + record.raw)
