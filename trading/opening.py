"""开标 the rules of the opening: co-keys first and blind, then the committee, then every envelope.

Pure: bodies are handed in as chunks, shares as values. One bad envelope never stops the others.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from trading.bidding import bracket_incident, decide_failures
from trading.cover import pending_covers
from trading.envelope.content import Opened
from trading.envelope.layout import Stage
from trading.envelope.unseal import check_cokey, open_envelope, unwrap
from trading.facts.opening import (
    CokeyMissing,
    CokeyRevealed,
    EnvelopeOpened,
    EnvelopeUnopened,
    FileRecord,
    OpeningRecorded,
    ShareBlamed,
    ShareGiven,
    TechnicalOpened,
)
from trading.kernel.errors import (
    CannotOpen,
    CommitteeRefusal,
    EnvelopeRefusal,
    IllegalTransition,
    Refusal,
    ShareInvalid,
    TooEarly,
    TooFewShares,
)
from trading.kernel.instant import Reading
from trading.keys import schnorr
from trading.keys.group import lift
from trading.keys.opening import Share, check_share, combine_points
from trading.ledger.fact import Fact
from trading.ledger.policy import Witnessed
from trading.tender import Phase, Received, Tender

__all__ = [
    "Combined",
    "combined_point",
    "decide_missing",
    "decide_record",
    "decide_reveal",
    "decide_settle",
    "decide_share",
    "open_one",
    "pending_cokeys",
    "share_message",
]


class Combined(msgspec.Struct, frozen=True):
    """D of one envelope and the trustees it came from."""

    point: bytes
    trustees: tuple[int, ...]


def pending_cokeys(tender: Tender, stage: int) -> list[str]:
    """Envelopes whose bidder has neither revealed its key nor been recorded as missing."""
    return [
        bid.eid
        for bid in tender.final(stage)
        if bid.prefix.header.has_cokey
        and bid.eid not in tender.cokeys
        and bid.eid not in tender.missing
    ]


def decide_reveal(tender: Tender, eid: str, cokey: bytes) -> CokeyRevealed:
    """解密: checked against the commitment in the ledger; it comes before any trustee acts."""
    bid = _sealed(tender, eid)
    _before_shares(tender, bid.prefix.header.stage)
    check_cokey(bid.prefix, cokey)
    return CokeyRevealed(eid=eid, cokey=cokey.hex())


def decide_missing(tender: Tender, eid: str, now: Reading) -> CokeyMissing:
    """The window ended: the bid counts as revoked, the opening goes on."""
    bid = _sealed(tender, eid)
    draft = tender.drafted
    end = (tender.deadline or now.at) + draft.cokey_minutes * draft.pace.day / 1440
    if not now.is_surely_after(end):
        raise TooEarly(
            act="结束解密", moment=end, article=str(tender.procedure.articles.undecrypted)
        )
    _before_shares(tender, bid.prefix.header.stage)
    if eid in tender.cokeys or not bid.prefix.header.has_cokey:
        raise CommitteeRefusal(problem="并不缺少投标人密钥 / the co-key is not missing")
    return CokeyMissing(eid=eid, article=str(tender.procedure.articles.undecrypted))


def share_message(bind: bytes, share: Share) -> bytes:
    """What a trustee signs with its long-term key: nobody else can have it blamed."""
    index = share.index.to_bytes(4, "big")
    return b"".join([b"kaifeng share v1", bind, index, *share.points, share.proof])


def decide_settle(tender: Tender, witnessed: Callable[[str], Witnessed]) -> list[Fact]:
    """What the law wants said once the bidding is closed, and nobody has said yet: that the two
    checkpoints lie far apart, and which lots fail (known once no cover is pending).
    """
    closed = tender.closed
    if closed is None or tender.phase is not Phase.SEALED:
        return []
    due: list[Fact | None] = []
    if not tender.incident:
        due.append(bracket_incident(witnessed(closed.before), witnessed(closed.closing)))
    if not pending_covers(tender):
        failures = decide_failures(tender)
        due += [failures.lots, failures.tender]
    return [fact for fact in due if fact]


def decide_share(
    tender: Tender, stage: int, share: Share, signature: bytes
) -> ShareGiven | ShareBlamed:
    """A trustee's share, checked against its verification share; a wrong one is kept as blame."""
    if tender.phase not in (Phase.SEALED, Phase.TECHNICAL):
        raise IllegalTransition(phase=tender.phase.value, fact=ShareGiven.__name__)
    if pending_cokeys(tender, stage):
        raise CommitteeRefusal(problem="投标人密钥提交时间未到期 / the co-key window is still open")
    if pending_covers(tender):
        raise CommitteeRefusal(problem="掩护信封尚未公布 / the covers are not revealed yet")
    members = tender.seats[stage].members
    if not 1 <= share.index <= len(members):
        raise CommitteeRefusal(problem=f"没有 {share.index} 号受托人 / no trustee {share.index}")
    message = share_message(tender.opening_bind(stage), share)
    if not schnorr.verify(bytes.fromhex(members[share.index - 1]), message, signature):
        raise CommitteeRefusal(problem="份额不是该受托人签署的 / not signed by that trustee")
    fields = {
        "stage": stage,
        "trustee": share.index,
        "points": tuple(point.hex() for point in share.points),
        "proof": share.proof.hex(),
        "signature": signature.hex(),
    }
    try:
        check_recorded(tender, stage, share)
    except ShareInvalid:
        return ShareBlamed(**fields)  # type: ignore[arg-type]
    return ShareGiven(**fields)  # type: ignore[arg-type]


