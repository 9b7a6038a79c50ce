"""委员会 the ceremony in the ledger: from recorded deals to the key envelopes are sealed to.

The arithmetic is in trading/keys; here its records are checked and become the seat that
envelopes are sealed to.
"""

from functools import lru_cache

import msgspec

from trading.facts.committee import (
    CommitteeFormed,
    CommitteeReshared,
    DealRecord,
    HandoverRecord,
)
from trading.kernel.errors import CommitteeRefusal, Malformed
from trading.keys import dkg
from trading.keys.dkg import Ceremony, Committee, Deal
from trading.keys.reshare import Handover, reshared

__all__ = [
    "Charter",
    "Seat",
    "ceremony_of",
    "deal_of",
    "form_seat",
    "record_deal",
    "reshare_seat",
    "trustees_of",
]

_REMEMBERED = 512  # ceremonies whose check is not repeated for every fold


def trustees_of(charter: str) -> frozenset[str]:
    """Keys of the trustees, hex; none where there is no charter yet."""
    try:
        return frozenset(Charter.parse(charter).trustees.values())
    except CommitteeRefusal:
        return frozenset()


class Charter(msgspec.Struct, frozen=True):
    """受托章程: which institutions may hold shares, and how many must act together at least.

    Trustees and verifiers keep their own copy: without it a centre could seat its own people.
    One line `threshold N`, then a line `trustee NAME KEY` for each.
    """

    threshold: int
    trustees: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> "Charter":
        threshold, trustees = 0, {}
        for line in text.splitlines():
            match line.split():
                case ["threshold", number] if number.isascii() and number.isdecimal():
                    threshold = int(number)
                case ["trustee", name, key] if len(_hex(key)) == 32:
                    trustees[name] = key
                case [] | ["#", *_]:
                    pass
                case _:
                    raise CommitteeRefusal(problem=f"受托章程 / charter: {line[:60]}")
        if not 1 <= threshold <= len(trustees):
            raise CommitteeRefusal(problem="受托章程的门限 / threshold of the charter")
        return cls(threshold, trustees)

    def __str__(self) -> str:
        lines = [f"trustee {name} {key}" for name, key in self.trustees.items()]
        return "\n".join([f"threshold {self.threshold}", *lines, ""])

    def check(self, ceremony: Ceremony) -> None:
        """CommitteeRefusal unless all members are in the charter and enough must act."""
        ceremony.check()
        strangers = {key.hex() for key in ceremony.members} - set(self.trustees.values())
        if strangers:
            raise CommitteeRefusal(problem=f"不在章程之列 / not in the charter: {min(strangers)}")
        if ceremony.threshold < self.threshold:
            raise CommitteeRefusal(problem=f"门限低于章程 / threshold below {self.threshold}")


class Seat(msgspec.Struct, frozen=True):
    """The committee of one opening event, with the long-term keys of its members (hex)."""

    kid: bytes
    committee: Committee
    members: tuple[str, ...]


def record_deal(deal: Deal) -> DealRecord:
    return DealRecord(
        tuple(point.hex() for point in deal.commitments),
        deal.ephemeral.hex(),
        deal.possession.hex(),
        tuple(share.hex() for share in deal.shares),
    )


def deal_of(record: DealRecord) -> Deal:
    return Deal(
        tuple(map(_hex, record.commitments)),
        _hex(record.ephemeral),
        _hex(record.possession),
        tuple(map(_hex, record.shares)),
    )


def handover_of(record: HandoverRecord) -> Handover:
    return Handover(record.index, _hex(record.dealer), deal_of(record.dealt))


def ceremony_of(fact: CommitteeFormed | CommitteeReshared) -> Ceremony:
    members = tuple(_hex(member.key) for member in fact.members)
    return Ceremony(fact.threshold, members, _hex(fact.session))


def session_of(tender: str, stage: int, nonce: str) -> bytes:
    """Unique for each ceremony, and says which opening event it is for."""
    return f"kaifeng ceremony v1 {tender} {stage} {nonce}".encode()


@lru_cache(_REMEMBERED)
def form_seat(tender: str, fact: CommitteeFormed) -> Seat:
    """Repeat the public part of the ceremony; CommitteeRefusal if anything in it is wrong."""
    ceremony = ceremony_of(fact)
    ceremony.check()
    if not ceremony.session.startswith(session_of(tender, fact.stage, "")):
        raise CommitteeRefusal(
            problem="密钥仪式属于另一次开标 / the ceremony is for another opening"
        )
    deals = [deal_of(record) for record in fact.deals]
    if len(deals) != len(ceremony.members):
        raise CommitteeRefusal(problem="缺少一份密钥分发 / a deal is missing")
    for dealer, dealt in enumerate(deals, 1):
        dkg.check_deal(ceremony, dealer, dealt)
    extension = dkg.extension(_hex(fact.root), deals)
    text = dkg.transcript(ceremony, deals, extension)
    kid = dkg.certify(ceremony, text, [_hex(signature) for signature in fact.signatures])
    if kid.hex() != fact.kid:
        raise CommitteeRefusal(
            problem="kid 不是仪式记录的摘要 / kid is not the digest of the transcript"
        )
    return _seat(fact, dkg.committee(ceremony, deals))


@lru_cache(_REMEMBERED)
def reshare_seat(old: Seat, fact: CommitteeReshared) -> Seat:
    if old.kid.hex() != fact.kid:
        raise CommitteeRefusal(problem="没有可移交的委员会 / no such committee to hand over")
    handovers = [handover_of(record) for record in fact.handovers]
    for handover in handovers:
        known = 1 <= handover.index <= len(old.members)
        if not known or handover.dealer.hex() != old.members[handover.index - 1]:
            raise CommitteeRefusal(
                problem="分发者不是原委员会成员 / the dealer is not the old committee's member"
            )
    return _seat(fact, reshared(ceremony_of(fact), old.committee, handovers))


def _seat(fact: CommitteeFormed | CommitteeReshared, committee: Committee) -> Seat:
    return Seat(bytes.fromhex(fact.kid), committee, tuple(member.key for member in fact.members))


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Malformed(problem="十六进制 / hex") from error
