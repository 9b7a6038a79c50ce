"""评标室 what members, host and supervisors see of a panel while it is at work."""

from datetime import datetime

import msgspec

from evaluation.panel import Panel
from evaluation.sitting import Sitting
from trading.facts.panel import Member
from trading.facts.rubric import Item, ReviewStage

__all__ = ["PanelView", "panel_view"]


class Chair(msgspec.Struct, frozen=True, kw_only=True):
    """One member as the others see it: a seat, and what it has done."""

    party: str
    seat: str
    site: str
    has_undertaken: bool
    has_sealed: bool
    has_opened: bool
    has_signed: bool


class ReviewedBid(msgspec.Struct, frozen=True):
    """As sheets call it; the price in fen where prices are reviewed."""

    bid: str
    lot: int
    price: int | None = None


class Query(msgspec.Struct, frozen=True):
    """澄清: to "bidder 3", and its answer."""

    question: str
    bid: str
    text: str
    until: datetime
    answer: str | None


class PanelView(msgspec.Struct, frozen=True, kw_only=True):
    """`far`: scores that the caller should explain, as bid and item; `report`: the digest that
    everybody signs.
    """

    phase: str
    stage: ReviewStage | None
    until: datetime | None
    is_blind: bool
    chair: str
    seats: list[Chair]
    items: list[Item]
    bids: list[ReviewedBid]
    far: list[tuple[str, str]]
    questions: list[Query]
    concluded: list[ReviewStage]
    report: str


def panel_view(sitting: Sitting, party: str) -> PanelView:
    """While no panel is formed, the empty room."""
    panel = sitting.panel
    stage = sitting.stage if panel.formed else None
    return PanelView(
        phase=panel.phase.value,
        stage=stage,
        until=sitting.until if panel.formed else None,
        is_blind=stage is not None and sitting.is_blind(stage),
        chair=panel.chair,
        seats=[_seat(panel, stage, member) for member in panel.members.values()],
        items=sitting.items_in(stage) if stage else [],
        bids=_bids(sitting, stage) if stage else [],
        far=_far(sitting, stage, party) if stage else [],
        questions=[
            Query(name, asked.fact.bid, asked.fact.text, sitting.answer_until(asked), asked.answer)
            for name, asked in panel.asked.items()
        ],
        concluded=panel.concluded,
        report=panel.report.digest if panel.report else "",
    )


def _seat(panel: Panel, stage: ReviewStage | None, member: Member) -> Chair:
    party = member.party
    return Chair(
        party=party,
        seat=member.seat,
        site=panel.sites.get(party, ""),
        has_undertaken=party in panel.undertakings,
        has_sealed=stage is not None and party in panel.sealed.get(stage, {}),
        has_opened=stage is not None and party in panel.sheets.get(stage, {}),
        has_signed=party in panel.signed,
    )


def _bids(sitting: Sitting, stage: ReviewStage) -> list[ReviewedBid]:
    """Under blind codes as long as the review is blind: then nothing else is told of them."""
    if sitting.is_blind(stage) and not sitting.panel.salt:
        codes = sitting.panel.blinded.codes if sitting.panel.blinded else ()
        return [ReviewedBid(code, 0) for code in codes]
    shown = stage is ReviewStage.PRICE
    return [
        ReviewedBid(name, one.lot, one.price.price if shown and one.price else None)
        for name, one in sitting.names(stage).items()
    ]


def _far(sitting: Sitting, stage: ReviewStage, party: str) -> list[tuple[str, str]]:
    return [(far.bid, far.item) for far in sitting.far(stage) if far.member == party]
