"""档案窗口 registrar: contacts of persons, and their erasure on request (个人信息保护法 47)."""

from trading.desks.office import Office
from trading.facts.party import STREAM, EntryErased, PersonDescribed
from trading.kernel.party import Actor
from trading.ledger.port import ANY

__all__ = ["RegistrarDesk"]

_ARTICLE = "个人信息保护法 第四十七条 [mem]"


class RegistrarDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def describe(self, actor: Actor, contact: str) -> int:
        """The index of the entry, by which it can be erased."""
        stream = f"person:{actor.party}"
        fact = PersonDescribed(party=actor.party, contact=contact)
        return self._office.ledger.append(stream, ANY, [self._office.draft(stream, fact, actor)])[
            0
        ].index

    def erase(self, index: int, ground: str) -> None:
        """First the fact that names the entry, then the deletion of salt and preimage."""
        fact = EntryErased(index=index, ground=ground, article=_ARTICLE)
        draft = self._office.draft(STREAM, fact, None)
        self._office.ledger.check_erasable(index)
        self._office.ledger.append(STREAM, ANY, [draft])
        self._office.ledger.erase(index)
