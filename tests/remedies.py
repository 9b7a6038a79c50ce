"""One objection, its answer, and a complaint that the supervising body has accepted."""

from centre import TestCentre

from trading.desks.objection import ObjectionDesk
from trading.facts.objection import (
    ComplaintAccepted,
    ComplaintFiled,
    ObjectionAnswered,
    ObjectionRaised,
    Subject,
)
from trading.kernel.party import Actor, Role

RAISED = ObjectionRaised(objection="o", about=Subject.CANDIDATES, text="不实")
FILED = ComplaintFiled(complaint="c", text="不服", objection="o")


def answered(centre: TestCentre, tender: str) -> tuple[ObjectionDesk, Actor]:
    """The desk, and the bidder that objected to the candidates."""
    desk, bidder = ObjectionDesk(centre.office), centre.actor("bidder-1", Role.BIDDER)
    desk.act(bidder, tender, RAISED)
    desk.act(centre.owner, tender, ObjectionAnswered(objection="o", text="属实", upheld=False))
    return desk, bidder


def accepted(centre: TestCentre, tender: str, inspector: Actor) -> ObjectionDesk:
    desk, bidder = answered(centre, tender)
    desk.act(bidder, tender, FILED)
    desk.act(inspector, tender, ComplaintAccepted(complaint="c"))
    return desk
