"""履约窗口 the desk of what follows the contract."""

from trading.desks.docket import Docket
from trading.desks.office import Office
from trading.facts.fulfilment import ArchiveSealed, ContractCountersigned, Side
from trading.fulfilment import Fulfilment, check_fulfilment, stream_of_contract
from trading.kernel.party import Actor
from trading.ledger.fact import Fact
from trading.tender import stream_of

__all__ = ["FulfilmentDesk"]


class FulfilmentDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def countersign(self, tender: str, lot: int, side: Side, signature: bytes) -> Fulfilment:
        """One side's CMS signature over `contract_message`."""
        fact = ContractCountersigned(lot=lot, side=side, signature=signature.hex())
        return self._record(tender, fact)

    def record(self, owner: Actor, tender: str, fact: Fact) -> Fulfilment:
        """An amendment, a milestone, a bond that went back."""
        return self._record(tender, fact, owner)

    def archive(self, tender: str, digest: str, years: int) -> Fulfilment:
        return self._record(tender, ArchiveSealed(digest=digest, years=years))

    def _record(self, tender: str, fact: Fact, owner: Actor | None = None) -> Fulfilment:
        office = self._office
        docket = Docket(
            office,
            stream_of_contract(tender),
            Fulfilment,
            lambda kept, wanted, actor, _: check_fulfilment(
                kept, office.load(tender), wanted, actor
            ),
            lambda _: (stream_of(tender),),
        )
        return docket.act(lambda _, __: [fact], owner)
