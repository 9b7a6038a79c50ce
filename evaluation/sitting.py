"""评审现场 a panel with the tender it evaluates: which stage is open, which bids are in it,
what the stages that are over have found. Pure views; what may come next is in order.py.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from evaluation.entrant import Entrant, blind_code, entrants
from evaluation.grounds import rejections_by_fact
from evaluation.low_price import LowPrice, abnormally_low
from evaluation.method import Offer
from evaluation.panel import Asked, Panel
from evaluation.rubric import LOW_PRICE, items_of, stages_of
from evaluation.scoring import Far, Review, far_scores, reviews
from trading.draw import Draw
from trading.facts.rubric import Item, ReviewStage
from trading.facts.tender import Lot
from trading.kernel.money import Money
from trading.suspension import delayed
from trading.tender import Tender

__all__ = ["Sitting"]


class Sitting(msgspec.Struct, frozen=True):
    """`draws`: by id, of the experts and of coefficients."""

    panel: Panel
    tender: Tender
    draws: Mapping[str, Draw] = {}

    @property
    def items(self) -> tuple[Item, ...]:
        return items_of(self.tender.drafted, self.tender.procedure)

    @property
    def stages(self) -> tuple[ReviewStage, ...]:
        return stages_of(self.items)

    @property
    def stage(self) -> ReviewStage | None:
        """The one that is open."""
        done = self.panel.concluded
        return next((stage for stage in self.stages if stage not in done), None)

    @property
    def until(self) -> datetime | None:
        """When the time for the open stage is over; None if it takes as long as it takes. It begins
        once the bids of the stage are open, and stands still while the tender is suspended.
        """
        panel, opened = self.panel, self.tender.opened_at
        if not panel.minutes or panel.begun_at is None or opened is None:
            return None
        begun = max(panel.begun_at, opened)
        return delayed(self.tender, begun, begun + panel.span(panel.minutes))

    def answer_until(self, asked: Asked) -> datetime:
        return delayed(self.tender, asked.at, asked.at + self.panel.span(asked.fact.minutes))

    def items_in(self, stage: ReviewStage) -> list[Item]:
        return [item for item in self.items if item.stage is stage]

    def remaining(self, stage: ReviewStage) -> list[Entrant]:
        """Whom no stage before it has rejected; in a review of prices that looks for nothing else,
        only those that are abnormally low.
        """
        return self._looked_at(stage, self._course(stage)[0])

    def low_prices(self) -> set[str]:
        """The numbers of the abnormally low among all that comply until then."""
        return self._low(self._course(ReviewStage.PRICE)[0])

    def _course(
        self, until: ReviewStage | None = None
    ) -> tuple[list[Entrant], dict[ReviewStage, dict[str, Review]]]:
        """Through the concluded stages in one go: who is left, and what each has found."""
        left = list(entrants(self.tender))
        found: dict[ReviewStage, dict[str, Review]] = {}
        for stage in self.stages:
            if stage is until:
                break
            if stage in self.panel.concluded:
                found[stage] = self._outcome(stage, self._looked_at(stage, left))
                left = [one for one in left if not _is_rejected(one, found[stage])]
        return left, found

    def _looked_at(self, stage: ReviewStage, left: list[Entrant]) -> list[Entrant]:
        if {item.code for item in self.items_in(stage)} != {LOW_PRICE.code}:
            return left
        low = self._low(left)
        return [entrant for entrant in left if entrant.number in low]

    def _low(self, left: list[Entrant]) -> set[str]:
        """Lot by lot."""
        draft, published = self.tender.drafted, self.tender.published_at
        if published is None or LOW_PRICE.code not in {item.code for item in self.items}:
            return set()
        limits = msgspec.convert(draft.low_price, LowPrice, strict=False)
        found: set[str] = set()
        for lot in draft.lots:
            found |= abnormally_low(self._offers(lot, left), limits, published).keys()
        return found

    def _offers(self, lot: Lot, left: list[Entrant]) -> list[Offer]:
        rejected = {item.eid for item in rejections_by_fact(self.tender)}
        ceiling = lot.ceiling if lot.ceiling is not None else lot.estimate
        most = Money(ceiling) if ceiling else None
        return [
            Offer(entrant.number, 0, Money(entrant.price.price), most)
            for entrant in left
            if entrant.lot == lot.number
            and entrant.price
            and entrant.price.price
            and entrant.price.eid not in rejected
        ]

    def is_blind(self, stage: ReviewStage) -> bool:
        return stage is ReviewStage.TECHNICAL and self.panel.terms.blind

    def names(self, stage: ReviewStage) -> dict[str, Entrant]:
        """How sheets call the bids: by number, or by blind code once the salt is known."""
        return self._named(stage, self.remaining(stage))

    def _named(self, stage: ReviewStage, left: list[Entrant]) -> dict[str, Entrant]:
        if self.is_blind(stage) and self.panel.salt:
            return {blind_code(self.panel.salt, entrant): entrant for entrant in left}
        return {entrant.number: entrant for entrant in left}

    def reviews(self, stage: ReviewStage) -> dict[str, Review]:
        """What a stage found, by number; nothing while it is open."""
        return self.findings().get(stage, {})

    def findings(self) -> dict[ReviewStage, dict[str, Review]]:
        """The same of every concluded stage."""
        return self._course()[1]

    def outcome(self, stage: ReviewStage) -> dict[str, Review]:
        """The same of the sheets as they stand."""
        return self._outcome(stage, self.remaining(stage))

    def _outcome(self, stage: ReviewStage, left: list[Entrant]) -> dict[str, Review]:
        names = self._named(stage, left)
        sheets, most = self.panel.sheets.get(stage, {}), self.tender.drafted.minor_deviations
        found = reviews(sheets, self.items_in(stage), list(names), most)
        return {names[name].number: review for name, review in found.items()}

    def far(self, stage: ReviewStage) -> list[Far]:
        sheets = self.panel.sheets.get(stage, {})
        return far_scores(sheets, self.items_in(stage), list(self.names(stage)))


def _is_rejected(entrant: Entrant, found: Mapping[str, Review]) -> bool:
    return entrant.number in found and bool(found[entrant.number].failed)
