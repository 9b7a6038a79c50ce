"""招标投标 the rules from draft to closing: publish, receive, withdraw, close. Pure."""

from datetime import datetime, timedelta

import msgspec

from trading.envelope.admit import admit, check_replacement, check_withdrawal
from trading.envelope.layout import Prefix
from trading.envelope.token import TOKEN_MESSAGE, check_token
from trading.facts.bidding import (
    BiddingClosed,
    BracketWide,
    EnvelopeReceived,
    EnvelopeWithdrawn,
    TokenIssued,
)
from trading.facts.cover import CoversPromised
from trading.facts.tender import LotsFailed, TenderCancelled, TenderFailed, TenderPublished
from trading.kernel.calendar import BEIJING, Calendar, check_moment
from trading.kernel.errors import (
    DraftIncomplete,
    EnvelopeRepeated,
    IllegalTransition,
    ParticipantLimit,
    ReplacementInvalid,
    RuleBroken,
    TokenInvalid,
    TooEarly,
    TooFewBidders,
    TooLate,
    WrongTender,
)
from trading.kernel.instant import Reading
from trading.ledger.fact import Fact
from trading.ledger.policy import Witnessed
from trading.tender import Phase, Tender, place_of

__all__ = [
    "check_right",
    "claims",
    "decide_cancel",
    "decide_close",
    "decide_failures",
    "decide_issue",
    "decide_publish",
    "decide_receive",
    "decide_withdraw",
]

_BRACKET_SECONDS = 2


def decide_publish(
    tender: Tender, wanted: TenderPublished, now: Reading, calendar: Calendar
) -> TenderPublished:
    """发布: committees formed, invitations enough, periods of the law kept."""
    draft = tender.drafted
    for moment in (wanted.deadline, wanted.documents_until):
        check_moment(moment, "发布")
    for stage in draft.stages:
        if stage not in tender.seats:
            raise DraftIncomplete(
                problem=f"阶段 {stage} 没有受托委员会 / stage {stage} has no committee"
            )
    if not draft.lots or len({lot.number for lot in draft.lots}) != len(draft.lots):
        raise DraftIncomplete(problem="标段 / lots")
    if tender.procedure.invited:
        rule = tender.procedure.invited.at(now.at)
        if len(set(draft.invited)) < rule.number:
            raise ParticipantLimit(
                count=len(set(draft.invited)), minimum=rule.number, article=rule.article
            )
    if tender.procedure.tender_period:
        rule = tender.procedure.tender_period.at(now.at)
        earliest = calendar.roll(rule.period.after(now.at, calendar, draft.pace), draft.pace)
        _not_before(wanted.deadline, earliest, "截标时间", rule.article)
    if tender.procedure.document_period:
        rule = tender.procedure.document_period.at(now.at)
        earliest = rule.period.after(now.at, calendar, draft.pace)
        _not_before(wanted.documents_until, earliest, "招标文件发售截止", rule.article)
    return wanted


def _not_before(moment: datetime, earliest: datetime, act: str, article: str) -> None:
    if moment < earliest:
        wanted, least = (f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}" for at in (moment, earliest))
        problem = f"{wanted}，不得早于 / not before {least}（UTC+8）"
        raise RuleBroken(act=act, article=article, problem=problem)


def decide_cancel(tender: Tender, ground: str) -> TenderCancelled:
    """终止: until the bids are in, and only with a ground."""
    if not ground.strip():
        raise DraftIncomplete(
            problem=f"{tender.drafted.number}: 取消理由 / ground of the cancellation"
        )
    return TenderCancelled(ground=ground)


def decide_receive(
    tender: Tender, prefix: Prefix, now: Reading, token: bytes = b""
) -> EnvelopeReceived:
    """接收: in time, for this tender, sound, new, and rightly replacing if it replaces."""
    header = prefix.header
    # (1) the tender takes bids, and it is surely not too late
    deadline = tender.deadline
    if deadline and not now.is_surely_before(deadline):
        raise TooLate(act="投标", deadline=deadline, article=tender.procedure.articles.late)
    if tender.phase is not Phase.BIDDING:
        raise IllegalTransition(phase=tender.phase.value, fact=EnvelopeReceived.__name__)
    # (2) lot and stage exist
    lots = [lot.number for lot in tender.drafted.lots]
    if header.lot not in lots or header.stage not in tender.drafted.stages:
        raise WrongTender(
            problem=f"标段 {header.lot}，阶段 {header.stage}"
            f" / lot {header.lot}, stage {header.stage}"
        )
    if tender.drafted.cokey != header.has_cokey:
        raise WrongTender(problem="co-key: 有 / yes" if header.has_cokey else "co-key: 无 / no")
    # (3) the envelope itself
    admit(prefix, tender.address(header.lot, header.stage))
    # (4) never seen before: (kid, enc) is unique
    if prefix.eid in tender.received or prefix.enc in tender.encapsulated:
        raise EnvelopeRepeated
    check_right(tender, token)
    # (5) it is the first of its pseudonym, or follows the one it replaces
    current = tender.current.get((header.vk, header.lot, header.stage))
    check_replacement(prefix, tender.received[current].prefix if current else None)
    return EnvelopeReceived(prefix=prefix.pack().hex(), token=token.hex())


def check_right(tender: Tender, token: bytes) -> None:
    """Signed blindly when the documents were taken, and good for one envelope."""
    key = bytes.fromhex(tender.drafted.token_key)
    if not key:
        if token:
            raise TokenInvalid(problem="本项目不用令牌 / this tender knows no tokens")
        return
    check_token(key, token)
    if token[:TOKEN_MESSAGE] in tender.spent:
        raise TokenInvalid(problem="已使用过 / it has been used")


