"""评审中的投标 the bids as a panel sees them: numbered, or under blind codes 暗标."""

import hashlib

import msgspec

from trading.envelope.layout import Stage
from trading.facts.opening import EnvelopeOpened
from trading.tender import Tender

__all__ = ["Entrant", "blind_code", "blind_digest", "entrants"]

_BLIND = b"kaifeng blind code v1\n"


class Entrant(msgspec.Struct, frozen=True):
    """`number`: its place in the ledger, from 1; `key`: the pseudonym that sealed it, hex;
    `price`: its price envelope, once that is opened.
    """

    number: str
    lot: int
    key: str
    bidder_id: str
    bidder_name: str
    price: EnvelopeOpened | None


def entrants(tender: Tender) -> tuple[Entrant, ...]:
    """All bids whose first envelope was opened, in the order of the ledger."""
    opened = [bid for bid in tender.final(tender.drafted.stages[0]) if bid.eid in tender.opened]
    priced = {_name(bid): bid for bid in tender.priced()}
    return tuple(
        Entrant(
            str(number),
            bid.prefix.header.lot,
            bid.prefix.header.vk.hex(),
            tender.opened[bid.eid].bidder_id,
            tender.opened[bid.eid].bidder_name,
            _price(tender.opened[bid.eid], priced),
        )
        for number, bid in enumerate(opened, 1)
    )


_Name = tuple[str, int, bool]


def _name(bid: EnvelopeOpened) -> _Name:
    """Nobody but the holder of the certificate speaks for a bidder."""
    return bid.bidder_id, bid.lot, bool(bid.certificate)


def _price(first: EnvelopeOpened, priced: dict[_Name, EnvelopeOpened]) -> EnvelopeOpened | None:
    """A bidder may seal its two envelopes under two pseudonyms; its name joins them."""
    return first if first.stage == Stage.PRICE else priced.get(_name(first))


def blind_digest(salt: str) -> str:
    return hashlib.sha256(_BLIND + bytes.fromhex(salt)).hexdigest()


def blind_code(salt: str, entrant: Entrant) -> str:
    """Eight letters that say nothing about whose bid it is."""
    whole = hashlib.sha256(
        _BLIND + bytes.fromhex(salt) + entrant.key.encode() + entrant.lot.to_bytes(4, "big")
    )
    return whole.hexdigest()[:8]
