"""Those who use the centre from outside: they keep the key of an act until they know what became
of it, send it again to whichever process answers, and remember what they were told.
"""

import asyncio
import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from simulation.loop import Rng
from simulation.prelude import LONG, Bid, prelude
from simulation.process import SimIds

from trading.facts.notice import NoticeCorrected
from trading.facts.suspension import (
    ResumptionAsked,
    SuspensionAsked,
    TenderResumed,
    TenderSuspended,
)
from trading.facts.tender import TenderCancelled, TenderPublished
from trading.ledger.entry import act_message
from trading.ledger.fact import Fact, write_fact
from web.signing import Message, RequestSigner

if TYPE_CHECKING:
    from simulation.world import Answer, World

__all__ = ["Bidder", "Host", "Inspectors", "Owner"]

_TRIES = 8
_NOT_NOW = {"KF-102", "KF-108", "KF-126", "KF-705", "KF-711", "KF-121", "KF-122", "KF-133"}
_GROUND = "供电故障"


def _judged(answer: "Answer | None") -> str:
    if answer is None or answer.status == 503 and answer.code not in _NOT_NOW:
        return "unknown"
    if answer.status < 300:
        return "ok"
    return "later" if answer.code in _NOT_NOW else "refused"


class Client:
    """One party; without a key of the roll it is a bidder, whom nobody may know."""

    def __init__(self, world: "World", name: str) -> None:
        from simulation.world import Act, Told

        self.world, self.name, self._rng = world, name, world.loop.rng
        self.label = name
        self._act, self._told = Act, Told
        self._key = prelude().keys.get(name)
        self._ids = SimIds(self._rng)

    async def act(
        self, what: str, path: str, body: dict[str, Any], fact: Fact | None = None, key: str = ""
    ) -> str:
        """What became of it, as far as this client can find out: ok, refused or unknown."""
        key = key or self._ids.mint()
        act = self.world.acts.setdefault(key, self._act(key, what))
        if act.what != what:  # another act under a key that is taken
            act = self._act(key, what)
        given = body | {"id": key}
        if fact and self._key:
            stream = f"tender:{path.split('/')[3]}"
            message = act_message(stream, key, self.name, write_fact(fact))
            given["sig"] = self._key.sign(message).hex()
        outcome = "unknown"
        for _ in range(_TRIES):
            outcome = await self._try(act, path, given)
            if outcome in ("ok", "refused"):
                break
            await asyncio.sleep(self._rng.uniform(0.05, 0.6))
        return outcome

    async def _try(self, act: Any, path: str, body: dict[str, Any]) -> str:
        began, process = self.world.loop.wall(), self._rng.choice(self.world.processes)
        answer = await self.post(process, path, body)
        outcome = _judged(answer)
        code, index = (answer.code, answer.body.get("index")) if answer else ("-", None)
        act.tries.append(self._told(began, outcome, code, index))
        place = "" if index is None else f" entry {index}"
        self.world.say(self.label, f"{act.what} by {process.name}: {outcome} {code}{place}")
        if code in ("KF-124", "KF-127", "KF-128") or (answer and answer.status == 500):
            self.world.problems.append(f"{act.what}: {answer and answer.body}")
        return outcome

    async def post(self, process: Any, path: str, body: dict[str, Any]) -> "Answer | None":
        raw = msgspec.json.encode(body) if body else b""
        headers: dict[str, str] = {}
        if self._key:
            headers = {"content-type": "application/json"}
            message = Message("POST", f"http://centre.example{path}", headers)
            RequestSigner(self.name, self._key).sign(message, raw)
            headers = message.headers
        return await self.world.ask(process, "POST", path, headers, raw)


class Owner(Client):
    async def publish(self, tender: str, deadline: datetime, rng: Rng) -> None:
        documents = deadline - timedelta(seconds=2)
        fact = TenderPublished(deadline=deadline, documents_until=documents)
        body = {"deadline": deadline, "documents_until": documents}
        what = f"publish {self.world.names[tender]}"
        await self.act(what, f"/v1/tenders/{tender}/publication", body, fact)

    async def correct(self, tender: str, end: float, rng: Rng) -> None:
        """Two corrections at most; the first may come too late for the law."""
        at, more = rng.uniform(3, end - 1), rng.randint(0, 3)
        await self.world.until(at)
        deadline = self.world.plan.moment(tender) + timedelta(seconds=more)
        fact = NoticeCorrected(text="更正", deadline=deadline if more else None)
        body = {"text": "更正"} | ({"deadline": deadline} if more else {})
        what = f"correct {self.world.names[tender]} by {more} s"
        await self.act(what, f"/v1/tenders/{tender}/corrections", body, fact)

    async def cancel(self, end: float, rng: Rng) -> None:
        at, tender = rng.uniform(3, end + 1), self.world.shared.tenders[rng.randrange(2)]
        await self.world.until(at)
        body, fact = {"ground": _GROUND}, TenderCancelled(ground=_GROUND)
        what = f"cancel {self.world.names[tender]}"
        await self.act(what, f"/v1/tenders/{tender}/cancellation", body, fact)


