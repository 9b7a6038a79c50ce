"""受托人 the trustee's own program: another institution, its own key, its own copy of the ledger.

It keeps one secret, d_i. Shares are rebuilt from the ceremonies in the ledger when they are
needed; nothing leaves before the trustee has checked the ledger itself, by its own clock.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from trading.bidding import check_bracket
from trading.committee import Charter, ceremony_of, deal_of, handover_of, session_of
from trading.cover import pending_covers
from trading.desks.contribution import AskCommitment, AskSecret, Contributed, contribute
from trading.envelope.admit import admit
from trading.envelope.layout import Stage
from trading.facts.committee import CommitteeFormed, CommitteeReshared
from trading.facts.rubric import ReviewStage
from trading.kernel.calendar import Calendar
from trading.kernel.errors import CommitteeRefusal, Refusal, ShareUnknown, TrusteeRefuses
from trading.kernel.files import durable_write, write_secret
from trading.kernel.instant import Clock
from trading.kernel.settings import read_secret
from trading.keys import dkg, schnorr
from trading.keys.dkg import Ceremony, Deal
from trading.keys.group import base, decode_scalar, encode_scalar, random_scalar
from trading.keys.opening import Share, make_share
from trading.keys.reshare import Handover, hand_over, receive_handover, reshared
from trading.ledger.chain import Chain, Link
from trading.ledger.mirror import Mirror, Sync
from trading.ledger.policy import Policy
from trading.opening import pending_cokeys, share_message
from trading.reader import TenderReader
from trading.redecide import Redecider
from trading.roll import Roll
from trading.tender import Phase, Tender

__all__ = [
    "AskCertificate",
    "AskDeal",
    "AskHandover",
    "AskShare",
    "Refused",
    "Signature",
    "Trustee",
    "TrusteeAnswer",
    "TrusteeRequest",
]


_WITH_PRICES = {ReviewStage.PRICE, ReviewStage.OTHER}


class AskDeal(msgspec.Struct, frozen=True, tag="ask-deal"):
    """Round 1."""

    ceremony: Ceremony


class AskCertificate(msgspec.Struct, frozen=True, tag="ask-certificate"):
    """Rounds 2 and 3: check every deal, then sign the transcript. `sync` shows the root."""

    ceremony: Ceremony
    deals: tuple[Deal, ...]
    sync: Sync


class AskShare(msgspec.Struct, frozen=True, tag="ask-share"):
    """The one step that opens: D_i for the final envelopes of a tender's stage."""

    tender: str
    stage: int
    sync: Sync


class AskHandover(msgspec.Struct, frozen=True, tag="ask-handover"):
    """Deal the share of a committee that has not opened yet to new members."""

    tender: str
    stage: int
    ceremony: Ceremony
    sync: Sync


class Signature(msgspec.Struct, frozen=True, tag="signature"):
    signature: bytes


class Dealt(msgspec.Struct, frozen=True, tag="dealt"):
    deal: Deal


class Shared(msgspec.Struct, frozen=True, tag="shared"):
    """A share with the trustee's signature over it."""

    share: Share
    signature: bytes


