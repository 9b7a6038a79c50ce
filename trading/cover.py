"""掩护 the rules of cover envelopes: promised before, revealed after the closing. Pure.

Until then nobody who reads the ledger, the database or the envelopes, the operator included, can
tell a cover from a bid: both are sealed to the committee under a fresh pseudonym and a token.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from trading.facts.cover import CoversMissing, CoversPromised, CoversRevealed
from trading.kernel.errors import CoverRefusal, TooEarly, TooLate
from trading.kernel.instant import Reading
from trading.tender import Phase, Tender

__all__ = [
    "covers_digest",
    "decide_missing_covers",
    "decide_promise",
    "decide_reveal_covers",
    "pending_covers",
]

_WINDOW_MINUTES = 10
_MINUTES = 1440
_LEAST = timedelta(seconds=10)


def covers_digest(salt: str, keys: Iterable[str]) -> str:
    """Over a random salt and the pseudonyms, all hex."""
    return hashlib.sha256(
        "\n".join(["kaifeng covers v1", salt, *sorted(keys)]).encode()
    ).hexdigest()


def pending_covers(tender: Tender) -> list[str]:
    """Makers that have promised covers and neither revealed them nor been recorded as missing."""
    return [maker for maker in tender.promises if maker not in tender.covered]


def decide_promise(tender: Tender, digest: str, maker: str, now: Reading) -> CoversPromised:
    """Once a maker, while bids come in."""
    if tender.phase is not Phase.BIDDING or not tender.deadline:
        raise CoverRefusal(problem="项目不在招标期 / the tender takes no bids")
    if not now.is_surely_before(tender.deadline):
        raise TooLate(act="承诺掩护", deadline=tender.deadline, article="")
    if maker in tender.promises:
        raise CoverRefusal(problem=f"{maker} 已承诺 / has promised already")
    return CoversPromised(digest=digest)


def decide_reveal_covers(tender: Tender, wanted: CoversRevealed, maker: str) -> CoversRevealed:
    """Exactly what was promised, for envelopes that came after the promise, before any share."""
    if tender.phase is not Phase.SEALED or tender.shares:
        raise CoverRefusal(problem="只在截标后、开标前公布 / only between closing and opening")
    promise = tender.promises.get(maker)
    if promise is None or maker in tender.covered:
        raise CoverRefusal(problem=f"{maker} 没有待公布的承诺 / has nothing to reveal")
    digest, index = promise
    keys = set(wanted.keys)
    if list(wanted.keys) != sorted(keys) or covers_digest(wanted.salt, keys) != digest:
        raise CoverRefusal(problem="与承诺不符 / not what was promised")
    early = [
        bid
        for bid in tender.received.values()
        if bid.prefix.header.vk.hex() in keys and bid.index < index
    ]
    if early:
        raise CoverRefusal(problem="信封早于承诺 / an envelope came before the promise")
    return wanted


def decide_missing_covers(tender: Tender, maker: str, now: Reading) -> CoversMissing:
    """The window has ended; the opening goes on."""
    if maker not in pending_covers(tender) or not tender.deadline:
        raise CoverRefusal(problem=f"{maker} 不欠承诺 / owes nothing")
    end = _window_end(tender, tender.deadline)
    if not now.is_surely_after(end):
        raise TooEarly(act="结束掩护公布", moment=end, article="")
    return CoversMissing(maker=maker)


def _window_end(tender: Tender, deadline: datetime) -> datetime:
    """Programs answer, not persons: even a rehearsal leaves them a few seconds."""
    return deadline + max(_WINDOW_MINUTES * tender.drafted.pace.day / _MINUTES, _LEAST)
