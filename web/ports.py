"""What the edge stands on: everything `create_app` is given, and nothing it makes itself."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from analytics.benches import Benches
from analytics.trade import Trade
from analytics.watch import Watch
from evaluation.desks.bank import BankDesk
from evaluation.desks.blinds import Blinds
from evaluation.desks.drafts import DraftDesk
from evaluation.desks.panel import PanelDesk
from evaluation.desks.ranking import EvaluationDesk
from trading.committee import trustees_of
from trading.desks.award import AwardDesk
from trading.desks.awarding import AwardingDesk
from trading.desks.bidder import BidderDesk
from trading.desks.ceremony import AsksTrustee, CeremonyDesk
from trading.desks.cover import CoverDesk
from trading.desks.draw import DrawDesk
from trading.desks.fulfilment import FulfilmentDesk
from trading.desks.objection import ObjectionDesk
from trading.desks.office import Office
from trading.desks.opening import OpeningDesk
from trading.desks.purchaser import PurchaserDesk
from trading.desks.suspension import SuspensionDesk
from trading.envelope.token import TokenIssuer
from web.feed import FeedPages
from web.parties import Parties
from web.tiles import Tiles
from web.uploads import Uploads

if TYPE_CHECKING:
    from evaluation.desks.papers import PaperDesk

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
    """One of each, on one office; `folder`: for what is kept apart from the ledger; `charter`: its
    text; `model`: of warnings.
    """

    def __init__(
        self,
        office: Office,
        envelope_limit: int,
        outage: timedelta,
        folder: Path,
        charter: str,
        model: Path | None = None,
    ) -> None:
        self.purchaser = PurchaserDesk(office)
        self.bidder = BidderDesk(office, envelope_limit)
        self.suspension = SuspensionDesk(office, outage)
        self.opening = OpeningDesk(office, self.suspension)
        self.award = AwardDesk(office)
        self.ceremony = CeremonyDesk(office)
        self.evaluation = EvaluationDesk(office)
        self.cover = CoverDesk(office)
        self.draws = DrawDesk(office, self.ceremony, lambda: trustees_of(charter))
        self.bank = BankDesk(office, self.draws, folder / "experts")
        self.panels = PanelDesk(office)
        self.drafts = DraftDesk(folder / "drafts")
        self.blinds = Blinds(folder / "blinds")
        self.awarding = AwardingDesk(office)
        self.objections = ObjectionDesk(office)
        self.fulfilment = FulfilmentDesk(office)
        self.watch = Watch(office, model)
        self.trade = Trade(office)
        self.benches = Benches(office)


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """`probe` asks disk, database, clock and writer; `deadline_limit` caps the hour; `papers` opens
    the desk of papers, which is slow to open, where the centre has a seal.
    """

    office: Office
    desks: Desks
    parties: Parties
    uploads: Uploads
    tiles: Tiles
    feed: FeedPages
    issuers: Issuers
    lists: TenderLists
    trustees: Sequence[AsksTrustee]
    policy: str
    charter: str
    probe: Callable[[], list[Health]]
    deadline_limit: int = 1500
    authority: str = ""
    papers: "Callable[[], PaperDesk] | None" = None
