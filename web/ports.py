"""What the edge stands on: everything `create_app` is given, and nothing it makes itself."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from evaluation.desk import EvaluationDesk
from trading.desks.award import AwardDesk
from trading.desks.bidder import BidderDesk
from trading.desks.ceremony import AsksTrustee, CeremonyDesk
from trading.desks.cover import CoverDesk
from trading.desks.office import Office
from trading.desks.opening import OpeningDesk
from trading.desks.purchaser import PurchaserDesk
from trading.desks.suspension import SuspensionDesk
from trading.envelope.token import TokenIssuer
from trading.kernel.errors import StreamUnknown
from trading.tender import Phase
from web.parties import Parties
from web.tiles import Tiles
from web.uploads import Uploads

__all__ = ["Desks", "Health", "Issuers", "Listed", "Ports", "TenderLists"]


class Issuers(Protocol):
    """The key that signs a tender's tokens; made when it is first asked for."""

    def of(self, tender: str) -> TokenIssuer: ...


class Listed(msgspec.Struct, frozen=True):
    """One line of a list; how many bids there are is no part of it."""

    id: str
    number: str
    title: str
    buyer: str
    procedure: str
    phase: str
    deadline: datetime | None


class TenderLists(Protocol):
    """Lists derived from the ledger; may lag behind it by a moment."""

    def page(self, after: str, limit: int) -> list[Listed]: ...

    def deadlines(self) -> dict[str, int]:
        """How many open tenders end in each hour, by its UTC start in ISO form."""
        ...


class Health(msgspec.Struct, frozen=True):
    """One probe of the node: whether it is well, and the figure behind it."""

    name: str
    well: bool
    figure: str


class Desks:
    """One of each, on one office."""

    def __init__(self, office: Office, envelope_limit: int, outage: timedelta) -> None:
        self.purchaser = PurchaserDesk(office)
        self.bidder = BidderDesk(office, envelope_limit)
        self.suspension = SuspensionDesk(office, outage)
        self.opening = OpeningDesk(office, self.suspension)
        self.award = AwardDesk(office)
        self.ceremony = CeremonyDesk(office)
        self.evaluation = EvaluationDesk(office)
        self.cover = CoverDesk(office)


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """`probe` asks disk, database, clock and writer; `deadline_limit` caps the hour."""

    office: Office
    desks: Desks
    parties: Parties
    uploads: Uploads
    tiles: Tiles
    issuers: Issuers
    lists: TenderLists
    trustees: Sequence[AsksTrustee]
    policy: str
    charter: str
    probe: Callable[[], list[Health]]
    deadline_limit: int = 1500
    authority: str = ""

    def phase_of(self, tender: str) -> Phase | None:
        """None if there is no such tender."""
        try:
            with self.office.live.held(tender) as state:
                return state.phase
        except StreamUnknown:
            return None