class HandedOver(msgspec.Struct, frozen=True, tag="handed-over"):
    handover: Handover


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A refusal on the wire: its code and both texts."""

    code: str
    zh: str
    en: str


TrusteeRequest = AskDeal | AskCertificate | AskShare | AskHandover | AskCommitment | AskSecret
TrusteeAnswer = Dealt | Signature | Shared | HandedOver | Contributed | Refused


class Trustee:
    """State below `folder`: key, policy, mirror, digests of own deals, events already opened."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self._secret = decode_scalar(read_secret(folder / "trustee.key"))
        self.public = base(self._secret)
        self._policy = Policy.parse((folder / "policy.txt").read_text("utf-8"))
        charter = folder / "charter.txt"
        self._charter = Charter.parse(charter.read_text("utf-8")) if charter.exists() else None
        self._reader = TenderReader(self._redecider(Chain()))
        self._mirror = Mirror(folder / "mirror", self._policy, self._follower)

    @classmethod
    def create(cls, folder: Path, policy: str, clock: Clock) -> "Trustee":
        Policy.parse(policy)
        if not (folder / "trustee.key").exists():
            write_secret(folder / "trustee.key", encode_scalar(random_scalar()))
        durable_write(folder / "policy.txt", [policy.encode()])
        return cls(folder, clock)

    def appoint(self, charter: str) -> None:
        """Adopt the charter: with whom, and with how many at least, this trustee will act."""
        Charter.parse(charter)
        durable_write(self._folder / "charter.txt", [charter.encode()])

    def answer(self, request: TrusteeRequest) -> TrusteeAnswer:
        """Never raises a refusal: it answers one."""
        try:
            return self._answered(request)
        except TrusteeRefuses as refusal:
            problem = str(refusal.facts["problem"])
            return Refused(refusal.code, problem, problem)
        except Refusal as refusal:
            return Refused(refusal.code, refusal.text("zh"), refusal.text("en"))

    def _answered(self, request: TrusteeRequest) -> TrusteeAnswer:
        answers: dict[type, Callable[[Any], TrusteeAnswer]] = {
            AskDeal: self._deal,
            AskCertificate: self._certify,
            AskShare: self._share,
            AskHandover: self._hand_over,
            AskCommitment: self._contribute,
            AskSecret: self._contribute,
        }
        return answers[type(request)](request)

    # -- the ceremony -------------------------------------------------------------------------

    def _deal(self, request: AskDeal) -> Dealt:
        ceremony = request.ceremony
        own = self._own(ceremony)
        dealt = dkg.deal(own, self._secret, ceremony, dkg.Secrets.draw(ceremony.threshold))
        self._remember("dealt", ceremony.context, _digest(dealt))
        return Dealt(dealt)

    def _certify(self, request: AskCertificate) -> Signature:
        ceremony, deals = request.ceremony, list(request.deals)
        own = self._own(ceremony)
        # (1) the ceremony is bound to a state of the ledger that this trustee has checked
        root = self._synced(request.sync)
        # (2) one deal of each member, and its own arrived unchanged
        if len(deals) != len(ceremony.members):
            raise TrusteeRefuses(problem="每位成员须恰有一份分发 / one deal of each member")
        if self._recalled("dealt", ceremony.context) != _digest(deals[own - 1]):
            raise TrusteeRefuses(
                problem="我的分发被改动或不属于本仪式"
                " / my deal was changed or is not of this ceremony"
            )
        # (3) every deal is sound, the share dealt to me included
        dkg.receive(own, self._secret, ceremony, deals)
        text = dkg.transcript(ceremony, deals, dkg.extension(root, deals))
        # (4) a ceremony has one transcript, so that a key has one name
        name = hashlib.sha256(text).hexdigest()
        if (self._recalled("certified", ceremony.context) or name) != name:
            raise TrusteeRefuses(
                problem="我已签过本仪式的另一份记录"
                " / I have signed another transcript of this ceremony"
            )
        self._remember("certified", ceremony.context, name)
        return Signature(schnorr.sign(self._secret, text))

    # -- the opening --------------------------------------------------------------------------

    def _share(self, request: AskShare) -> Shared:
        # (1) the ledger grew consistently and a quorum of witnesses has seen it
        self._synced(request.sync)
        tender = self._tender(request.tender)
        stage = request.stage
        # (2) the bidding is closed, by the witnesses' dates and by my own clock
        self._check_closed(tender, stage)
        # (3) exactly the envelopes that count, each admitted anew
        lifted = self._final(tender, stage)
        # (4) one key opens one event, once
        seat = tender.seats[stage]
        bind = tender.opening_bind(stage)
        spent = self._recalled("spent", seat.committee.key) or bind.hex()
        if spent != bind.hex():
            raise TrusteeRefuses(
                problem="此密钥已为另一批信封出过份额"
                " / this key has opened another set of envelopes"
            )
        # (5) a person has said yes, where this trustee asks one
        self._check_approved(request.tender, stage)
        own, share = self._holding(tender, stage)
        self._remember("spent", seat.committee.key, bind.hex())
        made = make_share(own, share, lifted, bind)
        return Shared(made, schnorr.sign(self._secret, share_message(bind, made)))

    def approve(self, tender: str, stage: int) -> None:
        """The person's yes for one opening, given on this trustee's own machine."""
        durable_write(self._folder / "approved" / f"{tender}-{stage}", [b"yes\n"])

    def ask_a_person(self) -> None:
        """From now on nothing is opened without `approve`."""
        durable_write(self._folder / "ask-a-person", [b"yes\n"])

    @property
    def size(self) -> int:
        """How much of the ledger this trustee holds."""
        return self._mirror.size

    def _check_approved(self, tender: str, stage: int) -> None:
        asks = (self._folder / "ask-a-person").exists()
        if asks and not (self._folder / "approved" / f"{tender}-{stage}").exists():
            command = f"kaifeng trustee approve DIR {tender} {stage}"
            raise TrusteeRefuses(problem=f"等待本机构人员确认 / a person must say yes: {command}")

    def _check_closed(self, tender: Tender, stage: int) -> None:
        deadline, closed = tender.deadline, tender.closed
        if closed is None or deadline is None:
            raise TrusteeRefuses(problem="尚未截标 / the bidding is not closed")
        if stage not in tender.seats:
            raise TrusteeRefuses(problem=f"阶段 {stage} 不符 / stage {stage}")
        if not self._clock.read().is_surely_after(deadline):
            raise TrusteeRefuses(problem="我的时钟未到截标时间 / not yet, by my own clock")
        before, closing = self._policy.check(closed.before), self._policy.check(closed.closing)
        check_bracket(tender, deadline, before, closing)
        if not self._mirror.holds(before) or not self._mirror.holds(closing):
            raise TrusteeRefuses(
                problem="截止检查点不属于本账本 / the closing checkpoints are not of this ledger"
            )
        self._check_reviewed(tender, stage)
        expected = sorted(tender.current.values(), key=lambda eid: tender.received[eid].index)
        if list(closed.envelopes) != expected:
            raise TrusteeRefuses(
                problem="最终信封与账本不符 / the final envelopes are not those of the ledger"
            )
        wanted = Phase.SEALED if stage == tender.drafted.stages[0] else Phase.TECHNICAL
        if tender.phase is not wanted or pending_cokeys(tender, stage) or pending_covers(tender):
            raise TrusteeRefuses(problem="技术标或投标人密钥尚未处理完 / earlier steps are open")

    def _check_reviewed(self, tender: Tender, stage: int) -> None:
        """Where a panel scores technical bids, prices stay sealed until it has done so."""
        is_second = stage == Stage.PRICE and len(tender.drafted.stages) > 1
        wanted = {item.stage for item in tender.drafted.rubric} - _WITH_PRICES
        missing = [one for one in wanted if (tender.id, one) not in self._reader.reviewed]
        if is_second and missing:
            raise TrusteeRefuses(problem="技术评审尚未结束 / the technical review is not over")

    def _final(self, tender: Tender, stage: int) -> list[bytes]:
        return [
            admit(bid.prefix, tender.address(bid.prefix.header.lot, stage))
            for bid in tender.final(stage)
        ]

    def _hand_over(self, request: AskHandover) -> HandedOver:
        self._synced(request.sync)
        tender, stage, to = self._tender(request.tender), request.stage, request.ceremony
        if tender.phase is not Phase.BIDDING or stage not in tender.seats:
            raise TrusteeRefuses(problem="移交只在截标前进行 / handing over ends with the bidding")
        # to members of the charter alone, as many as before, for this very opening
        self._chartered(to)
        if to.threshold < tender.seats[stage].committee.threshold:
            raise TrusteeRefuses(problem="门限不得降低 / the threshold may not fall")
        if not to.session.startswith(session_of(tender.id, stage, "")):
            raise TrusteeRefuses(
                problem="密钥仪式属于另一次开标 / the ceremony is for another opening"
            )
        own, share = self._holding(tender, stage)
        return HandedOver(hand_over(own, self._secret, self.public, share, to))

    def _contribute(self, request: AskCommitment | AskSecret) -> Contributed:
        self._synced(request.sync)
        draw = self._reader.draws.get(request.draw)
        if draw is None:
            raise TrusteeRefuses(problem=f"没有抽取 {request.draw} / no such draw in my copy")
        return contribute(draw, self._secret, is_secret=isinstance(request, AskSecret))

    # -- what the ledger says -----------------------------------------------------------------

    def _redecider(self, chain: Chain) -> Redecider:
        """Every fact is decided again here, by the trustee's own policy and charter."""
        charter = self._charter or Charter(1, {})
        return Redecider(Calendar.of_china(), None, self._policy, chain.tree.root, charter)

    def _follower(self, chain: Chain) -> Callable[[Link], None]:
        roll, self._reader = Roll(), TenderReader(self._redecider(chain))

        def follow(link: Link) -> None:
            roll.check(link)
            self._reader.read(link.fact, link.stamp)

        return follow

    def _synced(self, sync: Sync) -> bytes:
        """The root of the checkpoint, once the mirror has followed it and agrees with each fact."""
        return self._mirror.advance(sync).checkpoint.root

    def _tender(self, tender: str) -> Tender:
        state = self._reader.tenders.get(tender)
        if state is None:
            raise TrusteeRefuses(
                problem=f"我的账本副本中没有项目 {tender}"
                f" / no tender {tender} in my copy of the ledger"
            )
        return state

    def _holding(self, tender: Tender, stage: int) -> tuple[int, int]:
        """Index and x_i, rebuilt from the ceremony (and handovers) in the ledger."""
        held: tuple[int, int] | None = None
        committee: dkg.Committee | None = None
        for fact in (item for item in tender.ceremonies if item.stage == stage):
            ceremony = ceremony_of(fact)
            if isinstance(fact, CommitteeFormed):
                deals = [deal_of(record) for record in fact.deals]
                committee = dkg.committee(ceremony, deals)
                held = self._received(ceremony, deals)
            elif committee:
                held = self._rehanded(fact, committee)
                handovers = [handover_of(record) for record in fact.handovers]
                committee = reshared(ceremony, committee, handovers)
        if held is None:
            raise ShareUnknown(kid=tender.seats[stage].kid.hex()[:16])
        return held

    def _received(self, ceremony: Ceremony, deals: list[Deal]) -> tuple[int, int] | None:
        if self.public not in ceremony.members:
            return None
        return dkg.recover(self._secret, ceremony, deals)

    def _rehanded(self, fact: CommitteeReshared, old: dkg.Committee) -> tuple[int, int] | None:
        to = ceremony_of(fact)
        if self.public not in to.members:
            return None
        own = to.members.index(self.public) + 1
        handovers = [handover_of(record) for record in fact.handovers]
        return own, receive_handover(own, self._secret, to, old, handovers)

    def _own(self, ceremony: Ceremony) -> int:
        self._chartered(ceremony)
        if self.public not in ceremony.members:
            raise CommitteeRefusal(problem="我不是本仪式成员 / I am not a member of this ceremony")
        return ceremony.members.index(self.public) + 1

    def _chartered(self, ceremony: Ceremony) -> None:
        if self._charter is None:
            raise TrusteeRefuses(problem="尚未采用受托章程 / no charter adopted (trustee appoint)")
        self._charter.check(ceremony)

    # -- small memory -------------------------------------------------------------------------

    def _remember(self, kind: str, name: bytes, value: str) -> None:
        durable_write(self._folder / kind / name.hex()[:64], [value.encode()])

    def _recalled(self, kind: str, name: bytes) -> str:
        path = self._folder / kind / name.hex()[:64]
        return path.read_text("utf-8") if path.exists() else ""


def _digest(dealt: Deal) -> str:
    whole = hashlib.sha256(msgspec.json.encode(dealt))
    return whole.hexdigest()
