"""邀请 whom to seal to: fetched from a centre, believed for its proof alone."""

from trading.committee import form_seat
from trading.envelope.layout import Address, Stage
from trading.facts.committee import CommitteeFormed
from trading.kernel.errors import ProofBroken
from trading.ledger.policy import Policy
from trading.ledger.receipt import check_receipt
from web.client import Client

__all__ = ["invited_to"]


def invited_to(client: Client, tender: str, policy: Policy, lot: int = 1) -> Address:
    """The price stage's address, once the proof holds and the whole ceremony was repeated."""
    text = client.text(f"/v1/tenders/{tender}/invitations/{Stage.PRICE}")
    found = check_receipt(text, policy)
    if not isinstance(found.fact, CommitteeFormed) or found.entry.stream != f"tender:{tender}":
        raise ProofBroken(problem="不是本项目委员会的证明 / the proof is of something else")
    seat = form_seat(tender, found.fact)
    return Address(tender, lot, Stage.PRICE, seat.kid, seat.committee.key)