def claims(tender: Tender, fact: Fact, actor: str = "") -> tuple[str, ...]:
    """What an act that commutes must be the only one to take: its encapsulated key, and the place
    after what its decision saw as the latest envelope of its pseudonym.
    """
    if isinstance(fact, EnvelopeReceived):
        prefix = Prefix.parse(bytes.fromhex(fact.prefix))
        token = (f"token:{fact.token[: 2 * TOKEN_MESSAGE]}",) if fact.token else ()
        return (f"enc:{tender.id}:{prefix.enc.hex()}", _after(tender, place_of(prefix)), *token)
    if isinstance(fact, CoversPromised):
        return (f"covers:{tender.id}:{actor}",)
    if isinstance(fact, EnvelopeWithdrawn):
        return (_after(tender, tender.received[fact.eid].place),)
    return ()


def _after(tender: Tender, place: tuple[bytes, int, int]) -> str:
    key, lot, stage = place
    latest = tender.latest.get(place, "")
    end = "withdrawn" if latest in tender.withdrawn else "received"
    return f"after:{tender.id}:{key.hex()}:{lot}:{stage}:{latest}:{end}"


def decide_issue(tender: Tender, wanted: TokenIssued, now: Reading) -> TokenIssued:
    """领取招标文件: while the tender takes bids, if it asks for tokens at all."""
    deadline = tender.deadline
    if tender.phase is not Phase.BIDDING or not deadline or not now.is_surely_before(deadline):
        article = tender.procedure.articles.late
        raise TooLate(act="领取招标文件", deadline=deadline, article=article)
    if not tender.drafted.token_key:
        raise TokenInvalid(problem="本项目不用令牌 / this tender knows no tokens")
    return wanted


def decide_withdraw(tender: Tender, eid: str, signature: bytes, now: Reading) -> EnvelopeWithdrawn:
    """撤回: the current envelope, signed by its pseudonym, before the deadline (法 29)."""
    if tender.deadline and not now.is_surely_before(tender.deadline):
        raise TooLate(
            act="撤回", deadline=tender.deadline, article=tender.procedure.articles.withdrawal
        )
    bid = tender.received.get(eid)
    if bid is None or tender.current.get(bid.place) != eid:
        raise ReplacementInvalid(problem="没有可撤回的信封 / no such envelope to withdraw")
    check_withdrawal(bid.prefix, signature)
    return EnvelopeWithdrawn(eid=eid, signature=signature.hex())


def decide_close(
    tender: Tender, before: Witnessed, closing: Witnessed, now: Reading
) -> BiddingClosed:
    """截标: by the witnesses' dates, not by our clock. All that counts lies within `closing`."""
    deadline = tender.deadline
    if deadline is None or not now.is_surely_after(deadline):
        raise TooEarly(act="截标", moment=deadline, article=tender.procedure.articles.opening)
    check_bracket(tender, deadline, before, closing)
    final = sorted(tender.current.values(), key=lambda eid: tender.received[eid].index)
    return BiddingClosed(before=before.note, closing=closing.note, envelopes=tuple(final))


def check_bracket(
    tender: Tender, deadline: datetime, before: Witnessed, closing: Witnessed
) -> None:
    """The witnesses date `before` ahead of the deadline and `closing` at it or after it.

    A head that was read just before the deadline may be dated just after it, and lack what came
    in between: `closing` must hold every envelope that the writer took, or it is not the one.
    """
    if not before.median < deadline <= closing.median:
        raise TooEarly(act="截标", moment=deadline, article=tender.procedure.articles.opening)
    if before.checkpoint.size > closing.checkpoint.size:
        raise RuleBroken(
            act="截标",
            article=tender.procedure.articles.opening,
            problem="检查点颠倒 / checkpoints are swapped",
        )
    if closing.checkpoint.size < tender.bidding_size:
        raise TooLate(act="投标", deadline=deadline, article=tender.procedure.articles.late)


def bracket_incident(before: Witnessed, closing: Witnessed) -> BracketWide | None:
    """A gap of more than two seconds around the deadline is an incident that must be logged."""
    gap = closing.median - before.median
    if gap <= timedelta(seconds=_BRACKET_SECONDS):
        return None
    return BracketWide(seconds=int(gap.total_seconds()), limit=_BRACKET_SECONDS)


class Failures(msgspec.Struct, frozen=True):
    """What the law says after closing: nothing, some lots, or the whole tender."""

    lots: LotsFailed | None = None
    tender: TenderFailed | None = None


def decide_failures(tender: Tender) -> Failures:
    """流标: a lot with too few bidders is not opened."""
    rule = tender.procedure.minimum_bidders.at(tender.published_at or _epoch())
    few = tuple(lot for lot in tender.live_lots if tender.bidders(lot) < rule.number)
    if not few:
        return Failures()
    refusal = TooFewBidders(
        lot="、".join(map(str, few)),
        count=min(tender.bidders(lot) for lot in few),
        minimum=rule.number,
        article=rule.article,
    )
    if len(few) == len(tender.live_lots):
        return Failures(tender=TenderFailed(ground=refusal.text("zh"), article=rule.article))
    return Failures(lots=LotsFailed(lots=few, ground=refusal.text("zh"), article=rule.article))


def decide_all_rejected(tender: Tender) -> TenderFailed | None:
    """全部否决: the panel's report leaves no lot with a bid that may win."""
    if tender.live_lots:
        return None
    return TenderFailed(
        ground="全部投标被否决", article=str(tender.procedure.articles.all_rejected)
    )


def _epoch() -> datetime:
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00")