class Inspectors:
    """Two persons: what one asks for the other confirms."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._first, self._second = (Client(world, f"inspector-{n}") for n in (1, 2))

    async def pause(self, tender: str, end: float, rng: Rng) -> None:
        at, lasting = rng.uniform(3, end + 0.2), rng.uniform(0.2, 4)
        await self._world.until(at)
        path, name = f"/v1/tenders/{tender}", self._world.names[tender]
        asked, ground = SuspensionAsked(ground=_GROUND), {"ground": _GROUND}
        await self._first.act(f"ask to pause {name}", f"{path}/suspension-request", ground, asked)
        await self._second.act(f"pause {name}", f"{path}/suspension", {}, TenderSuspended())
        await asyncio.sleep(lasting)
        await self.resume(tender)

    async def resume(self, tender: str) -> None:
        path, name = f"/v1/tenders/{tender}", self._world.names[tender]
        asked, ground = ResumptionAsked(ground=_GROUND), {"ground": _GROUND}
        await self._second.act(f"ask to resume {name}", f"{path}/resumption-request", ground, asked)
        await self._first.act(f"resume {name}", f"{path}/resumption", {}, TenderResumed())


class Host(Client):
    async def hurry(self, deadlines: dict[str, float], rng: Rng) -> None:
        """Closes and opens by hand, before, beside and after the clerks."""
        moments = [
            (end + rng.uniform(-0.5, 2.5), tender, word)
            for tender, end in deadlines.items()
            for word in ("closing", "stages/2/opening")
        ]
        for moment, tender, word in sorted(moments):
            await self.world.until(moment)
            process = self._rng.choice(self.world.processes)
            answer = await self.post(process, f"/v1/tenders/{tender}/{word}", {})
            code = answer.code if answer else "-"
            self.world.say(self.name, f"{word} {self.world.names[tender]}: {code}")


class Bidder(Client):
    """`held` is the envelope that this bidder knows to count; it stops once it cannot know."""

    def __init__(self, world: "World", name: str, tender: str) -> None:
        super().__init__(world, name)
        self.label = f"{world.names[tender]}:{name}"
        self.tender, self._path = tender, f"/v1/tenders/{tender}"
        self.held: Bid | None = None
        self.is_sure, self._made = True, 0

    def steps(self, begin: float, end: float, rng: Rng) -> list[tuple[float, str]]:
        kinds = ("replace", "replace", "withdraw", "rivals", "again", "reuse")
        moments = [
            rng.choice((rng.uniform(begin, end), end + rng.gauss(-0.15, 0.3)))
            for _ in range(rng.randint(1, 4))
        ]
        return [
            (moment, "seal" if first else rng.choice(kinds))
            for first, moment in zip((True, False, False, False), sorted(moments), strict=False)
        ]

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
        bid, key = self._next(), self._ids.mint()
        tries = [self._send(bid, key)]
        if self._rng.random() < 0.25:
            tries.append(self._send(bid, key))
        self._believe(bid, await asyncio.gather(*tries))

    _replace = _seal

    async def _send(self, bid: Bid, key: str, *, is_stored: bool = True) -> str:
        if is_stored and self._rng.random() < 0.9:
            self.world.shared.objects.put(bid.eid, [bid.content])
        else:
            self.world.loop.call_later(
                self._rng.uniform(0, 0.3), self.world.shared.objects.put, bid.eid, [bid.content]
            )
        body = {
            "envelope": base64.b64encode(bid.content[:418]).decode(),
            "token": base64.b64encode(bid.token).decode(),
        }
        return await self.act(f"seal {bid.name}", f"{self._path}/seals", body, key=key)

    def _believe(self, bid: Bid | None, outcomes: list[str]) -> None:
        if "ok" in outcomes:
            self.held = bid
        elif "unknown" in outcomes or "later" in outcomes:
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
        outcomes = await asyncio.gather(*(self._send(bid, self._ids.mint()) for bid in bids))
        if outcomes.count("ok") > 1:
            self.world.problems.append(f"both taken: {bids[0].name}, {bids[1].name}")
        for bid, outcome in zip(bids, outcomes, strict=True):
            self._believe(bid, [outcome])

    async def _again(self) -> None:
        """The very same envelope as another act."""
        if self.held:
            outcome = await self._send(self.held, self._ids.mint())
            if outcome == "ok":
                self.world.problems.append(f"taken twice: {self.held.name}")

    async def _reuse(self) -> None:
        """Another envelope under a key that is taken."""
        key = self._ids.mint()
        bid = self._next()
        outcome = await self._send(bid, key)
        self._believe(bid, [outcome])
        if outcome == "ok":
            other = self._next()
            if await self._send(other, key) == "ok":
                self.world.problems.append(f"{other.name} answered as {bid.name}")

    def disappointed(self) -> Iterator[str]:
        books = self.world.watch.tenders[self.tender]
        found = [eid for (vk, _, _), (eid, _) in books.current.items() if vk == self._vk()]
        held = [self.held.eid] if self.held else []
        if self.is_sure and found != held:
            yield f"{self.name} of {self.world.names[self.tender]} holds {held}, stored {found}"

    def _vk(self) -> bytes:
        return prelude().bid(self.tender, f"{self.name}/1").key.public


_ = LONG
