"""名册 the roll of parties: who may sign for what. A fold of the enrolments.

An entry without an actor is the ledger's own statement: its signature is the checkpoint's.
"""

from trading.facts.party import PartyEnrolled
from trading.kernel.errors import EntryBroken
from trading.kernel.party import Role
from trading.ledger.chain import Link
from trading.ledger.entry import act_message
from trading.ledger.signature import check_act

__all__ = ["Roll"]


class Roll:
    def __init__(self) -> None:
        self._parties: dict[str, PartyEnrolled] = {}

    def check(self, link: Link) -> None:
        """Signature and role of one entry, and the enrolment if it is one; EntryBroken if not."""
        entry, fact, index = link.entry, link.fact, link.stamp.index
        if not entry.actor:
            if Role.PLATFORM not in fact.by or entry.sig:
                raise EntryBroken(
                    index=index, problem=f"{_tag(fact)} 须签名 / {_tag(fact)} needs a signature"
                )
            return
        if isinstance(fact, PartyEnrolled):
            if fact.party in self._parties or fact.party != entry.actor:
                raise EntryBroken(index=index, problem="主体已登记 / the party is enrolled already")
            self._parties[fact.party] = fact
        party = self._parties.get(entry.actor)
        if party is None:
            raise EntryBroken(
                index=index, problem=f"未知主体 {entry.actor} / unknown party {entry.actor}"
            )
        if not fact.by & set(party.roles):
            raise EntryBroken(
                index=index,
                problem=f"{party.name} 无权记录 {_tag(fact)}"
                f" / {party.name} may not record {_tag(fact)}",
            )
        message = act_message(entry.stream, entry.id, entry.actor, bytes(entry.fact))
        if not check_act(_hex(party.key), _hex(entry.sig), message):
            raise EntryBroken(
                index=index, problem=f"{party.name} 的签名不符 / signature of {party.name}"
            )


def _tag(fact: object) -> str:
    return type(fact).__name__


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
