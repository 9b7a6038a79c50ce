"""Facts of cover 掩护: envelopes without a bid, which hide how many bids there are."""

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = ["CoversMissing", "CoversPromised", "CoversRevealed"]

_MAKERS = frozenset({Role.TRUSTEE, Role.WITNESS})


class CoversPromised(Fact, frozen=True, tag="covers.promised/1"):
    """Before its first cover a maker commits to all its pseudonyms: `digest` is SHA-256 over a
    salt and the sorted keys, so that no bid can be called a cover afterwards.
    """

    by = _MAKERS
    commutes = True
    digest: str


class CoversRevealed(Fact, frozen=True, tag="covers.revealed/1"):
    """After the closing: which pseudonyms were covers (hex, sorted); they are no bids."""

    by = _MAKERS
    salt: str
    keys: tuple[str, ...]


class CoversMissing(Fact, frozen=True, tag="covers.missing/1"):
    """A maker that did not reveal in time: its covers are opened like bids, and hold none."""

    maker: str
