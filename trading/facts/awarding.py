"""Facts of an award committee 定标委员会, in the stream `award:` of its tender (评定分离)."""

import msgspec

from trading.facts.award import Awarded
from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "AwardCommitteeFormed",
    "AwardConcluded",
    "AwardPresumed",
    "AwardSigned",
    "AwarderReplaced",
    "BallotForfeited",
    "BallotOpened",
    "BallotSealed",
    "Choice",
]

_AWARDER = frozenset({Role.AWARDER})


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One member's vote for a lot, with its reason: votes are cast by name."""

    lot: int
    eid: str
    reason: str = ""


class AwardCommitteeFormed(Fact, frozen=True, tag="award.committee-formed/1"):
    """组建定标委员会 by the owner; none of the panel that evaluated."""

    by = frozenset({Role.PURCHASER, Role.AGENCY})
    members: tuple[str, ...]


class BallotSealed(Fact, frozen=True, tag="award.ballot-sealed/1"):
    """A member's choices in a round as a hash: nobody votes after somebody else."""

    by = _AWARDER
    round: int
    digest: str


class BallotOpened(Fact, frozen=True, tag="award.ballot-opened/1"):
    by = _AWARDER
    round: int
    choices: tuple[Choice, ...]
    salt: str


class BallotForfeited(Fact, frozen=True, tag="award.ballot-forfeited/1"):
    """弃票: all have voted, and a member does not open its ballot; it counts for nobody. The round
    is not voted anew, so that nobody waits until the result suits.
    """

    by = frozenset({Role.INSPECTOR})
    round: int
    member: str


class AwardConcluded(Fact, frozen=True, tag="award.concluded/1"):
    """定标结果 by the tender's method; `record` says in a sentence for each lot how it came about,
    `draw` is the draw that decided, if one did.
    """

    awards: tuple[Awarded, ...]
    record: tuple[str, ...]
    draw: str = ""


class AwarderReplaced(Fact, frozen=True, tag="award.member-replaced/1"):
    """更换定标委员, before a ballot of the round is opened; the round is voted anew."""

    by = frozenset({Role.PURCHASER, Role.AGENCY})
    gone: str
    member: str
    ground: str


class AwardPresumed(Fact, frozen=True, tag="award.consent-presumed/1"):
    """拒绝签字又不说明, seen by the supervising body."""

    by = frozenset({Role.INSPECTOR})
    member: str


class AwardSigned(Fact, frozen=True, tag="award.signed/1"):
    """A member's signature under the result; digest of the concluding fact, hex."""

    by = _AWARDER
    digest: str
