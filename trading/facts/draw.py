"""Facts of a verifiable draw 抽取: of experts, of coefficients, of lots 抽签."""

import msgspec

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "AWAY",
    "EXPERTS",
    "DrawAnnounced",
    "DrawCommitted",
    "DrawDecided",
    "DrawRevealed",
    "DrawRooted",
    "DrawVoided",
    "Drawn",
    "Group",
    "NamesUnsealed",
    "Option",
    "StandInCalled",
    "TrusteeCommitted",
    "TrusteeRevealed",
    "Unsealing",
]

AWAY = "away"  # 异地: from another region than the tender's
_CONTRIBUTORS = frozenset({Role.PURCHASER, Role.AGENCY, Role.INSPECTOR})


EXPERTS = "experts"  # the purpose of a draw of panel members


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be drawn: a value in clear, or the sealed name of an expert (64 hex digits)."""

    code: str
    tags: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`count` of the options with `tag` (any, if empty), at least `away` of them from elsewhere."""

    name: str
    count: int
    tag: str = ""
    away: int = 0


class Drawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    group: str
    codes: tuple[str, ...]


class Unsealing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sealed name hides; `salt` hex."""

    code: str
    who: str
    name: str
    salt: str


class DrawAnnounced(Fact, frozen=True, tag="draw.announced/1"):
    """Everything that decides the result except chance. `draw` is tender, purpose and a number
    from 1, joined by colons: another one is held only when the one before was voided, or another
    evaluation ordered. `contributors`: parties by their name, trustees as `trustee:` and their key;
    `recused`: how many were left out, by reason; `owners`: seats that the owner fills itself;
    `nonce`, hex: what the codes of this very announcement depend on.
    """

    by = frozenset({Role.PURCHASER, Role.AGENCY, Role.PLATFORM})
    draw: str
    tender: str
    purpose: str
    options: tuple[Option, ...]
    groups: tuple[Group, ...]
    contributors: tuple[str, ...]
    recused: tuple[tuple[str, int], ...] = ()
    owners: int = 0
    nonce: str = ""


class DrawCommitted(Fact, frozen=True, tag="draw.committed/1"):
    """A party's commitment to its part of the chance, hex."""

    by = _CONTRIBUTORS
    commitment: str


class TrusteeCommitted(Fact, frozen=True, tag="draw.trustee-committed/1"):
    """The same of a trustee, with its signature, hex."""

    trustee: str
    commitment: str
    signature: str


class DrawRooted(Fact, frozen=True, tag="draw.rooted/1"):
    """The first cosigned checkpoint after the last commitment."""

    note: str


class DrawRevealed(Fact, frozen=True, tag="draw.revealed/1"):
    by = _CONTRIBUTORS
    secret: str


class TrusteeRevealed(Fact, frozen=True, tag="draw.trustee-revealed/1"):
    trustee: str
    secret: str
    signature: str


class DrawDecided(Fact, frozen=True, tag="draw.decided/1"):
    """What the seed gives; `seed` hex."""

    seed: str
    drawn: tuple[Drawn, ...]


class DrawVoided(Fact, frozen=True, tag="draw.voided/1"):
    """Somebody did not reveal: who it was stays in the record, and nothing is drawn."""

    by = frozenset({Role.INSPECTOR})
    absent: tuple[str, ...]
    ground: str


class StandInCalled(Fact, frozen=True, tag="draw.stand-in-called/1"):
    """补抽: the next in the order that the seed gave takes the place of an expert who does not
    come; the supervising body has seen the reason.
    """

    by = frozenset({Role.INSPECTOR})
    group: str
    gone: str
    reason: str
    code: str


class NamesUnsealed(Fact, frozen=True, tag="draw.names-unsealed/1"):
    """名单公开: the names behind the codes that were drawn."""

    names: tuple[Unsealing, ...]
