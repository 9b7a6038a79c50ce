"""投标人窗口 bidder's desk: take envelopes in, give receipts, withdraw."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec

from trading.bidding import check_right, decide_issue, decide_receive, decide_withdraw
from trading.desks.office import Act, Acting, Office, finish
from trading.envelope.admit import checked_body
from trading.envelope.layout import PREFIX, Prefix, check_size, split_prefix
from trading.envelope.token import TokenIssuer
from trading.facts.bidding import (
    EnvelopeReceived,
    EnvelopeRefused,
    EnvelopeWithdrawn,
    TokenIssued,
)
from trading.facts.committee import CommitteeFormed
from trading.kernel.canonical import sha256
from trading.kernel.errors import (
    EnvelopeRefusal,
    IllegalTransition,
    NotSealed,
    RuleBroken,
    StreamUnknown,
    TokenInvalid,
    TooLate,
)
from trading.kernel.ids import TenderId
from trading.ledger.entry import Stamp
from trading.ledger.policy import Witnessed
from trading.ledger.port import ANY
from trading.ledger.receipt import write_receipt
from trading.tender import Phase, Tender, stream_of

__all__ = ["BidderDesk", "HandedIn", "receipt_from"]


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
            self.log_refusal(tender, first, refusal)
            raise

    def check_right(self, tender: TenderId, token: bytes) -> None:
        """Whether somebody with this token may send bytes now: the same as sealing will ask."""
        self._office.live.decided(tender, lambda state: self._check_upload(state, token))

    def _check_upload(self, state: Tender, token: bytes) -> None:
        deadline = state.deadline
        if state.phase is not Phase.BIDDING or not deadline:
            raise IllegalTransition(phase=state.phase.value, fact=EnvelopeReceived.__name__)
        if not self._office.clock.read().is_surely_before(deadline):
            raise TooLate(act="上传", deadline=deadline, article=state.procedure.articles.late)
        check_right(state, token)

    def check(self, tender: TenderId, prefix: Prefix, token: bytes = b"") -> None:
        """What `sealing` would refuse now; for a bidder who wants to know before the deadline."""
        clock = self._office.clock
        self._office.live.decided(
            tender, lambda state: decide_receive(state, prefix, clock.read(), token)
        )

    def sealing(self, tender: TenderId, prefix: Prefix, token: bytes, key: str) -> Acting:
        """封存 the act that counts, once the envelope's bytes are stored: in time or not at all."""
        return self._office.acting(tender, _sealing(prefix, token, key))

    def sealed(
        self, tender: TenderId, prefix: Prefix, token: bytes, key: str
    ) -> tuple[Stamp, ...] | None:
        """The stamp, if an earlier try of the very same act has been written after all."""
        act = _sealing(prefix, token, key)
        return self._office.repeated(stream_of(tender), act.actor, act.key, act.wanted)

    def withdraw(self, tender: TenderId, eid: str, signature: bytes, key: str = "") -> Tender:
        act = Act(
            lambda state, now: [decide_withdraw(state, eid, signature, now)],
            in_time=True,
            key=key,
            wanted=EnvelopeWithdrawn(eid=eid, signature=signature.hex()),
        )
        finish(self._office.acting(tender, act))
        return self._office.load(tender)

    def check_issue(self, tender: TenderId, party: str, blinded: bytes) -> None:
        """Whether the tender signs tokens now, or has signed this one before."""
        office, fact = self._office, TokenIssued(digest="")
        try:
            office.live.decided(
                tender, lambda state: decide_issue(state, fact, office.clock.read())
            )
        except RuleBroken:
            if office.ledger.find(_question(party, blinded)) is None:
                raise

    def issue_token(
        self, tender: TenderId, issuer: TokenIssuer, party: str, blinded: bytes
    ) -> bytes:
        """领取招标文件 the right to hand in one envelope, signed blindly: the same question is
        answered the same, and nothing that is kept says who asked.
        """
        signature = issuer.sign(blinded)
        key, fact = _question(party, blinded), TokenIssued(digest=sha256(blinded).hex())
        act = Act(
            lambda state, now: [decide_issue(state, fact, now)], in_time=True, key=key, wanted=fact
        )
        finish(self._office.acting(tender, act))
        return signature

    def invitation(self, tender: TenderId, stage: int) -> str:
        """What bidders seal by: the proof that the stage's ceremony stands in the ledger."""
        facts = self._office.ledger.stream(stream_of(tender))
        for fact, stamp in reversed(facts):
            if isinstance(fact, CommitteeFormed) and fact.stage == stage:
                known = receipt_from(self._office, stamp.index)
                return known or receipt_of(self._office, stamp.index)
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

    def log_refusal(
        self, tender: TenderId, first: bytes, refusal: EnvelopeRefusal | RuleBroken
    ) -> None:
        fact = EnvelopeRefused(
            digest=hashlib.sha256(first).hexdigest(),
            code=refusal.code,
            problem=refusal.text("zh"),
            article=str(refusal.facts.get("article", "")),
        )
        if isinstance(refusal, TokenInvalid):
            return  # anybody can make those up
        stream = f"refusals:{tender}"
        name = sha256(f"{stream}:{fact.digest}:{fact.code}:{fact.problem}".encode()).hex()
        draft = self._office.draft(stream, fact, None, key=name)
        self._office.ledger.append(stream, ANY, [draft])  # once, however often it is sent


def _sealing(prefix: Prefix, token: bytes, key: str) -> Act:
    return Act(
        lambda state, now: [decide_receive(state, prefix, now, token)],
        in_time=True,
        key=key,
        wanted=EnvelopeReceived(prefix=prefix.pack().hex(), token=token.hex()),
        patient=True,
    )


def _question(party: str, blinded: bytes) -> str:
    """The key of one question for a token."""
    return sha256(b"kaifeng token", party.encode(), blinded).hex()


def receipt_from(office: Office, index: int) -> str | None:
    """The receipt under the first cosigned checkpoint that covers the entry, if there is one."""
    for witnessed in office.publisher.history():
        if witnessed.checkpoint.size > index:
            return _receipt(office, index, witnessed)
    return None


def receipt_of(office: Office, index: int) -> str:
    return _receipt(office, index, office.publisher.publish())


def _receipt(office: Office, index: int, witnessed: Witnessed) -> str:
    size = witnessed.checkpoint.size
    record = next(office.ledger.records(index, index + 1))
    path = office.ledger.inclusion(index, size)
    return write_receipt(index, path, witnessed.note, record.salt + record.raw)
