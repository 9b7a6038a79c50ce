"""Those who use the centre beside its bidders: owner, inspectors, host, and whoever takes the
documents and asks.
"""

import asyncio
import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulation.client import Act, Client, signature
from simulation.loop import Rng
from simulation.prelude import LONG, PACE, THIRD, prelude

from trading.facts.notice import NoticeCorrected, QuestionAnswered
from trading.facts.party import STREAM, PartyEnrolled
from trading.facts.suspension import (
    ResumptionAsked,
    SuspensionAsked,
    TenderResumed,
    TenderSuspended,
)
from trading.facts.tender import Lot, TenderCancelled, TenderDrafted, TenderPublished
from trading.kernel.canonical import sha256
from trading.kernel.party import Role
from trading.ledger.signature import ActorKey

if TYPE_CHECKING:
    from simulation.world import World

__all__ = ["Host", "Inspectors", "Owner", "Reader"]

_GROUND = "供电故障"


class Owner(Client):
    async def publish(self, tender: str, deadline: datetime) -> None:
        documents = deadline - timedelta(seconds=2)
        fact = TenderPublished(deadline=deadline, documents_until=documents)
        body = {"deadline": deadline, "documents_until": documents}
        await self._do("publish", tender, "publication", body, fact)

    async def correct(self, tender: str, end: float, rng: Rng) -> None:
        """With or without a later deadline; it may come too late for the law."""
        at, more = rng.uniform(3, end), rng.randint(0, 3)
        await self.world.until(at)
        deadline = self.world.plan.moment(tender) + timedelta(seconds=more)
        fact = NoticeCorrected(text="更正", deadline=deadline if more else None)
        body = {"text": "更正"} | ({"deadline": deadline} if more else {})
        await self._do(f"correct by {more} s", tender, "corrections", body, fact)

    async def cancel(self, end: float, rng: Rng) -> None:
        at, tender = rng.uniform(3, end + 1), rng.choice(self.world.shared.tenders)
        await self.world.until(at)
        fact = TenderCancelled(ground=_GROUND)
        await self._do("cancel", tender, "cancellation", {"ground": _GROUND}, fact)

    async def answer(self, tender: str, question: str) -> None:
        fact = QuestionAnswered(question=question, text="是")
        await self._do("answer", tender, "answers", {"question": question, "text": "是"}, fact)

    async def draft(self, rng: Rng) -> None:
        """A third tender, which nobody goes on with."""
        await self.world.until(rng.uniform(2, 8))
        fields: dict[str, Any] = {
            "tender": THIRD,
            "number": "开封招字第 c 号",
            "title": "桥梁",
            "buyer": "某县交通局",
            "buyer_id": "buyer-1",
            "procedure": "open-tender",
            "method": "lowest-reviewed-price",
        }
        fact = TenderDrafted(**fields, lots=(Lot(1, "一"),), pace=PACE)
        more = {"day_millis": PACE.millis, "with_tokens": False, "lots": [_LOT]}
        key = self.ids.mint()
        assert self.key
        sig = signature(self.key, f"tender:{THIRD}", key, self.name, fact)
        await self.act("draft C", "/v1/tenders", fields | more | {"sig": sig}, key=key)

    async def _do(
        self, what: str, tender: str, place: str, body: dict[str, Any], fact: Any
    ) -> None:
        name = self.world.names[tender]
        await self.act(f"{what} {name}", f"/v1/tenders/{tender}/{place}", body, fact)


_LOT = {"number": 1, "title": "一"}


class Inspectors:
    """Two persons: what one asks for the other confirms."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._first, self._second = (Client(world, f"inspector-{n}") for n in (1, 2))

    async def pause(self, tender: str, end: float, rng: Rng) -> None:
        at, lasting = rng.choice((rng.uniform(3, end), end - rng.uniform(0, 0.3))), rng.random() * 4
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
        """Closes and opens by hand: before, beside and after the clerks."""
        moments = [
            (end + rng.uniform(-0.5, 2.5), tender, word)
            for tender, end in deadlines.items()
            for word in ("closing", "stages/2/opening")
        ]
        for moment, tender, word in sorted(moments):
            await self.world.until(moment)
            process = self.any_process()
            answer = await self.send(process, "POST", f"/v1/tenders/{tender}/{word}")
            code = answer.code if answer else "-"
            name = self.world.names[tender]
            self.world.say(self.name, f"{word} {name} by {process.name}: {code}")


class Reader(Client):
    """Is enrolled, takes the documents and asks, mostly at the last moment."""

    def __init__(self, world: "World") -> None:
        name = f"reader-{world.plan.seed}"  # a process counts what each party has taken
        super().__init__(world, name, ActorKey(sha256(name.encode())))
        self._owner, self._host = Owner(world, "owner"), Host(world, "centre")

    async def live(self, deadlines: dict[str, float], rng: Rng) -> None:
        moments = [end - abs(rng.gauss(0, 0.3)) for end in deadlines.values()]
        await self.world.until(rng.uniform(2.5, 4))
        await self._enrol()
        for moment, tender in sorted(zip(moments, deadlines, strict=True)):
            await self.world.until(moment)
            await asyncio.gather(self._ask(tender), self._take())

    async def _enrol(self) -> None:
        assert self.key
        roles = (Role.BIDDER,)
        fact = PartyEnrolled(
            party=self.name, name=self.name, roles=roles, key=self.key.public.hex()
        )
        key = self.ids.mint()
        body = {"party": self.name, "name": self.name, "roles": roles, "key": fact.key}
        body["sig"] = signature(self.key, STREAM, key, self.name, fact)
        await self._host.act("enrol a reader", "/v1/parties", body, key=key)

    async def _ask(self, tender: str) -> None:
        process = self.any_process()
        body, name = {"text": "可否分包"}, self.world.names[tender]
        answer = await self.send(process, "POST", f"/v1/tenders/{tender}/questions", body)
        code = answer.code if answer else "-"
        self.world.say(self.name, f"asks about {name} by {process.name}: {code}")
        question = answer.body.get("question") if answer else None
        if question:
            await self._owner.answer(tender, str(question))

    async def _take(self) -> None:
        """The same question, however often: it is one token, and one entry."""
        blinded = prelude().blinded
        body = {"blinded": base64.b64encode(blinded).decode()}
        key = sha256(b"kaifeng token", self.name.encode(), blinded).hex()
        act = self.world.acts.setdefault(key, Act(key, "take a token of A"))
        for _ in range(3):
            outcome = await self._try(act, f"/v1/tenders/{LONG}/tokens", body)
            if outcome in ("ok", "refused"):
                break
            await asyncio.sleep(self.rng.uniform(0.05, 0.3))