def check_recorded(tender: Tender, stage: int, share: Share) -> None:
    seat = tender.seats[stage]
    lifted = [lift(bid.prefix.enc) for bid in tender.final(stage)]
    check_share(share, seat.committee, lifted, tender.opening_bind(stage))


def combined_point(tender: Tender, stage: int, position: int) -> Combined:
    """From the first t shares in the ledger; TooFewShares (KF-404) before there are t."""
    committee = tender.seats[stage].committee
    given = [fact for (at, _), fact in sorted(tender.shares.items()) if at == stage]
    if len(given) < committee.threshold:
        raise TooFewShares(count=len(given), threshold=committee.threshold)
    chosen = given[: committee.threshold]
    points = {fact.trustee: bytes.fromhex(fact.points[position]) for fact in chosen}
    return Combined(combine_points(points), tuple(points))


def share_of(fact: ShareGiven | ShareBlamed) -> Share:
    points = tuple(bytes.fromhex(point) for point in fact.points)
    return Share(fact.trustee, points, bytes.fromhex(fact.proof))


def open_one(
    tender: Tender,
    bid: Received,
    combined: Combined,
    body: Iterable[bytes],
    extract: Path | None = None,
) -> EnvelopeOpened | EnvelopeUnopened:
    """One envelope: opened, or invalid for a reason that everyone can check. Final either way."""
    header = bid.prefix.header
    try:
        dek = unwrap(bid.prefix, combined.point, tender.address(header.lot, header.stage))
        content = open_envelope(bid.prefix, dek, _cokey(tender, bid), body, extract)
    except (CannotOpen, EnvelopeRefusal) as refusal:
        return _unopened(tender, bid, combined, refusal)
    return _opened(tender, bid, combined, content)


def _cokey(tender: Tender, bid: Received) -> bytes:
    if bid.prefix.header.has_cokey and bid.eid not in tender.cokeys:
        raise CannotOpen(problem="缺少投标人密钥 / the bidder's co-key is missing")
    return bytes.fromhex(tender.cokeys.get(bid.eid, ""))


def _opened(tender: Tender, bid: Received, combined: Combined, content: Opened) -> EnvelopeOpened:
    manifest, header = content.manifest, bid.prefix.header
    price = manifest.price
    return EnvelopeOpened(
        eid=bid.eid,
        lot=header.lot,
        stage=header.stage,
        point=combined.point.hex(),
        trustees=combined.trustees,
        bidder_id=manifest.bidder.id,
        bidder_name=manifest.bidder.name,
        price=price.fen if price else None,
        currency=price.currency if price else "",
        files=tuple(FileRecord(f.name, f.size, f.sha256) for f in manifest.files),
        certificate=_certificate(tender, content),
    )


def _certificate(tender: Tender, content: Opened) -> str:
    """Its fingerprint, if it is the named bidder's own and of an accepted authority."""
    certified, number = content.certified, content.manifest.bidder.id
    if certified and certified.speaks_for(number, tender.drafted.authorities):
        return certified.fingerprint
    return ""


def _unopened(
    tender: Tender, bid: Received, combined: Combined, refusal: Refusal
) -> EnvelopeUnopened:
    header = bid.prefix.header
    return EnvelopeUnopened(
        eid=bid.eid,
        lot=header.lot,
        stage=header.stage,
        point=combined.point.hex(),
        trustees=combined.trustees,
        code=refusal.code,
        problem=refusal.text("zh"),
        article=str(tender.procedure.articles.unresponsive),
    )


def decide_record(tender: Tender, stage: int) -> TechnicalOpened | OpeningRecorded:
    """开标记录, once every envelope of the stage is opened or invalid."""
    bids = [bid.eid for bid in tender.final(stage)]
    if any(eid not in tender.opened and eid not in tender.unopened for eid in bids):
        raise CommitteeRefusal(problem="尚有信封未处理 / an envelope has not been dealt with")
    count = sum(eid in tender.opened for eid in bids)
    two_stages = tender.drafted.stages[0] != Stage.PRICE
    if stage == Stage.TECHNICAL:
        return TechnicalOpened(opened=count)
    if two_stages and tender.phase is not Phase.TECHNICAL:
        raise IllegalTransition(phase=tender.phase.value, fact=OpeningRecorded.__name__)
    return OpeningRecorded(opened=count)


def _sealed(tender: Tender, eid: str) -> Received:
    closed = tender.closed
    if closed is None or eid not in closed.envelopes:
        raise CommitteeRefusal(problem="没有这份最终信封 / no such final envelope")
    return tender.received[eid]


def _before_shares(tender: Tender, stage: int) -> None:
    """Blind first: a bidder who has seen prices could choose not to open its own."""
    if any(at == stage for at, _ in tender.shares):
        raise CommitteeRefusal(problem="委员会已经履职 / the committee has already acted")
