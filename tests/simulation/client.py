"""A program outside the centre: it keeps the key of an act until it knows what became of it, sends
it again to whichever process answers, and remembers everything it was told.
"""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from simulation.network import Answer
from simulation.prelude import prelude
from simulation.process import Process, SimIds

from trading.ledger.entry import act_message
from trading.ledger.fact import Fact, write_fact
from trading.ledger.signature import ActorKey
from web.signing import Message, RequestSigner

if TYPE_CHECKING:
    from simulation.world import World

__all__ = ["Act", "Client", "Told", "signature"]

_TRIES = 6
_AUTHORITY = "centre.example"
# What is refused for now: a race, a replay, an unready body, a full disk, lane or day.
_LATER = {"KF-102", "KF-108", "KF-121", "KF-122", "KF-126", "KF-133", "KF-705", "KF-711"}
_CLOCKS = {"KF-711": "a clock that is right", "KF-121": "a signature that is fresh"}
_OURS = {"KF-124", "KF-127", "KF-128"}  # malformed, unsigned, internal: somebody's bug


class Told(msgspec.Struct, frozen=True):
    """One try of an act, and what its client was told: ok, refused, later or unknown."""

    began: datetime
    outcome: str
    code: str
    index: int | None


class Act(msgspec.Struct):
    """What a client does under one key, however often it must be sent."""

    key: str
    what: str
    tries: list[Told] = []

    def was(self, outcome: str) -> bool:
        return any(told.outcome == outcome for told in self.tries)

    @property
    def refusals(self) -> list[Told]:
        return [told for told in self.tries if told.outcome == "refused"]


class Client:
    """One party; one without a key is a bidder, whom nobody may know."""

    def __init__(self, world: "World", name: str, key: ActorKey | None = None) -> None:
        self.world, self.name, self.label, self.rng = world, name, name, world.loop.rng
        self.key = key or prelude().keys.get(name)
        self.ids = SimIds(self.rng)

    async def act(
        self, what: str, path: str, body: dict[str, Any], fact: Fact | None = None, key: str = ""
    ) -> str:
        """What became of it, as far as this client can find out: ok, refused or unknown."""
        key = key or self.ids.mint()
        act = self.world.acts.setdefault(key, Act(key, what))
        if act.what != what:  # another act under a key that is taken
            act = Act(key, what)
        given = {"id": key} | body
        if fact and self.key:
            stream = f"tender:{path.split('/')[3]}"
            given["sig"] = signature(self.key, stream, key, self.name, fact)
        outcome = "unknown"
        for _ in range(_TRIES):
            outcome = await self._try(act, path, given)
            if outcome in ("ok", "refused"):
                break
            await asyncio.sleep(self.rng.uniform(0.1, 0.8))
        return outcome

    async def _try(self, act: Act, path: str, body: dict[str, Any]) -> str:
        began, process = self.world.loop.wall(), self.any_process()
        answer = await self.send(process, "POST", path, body)
        outcome = _judged(answer)
        code, index = (answer.code, answer.body.get("index")) if answer else ("-", None)
        act.tries.append(Told(began, outcome, code, index))
        place = "" if index is None else f" entry {index}"
        self.world.say(self.label, f"{act.what} by {process.name}: {outcome} {code}{place}")
        # whoever was never answered at its enrolment may not be enrolled
        is_unknown = answer is not None and "未登记".encode() in answer.text
        if code in _CLOCKS and self.world.plan.is_timely(process.name) and not is_unknown:
            self.world.complain(f"{process.name} distrusts {_CLOCKS[code]}")
        if code in _OURS or (answer and answer.status == 500):
            self.world.complain(f"{act.what}: {answer and answer.body}")
        return outcome

    def any_process(self) -> Process:
        return self.rng.choice(self.world.processes)

    async def send(
        self, process: Process, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Answer | None:
        raw = msgspec.json.encode(body) if body else b""
        headers = {"host": _AUTHORITY, "content-type": "application/json"}
        if self.key and method == "POST":
            message = Message(method, f"http://{_AUTHORITY}{path}", headers)
            RequestSigner(self.name, self.key).sign(message, raw)
            headers = message.headers
        return await self.world.network.ask(process, (method, path), headers, raw)


def signature(key: ActorKey, stream: str, act: str, party: str, fact: Fact) -> str:
    return key.sign(act_message(stream, act, party, write_fact(fact))).hex()


def _judged(answer: Answer | None) -> str:
    if answer is None:
        return "unknown"
    if answer.code in _LATER:
        return "later"
    if answer.status < 300:
        return "ok"
    return "unknown" if answer.status >= 500 else "refused"
