"""A bidder of one tender: seals, replaces, withdraws, repeats itself, tries what is forbidden."""

import asyncio
import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.client import Client
from simulation.loop import Rng
from simulation.prelude import Bid, prelude

if TYPE_CHECKING:
    from simulation.world import World

__all__ = ["Bidder"]

_KINDS = ("replace", "replace", "withdraw", "rivals", "again", "reuse")
_UNFOUNDED = ("KF-309", "KF-310", "KF-312")  # repeated, not following, no right to it
_MARGIN = 0.5  # seconds before the deadline in which a clock may rightly say: too late


class Bidder(Client):
    """`held` is the envelope that it was told counts; it stops once it cannot know."""

    def __init__(self, world: "World", name: str, tender: str) -> None:
        super().__init__(world, name)
        self.label = f"{world.names[tender]}:{name}"
        self.tender, self._path = tender, f"/v1/tenders/{tender}"
        self.held: Bid | None = None
        self.is_sure, self._made = True, 0

    def steps(self, begin: float, end: float, rng: Rng) -> list[tuple[float, str]]:
        """When, and what; half of it around the deadline."""
        moments = [
            rng.choice((rng.uniform(begin, end), end + rng.gauss(-0.15, 0.3)))
            for _ in range(rng.randint(1, 4))
        ]
        kinds = ["seal", *(rng.choice(_KINDS) for _ in moments[1:])]
        return list(zip(sorted(moments), kinds, strict=True))

    async def live(self, steps: list[tuple[float, str]]) -> None:
        for moment, kind in steps:
            await self.world.until(moment)
            if not self.is_sure:
                return
            await getattr(self, f"_{kind}")()

    def _next(self, more: str = "") -> Bid:
        """A first envelope, or one that replaces what is held."""
        earlier = self.held.name if self.held else self.name
        self._made += 1
        bid = prelude().bid(self.tender, f"{earlier}/{self._made}{more}")
        self.world.names[bid.eid] = bid.name
        return bid

    async def _seal(self) -> None:
        bid, key = self._next(), self.ids.mint()
        tries = [self._send(bid, key)]
        if self.rng.random() < 0.25:
            tries.append(self._send(bid, key))
        outcomes = await asyncio.gather(*tries)
        if "ok" in outcomes:
            await self._look(bid, key)
        elif "refused" in outcomes:
            self._check_refused(bid, key)
        self._believe(bid, outcomes)

    _replace = _seal

    async def _send(self, bid: Bid, key: str) -> str:
        objects = self.world.shared.objects
        if self.rng.random() < 0.9:
            objects.put(bid.eid, [bid.content])
        else:  # the bytes come later than the seal
            delay = self.rng.uniform(0, 0.3)
            self.world.loop.call_later(delay, objects.put, bid.eid, [bid.content])
        body = {
            "envelope": base64.b64encode(bid.content[:418]).decode(),
            "token": base64.b64encode(self.world.token(bid)).decode(),
        }
        return await self.act(f"seal {bid.name}", f"{self._path}/seals", body, key=key)

    async def _look(self, bid: Bid, key: str) -> None:
        """What was acknowledged by one process is known to the other."""
        process = self.any_process()
        answer = await self.send(process, "GET", f"/v1/acts/{key}")
        if answer and answer.status == 404:
            self.world.complain(f"{process.name} knows nothing of {bid.name}, and it was taken")
        answer = await self.send(process, "GET", f"{self._path}/bids/{bid.eid}")
        state = answer.body.get("state") if answer else None
        if state in ("unknown", "stored"):
            self.world.complain(f"{process.name} calls {bid.name} {state}, and it was taken")

    def _check_refused(self, bid: Bid, key: str) -> None:
        """It was new, and followed what this bidder had been told is there."""
        books = self.world.watch.tenders[self.tender]
        state = books.state
        left = (state.deadline - self.world.loop.wall()).total_seconds() if state.deadline else 0
        for told in self.world.acts[key].refusals:
            is_early = told.code == "KF-202" and left > _MARGIN and told.began > books.moved
            if told.code in _UNFOUNDED or is_early:
                self.world.complain(f"{bid.name} is refused ({told.code}), and it was in order")

    def _believe(self, bid: Bid | None, outcomes: list[str]) -> None:
        repeated = self.world.plan.line.twice  # what was refused may come a second time
        if "ok" in outcomes:
            self.held = bid
        elif repeated or "unknown" in outcomes or "later" in outcomes:
            self.is_sure = False

    async def _withdraw(self) -> None:
        if self.held is None:
            await self._seal()
            return
        body = {"eid": self.held.eid, "signature": self.held.withdrawal()}
        outcome = await self.act(f"withdraw {self.held.name}", f"{self._path}/withdrawals", body)
        self._believe(None, [outcome])

    async def _rivals(self) -> None:
        """Two at once in the place of one: at most one of them may be taken."""
        bids = [self._next("a"), self._next("b")]
        outcomes = await asyncio.gather(*(self._send(bid, self.ids.mint()) for bid in bids))
        if outcomes.count("ok") > 1:
            self.world.complain(f"both taken: {bids[0].name}, {bids[1].name}")
        for bid, outcome in zip(bids, outcomes, strict=True):
            self._believe(bid, [outcome])

    async def _again(self) -> None:
        """The very same envelope as another act."""
        if self.held and await self._send(self.held, self.ids.mint()) == "ok":
            self.world.complain(f"taken twice: {self.held.name}")

    async def _reuse(self) -> None:
        """Another envelope under a key that is taken."""
        bid, key = self._next(), self.ids.mint()
        outcome = await self._send(bid, key)
        self._believe(bid, [outcome])
        if outcome == "ok":
            other = self._next()
            if await self._send(other, key) == "ok":
                self.world.complain(f"{other.name} is answered as {bid.name}")

    def disappointed(self) -> Iterator[str]:
        """What is stored is not what this bidder was told."""
        books = self.world.watch.tenders[self.tender]
        pseudonym = prelude().bid(self.tender, f"{self.name}/1").key.public
        found = [eid for (vk, _, _), (eid, _) in books.current.items() if vk == pseudonym]
        held = [self.held.eid] if self.held else []
        if self.is_sure and found != held:
            mine, theirs = ([self.world.names[eid] for eid in eids] for eids in (held, found))
            yield f"{self.label} holds {mine}, stored {theirs}"
