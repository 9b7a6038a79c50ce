"""掩护窗口 the desk of cover makers: other institutions that hide how many bids there are."""

from trading.cover import decide_promise, decide_reveal_covers
from trading.desks.office import Office
from trading.facts.cover import CoversRevealed
from trading.kernel.ids import TenderId
from trading.kernel.party import Actor
from trading.tender import Tender

__all__ = ["CoverDesk"]


class CoverDesk:
    def __init__(self, office: Office) -> None:
        self._office = office

    def promise(self, maker: Actor, tender: TenderId, digest: str) -> Tender:
        return self._office.act(
            tender,
            lambda state, now: [decide_promise(state, digest, maker.party, now)],
            maker,
            in_time=True,
        )

    def reveal(self, maker: Actor, tender: TenderId, salt: str, keys: tuple[str, ...]) -> Tender:
        wanted = CoversRevealed(salt=salt, keys=keys)
        return self._office.act(
            tender, lambda state, _: [decide_reveal_covers(state, wanted, maker.party)], maker
        )
