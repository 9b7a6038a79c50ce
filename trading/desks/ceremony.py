"""密钥仪式 the coordinator of the trustees: carries messages, holds no secret, decides nothing."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from trading.committee import Charter, record_deal, session_of
from trading.desks.contribution import AskCommitment, AskSecret, Contributed
from trading.desks.office import Office
from trading.desks.trustee import (
    AskCertificate,
    AskDeal,
    AskHandover,
    AskShare,
    Dealt,
    HandedOver,
    Refused,
    Shared,
    Signature,
    TrusteeAnswer,
    TrusteeRequest,
)
from trading.facts.committee import (
    CommitteeFormed,
    CommitteeReshared,
    HandoverRecord,
    MemberRecord,
)
from trading.kernel.errors import CommitteeRefusal, TrusteeRefuses
from trading.keys import dkg
from trading.keys.dkg import Ceremony, Deal
from trading.ledger.mirror import Sync, WireRecord
from trading.ledger.policy import Witnessed

__all__ = ["AsksTrustee", "CeremonyDesk"]


T = TypeVar("T")


class AsksTrustee(Protocol):
    """One trustee as the centre sees it; `synced` is how much of the ledger it has been shown.

    `ask` must raise TrusteeRefuses when the trustee cannot be reached.
    """

    name: str
    key: bytes
    synced: int

    def ask(self, request: TrusteeRequest) -> TrusteeAnswer: ...


class CeremonyDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def form(
        self,
        tender: str,
        stage: int,
        threshold: int,
        trustees: Sequence[AsksTrustee],
        charter: Charter | None = None,
    ) -> CommitteeFormed:
        """A fresh committee for one opening event, bound to the newest cosigned head.

        The trustees hold it against their own charter; ours only says so earlier.
        """
        members = tuple(trustee.key for trustee in trustees)
        session = session_of(tender, stage, self._office.ids.mint())
        ceremony = Ceremony(threshold, members, session)
        charter.check(ceremony) if charter else ceremony.check()
        head = self._office.publisher.publish()
        # (1) everybody deals
        deals = [_dealt(trustee, ceremony) for trustee in trustees]
        # (2) everybody checks everything and signs the same transcript
        signatures = []
        for trustee in trustees:
            request = AskCertificate(ceremony, tuple(deals), self._sync(trustee, head.note))
            answer = _expect(trustee, trustee.ask(request), Signature)
            signatures.append(answer.signature)
        extension = dkg.extension(head.checkpoint.root, deals)
        kid = dkg.certify(ceremony, dkg.transcript(ceremony, deals, extension), signatures)
        return CommitteeFormed(
            stage=stage,
            threshold=threshold,
            members=_members(trustees),
            session=session.hex(),
            root=head.checkpoint.root.hex(),
            deals=tuple(record_deal(dealt) for dealt in deals),
            signatures=tuple(signature.hex() for signature in signatures),
            kid=kid.hex(),
        )

    def ask_share(
        self, tender: str, stage: int, trustee: AsksTrustee, head: Witnessed | None = None
    ) -> Shared:
        """TrusteeRefuses carries the trustee's own words. `head`: a cosigned head to show it."""
        head = head or self._office.publisher.publish()
        request = AskShare(tender, stage, self._sync(trustee, head.note))
        return _expect(trustee, trustee.ask(request), Shared)

    def ask_contribution(self, draw: str, trustee: AsksTrustee, *, is_secret: bool) -> Contributed:
        """A trustee's part in a draw: its commitment, or later its secret."""
        sync = self._sync(trustee, self._office.publisher.publish().note)
        request = AskSecret(draw, sync) if is_secret else AskCommitment(draw, sync)
        return _expect(trustee, trustee.ask(request), Contributed)

    def reshare(
        self,
        tender: str,
        stage: int,
        threshold: int,
        dealers: Sequence[AsksTrustee],
        members: Sequence[AsksTrustee],
    ) -> CommitteeReshared:
        """Hand the key over to `members`; at least the old threshold of `dealers` must answer."""
        keys = tuple(member.key for member in members)
        session = session_of(tender, stage, self._office.ids.mint())
        ceremony = Ceremony(threshold, keys, session)
        head = self._office.publisher.publish()
        records = []
        for dealer in dealers:
            request = AskHandover(tender, stage, ceremony, self._sync(dealer, head.note))
            handover = _expect(dealer, dealer.ask(request), HandedOver).handover
            records.append(
                HandoverRecord(handover.index, handover.dealer.hex(), record_deal(handover.dealt))
            )
        seat = self._office.load(tender).seats[stage]
        return CommitteeReshared(
            stage=stage,
            threshold=threshold,
            members=_members(members),
            session=session.hex(),
            handovers=tuple(records),
            kid=seat.kid.hex(),
        )

    def _sync(self, trustee: AsksTrustee, note: str) -> Sync:
        """What the trustee has not seen yet."""
        start, size = trustee.synced, int(note.split("\n")[1])
        records = tuple(
            WireRecord(record.leaf, record.salt, record.raw)
            for record in self._office.ledger.records(start, size)
        )
        trustee.synced = max(start, size)
        return Sync(start, records, note)


def _dealt(trustee: AsksTrustee, ceremony: Ceremony) -> Deal:
    return _expect(trustee, trustee.ask(AskDeal(ceremony)), Dealt).deal


def _members(trustees: Sequence[AsksTrustee]) -> tuple[MemberRecord, ...]:
    return tuple(MemberRecord(trustee.name, trustee.key.hex()) for trustee in trustees)


def _expect(trustee: AsksTrustee, answer: TrusteeAnswer, kind: type[T]) -> T:
    if isinstance(answer, Refused):
        both = answer.zh if answer.zh == answer.en else f"{answer.zh} / {answer.en}"
        raise TrusteeRefuses(problem=f"{trustee.name} {answer.code} {both}")
    if not isinstance(answer, kind):
        raise CommitteeRefusal(
            problem=f"{trustee.name} 答非所问 / {trustee.name} answered something else"
        )
    return answer
