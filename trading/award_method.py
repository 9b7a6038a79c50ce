"""定标方法 what a way to award must declare where award is separate, and what it decides by."""

from collections.abc import Callable

import msgspec

from trading.facts.award import Candidate

__all__ = ["AwardMethod", "Standing", "Verdict"]


class Standing(msgspec.Struct, frozen=True):
    """What is known of one lot. `candidates` in the order of the ledger, ranked or not; `ballots`:
    complete rounds; `drawn`: whom the verifiable draw gave, if there was one.
    """

    lot: int
    candidates: tuple[Candidate, ...]
    members: tuple[str, ...]
    ballots: tuple[dict[str, str], ...] = ()
    drawn: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """`eid` wins, or nobody yet and the next round is among `standing`; `text` is the record."""

    eid: str
    text: str
    standing: tuple[str, ...] = ()


class AwardMethod(msgspec.Struct, frozen=True, kw_only=True):
    """`decide` is pure. `votes`: members cast ballots; `ranked`: the panel must have ranked."""

    code: str
    zh: str
    en: str
    decide: Callable[[Standing], Verdict]
    votes: bool = False
    ranked: bool = False
