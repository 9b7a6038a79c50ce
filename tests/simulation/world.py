"""One story: two processes on one database, a network that loses and repeats, and what goes wrong
when. Everything is drawn from the seed; the journal is all that happened, without a random byte.
"""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import structlog
from simulation.client import Act, Answer
from simulation.known import Finding
from simulation.loop import Crashed, Loop, Rng, Stalled
from simulation.plan import Plan
from simulation.prelude import LONG, SHORT, THIRD, Bid, prelude
from simulation.process import Process
from simulation.watch import MemoryArchive, Watch

from trading.bidding import bracket_incident, decide_failures
from trading.envelope.layout import Prefix
from trading.facts.bidding import EnvelopeReceived, EnvelopeWithdrawn
from trading.kernel.errors import Refusal
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.policy import Policy
from trading.tender import Phase, Tender, fold

__all__ = ["World"]

_NAMES = {LONG: "A", SHORT: "B", THIRD: "C"}
_TIMEOUT = 3.0  # seconds a client waits for an answer
_SETTLED = 20.0  # seconds after the last fault in which everything must come to its end


class World:
    def __init__(self, plan: Plan, known: Collection[Finding] = ()) -> None:
        self._known, self.problems, self.forgiven = known, list[str](), set[str]()
        given = prelude()
        self.plan, self.loop = plan, Loop(Rng(f"loop {plan.seed}"))
        self.loop.now = 2.0
        self.journal: list[str] = []
        self.logs: list[Any] = []
        self.acts: dict[str, Act] = {}
        self.names = dict(_NAMES)  # what identifiers are called in the journal
        self.folder = Path(tempfile.mkdtemp(dir=given.folder)) if plan.opens else given.folder
        self.shared = given.shared(self.loop, given.table.copied())
        if plan.opens:
            self.shared.trustees = given.trustees(self.loop, self.folder)
        self.shared.early, self.shared.slowness = plan.early, plan.slowness
        self.database = self.shared.database
        self.watch = Watch(self.database, self._committed, self.complain)
        self.processes = [
            Process(name, self.shared, *application)
            for name, application in zip(("p1", "p2"), given.applications, strict=True)
        ]
        self._rights: dict[str, int] = {}
        self.calm = False
        plan.set_up(self)

    def token(self, bid: Bid) -> bytes:
        """Each envelope of a story has its own right to be handed in."""
        if bid.tender not in self.shared.issuers:
            return b""
        number = self._rights.setdefault(bid.eid, len(self._rights))
        return prelude().token(number)

    def say(self, who: str, what: str) -> None:
        self.journal.append(f"{self.loop.now:9.4f} {who:<11} {what}")

    def complain(self, problem: str) -> None:
        """A story goes on after a problem that is known."""
        self.say("!", problem)
        named = [finding.name for finding in self._known if finding.explains(problem)]
        self.forgiven.update(named)
        if not named:
            self.problems.append(problem)

    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.journal).encode()).hexdigest()

    def _committed(self, process: str, fact: Fact, stamp: Stamp) -> None:
        stream = self.names.get(stamp.stream.partition(":")[2], stamp.stream.partition(":")[0])
        what = f"entry {stamp.index} {stream}: {type(fact).__name__}"
        if isinstance(fact, EnvelopeReceived):
            what += f" {self.names[Prefix.parse(bytes.fromhex(fact.prefix)).eid]}"
        elif isinstance(fact, EnvelopeWithdrawn):
            what += f" {self.names[fact.eid]}"
        self.say(process, f"{what} at {stamp.at:%S.%f}")

    # -- the network --------------------------------------------------------------------------

    async def ask(
        self, process: Process, target: tuple[str, str], headers: dict[str, str], body: bytes
    ) -> Answer | None:
        """None if nobody knows what became of it."""
        faults = self.plan.network
        if self._chance(faults.lost):
            await asyncio.sleep(_TIMEOUT)
            return None
        await asyncio.sleep(self._latency())
        if not process.is_open:
            return None
        scope = _scope(target, headers, body)
        task = self._deliver(process, scope, body)
        if self._chance(faults.twice):
            self.loop.call_later(self._latency(), self._repeat, process, dict(scope), body)
        done, _ = await asyncio.wait({task}, timeout=_TIMEOUT)
        await asyncio.sleep(self._latency())
        if not done or task.cancelled() or self._chance(faults.unanswered):
            return None
        return task.result()

    def _deliver(
        self, process: Process, scope: dict[str, Any], body: bytes
    ) -> "asyncio.Task[Answer | None]":
        work = _served(process.entrance, scope, body, self._failed)
        return self.loop.create_task(work, context=process.machine.context())

    def _repeat(self, process: Process, scope: dict[str, Any], body: bytes) -> None:
        if process.is_open:
            self._deliver(process, scope, body)

    def _failed(self, path: str, error: BaseException) -> None:
        self.complain(f"{path}: {error!r}")

    def _latency(self) -> float:
        return self.loop.rng.uniform(0.001, self.plan.network.slowest)

    def _chance(self, likely: float) -> bool:
        return not self.calm and self.loop.rng.random() < likely

    async def until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - self.loop.now))

    # -- the story ----------------------------------------------------------------------------

    def run(self) -> list[str]:
        """Every problem that was found."""
        try:
            with self.loop.ruling(), structlog.testing.capture_logs() as self.logs:
                self.loop.run_until_complete(self._story())
                self._judge()
        except Stalled as stalled:
            self.complain(f"everything stands still: {stalled}")
        finally:
            self._end()
        for error in self.loop.problems:
            self.complain(f"a thread has ended: {error!r}")
        for line in self.logs:
            if line["event"] == "failed":
                self.complain(f"internal error: {line.get('exc_info')!r}")
        return self.problems

    async def _story(self) -> None:
        for process in self.processes:
            process.start()
        self.loop.create_task(self._supervise())
        trouble = [self.loop.create_task(work) for work in self.plan.troubles(self)]
        await asyncio.gather(*self.plan.players(self))
        for task in trouble:
            await task
        await self._settle()

    async def _supervise(self) -> None:
        """Starts what has crashed and ends what can no longer write, as an operator's tool does."""
        while True:
            await asyncio.sleep(0.25)
            for process in self.processes:
                if not process.machine.is_alive and process.down_until <= self.loop.now:
                    self.say(process.name, "starts")
                    process.start()
                elif process.is_open and self._is_unfit(process):
                    self.say(process.name, "is ended")
                    process.crash()

    def _is_unfit(self, process: Process) -> bool:
        """It cannot write any more, or still distrusts its clock when all is well again."""
        return process.ledger.stopped is not None or (self.calm and bool(process.clock.problem))

    async def _settle(self) -> None:
        """All faults are over: everybody comes back, and the clerks finish by themselves."""
        self.calm = True
        self.plan.calm(self)
        self.say("world", "calm")
        end = self.loop.now + _SETTLED
        while self.loop.now < end and not self.problems:
            await self.plan.resume(self)
            if all(self._is_over(tender) for tender in (LONG, SHORT)):
                break
            await asyncio.sleep(0.5)
        else:
            self._name_unfinished()
        await asyncio.sleep(0.5)

    def _is_over(self, tender: str) -> bool:
        state = self.watch.tenders[tender].state
        if state.phase is not Phase.SEALED:
            return state.phase is not Phase.BIDDING
        return not self.plan.opens and not self._is_due(state)

    def _is_due(self, state: Tender) -> bool:
        """What the law wants said at the closing, and nobody has said."""
        failures, policy = decide_failures(state), Policy.parse(self.shared.policy)
        if failures.lots or failures.tender:
            return True
        closed = state.closed
        if closed is None or state.incident:
            return False
        before, closing = policy.check(closed.before), policy.check(closed.closing)
        return bracket_incident(before, closing) is not None

    def _name_unfinished(self) -> None:
        for tender in (LONG, SHORT):
            if not self.problems and not self._is_over(tender):
                state = self.watch.tenders[tender].state
                told = [line["problem"] for line in self.logs if line.get("tender") == tender]
                self.complain(
                    f"{self.names[tender]} stays {state.phase.value} long after its end: {told[-1:]}"
                )

    def _end(self) -> None:
        for process in self.processes:
            process.machine.crash()
        self.loop.outside.crash()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(_moment())
        self.loop.close()
        if self.folder != prelude().folder:
            shutil.rmtree(self.folder)

    # -- the judgement ------------------------------------------------------------------------

    def _judge(self) -> None:
        if self.problems:
            return
        found = [problem for act in self.acts.values() for problem in self._judged(act)]
        found += [problem for process in self.processes for problem in self._agrees(process)]
        found += self.plan.disappointed(self)
        for tender, entry in self.watch.due:
            found.append(f"{self.names[tender]} was not extended after outage {entry}")
        for problem in found:
            self.complain(problem)
        if self.plan.verifies and not self.problems:
            self.watch.verify(
                MemoryArchive(
                    self.database,
                    self.shared.objects.chunks,
                    self.shared.policy,
                    self.shared.charter,
                )
            )

    def _judged(self, act: Act) -> Iterator[str]:
        """acked ⊆ stored ⊆ acked ∪ unknown, and a key that is stored is answered as such."""
        stored = self.watch.stored.get(act.key)
        if act.was("ok") and stored is None:
            yield f"{act.what}: acknowledged, and not there"
        if stored is None:
            return
        if not act.was("ok") and not act.was("unknown") and not self.plan.network.twice:
            yield f"{act.what}: refused by everyone, and there"
        index, since = stored
        for told in act.tries:
            if told.outcome == "ok" and told.index not in (None, index):
                yield f"{act.what}: answered as entry {told.index}, stored as {index}"
            if told.outcome == "refused" and told.began > since:
                yield f"{act.what}: refused ({told.code}) when it was stored already"

    def _agrees(self, process: Process) -> Iterator[str]:
        """What a process believes is what a stranger folds from the record."""
        if not process.is_open:
            yield f"{process.name} did not come back: {getattr(process, 'why_not', '')}"
            return
        head = self.database.table.head
        if head and process.ledger.root(head.size) != head.root:
            yield f"{process.name} has another tree"
        for tender in (LONG, SHORT):
            facts = process.ledger.stream(f"tender:{tender}")
            try:
                fresh = fold(tender, facts)
            except Refusal as refusal:
                yield f"{process.name} cannot fold {self.names[tender]}: {refusal}"
                continue
            if process.office.load(tender) != fresh:
                yield f"{process.name} believes something else about {self.names[tender]}"


async def _moment() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def _served(
    app: Callable[..., Awaitable[None]],
    scope: dict[str, Any],
    body: bytes,
    failed: Callable[[str, BaseException], None],
) -> Answer | None:
    """None if the server ended without an answer."""
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    try:
        await app(scope, receive, send)
    except Crashed:
        return None
    except Exception as error:  # noqa: BLE001  whatever leaves an application is a finding
        failed(scope["path"], error)
        return None
    text = b"".join(message.get("body", b"") for message in told)
    return Answer(told[0]["status"], text)


def _scope(target: tuple[str, str], headers: dict[str, str], body: bytes) -> dict[str, Any]:
    method, path = target
    given = headers | {"content-length": str(len(body))}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("192.0.2.1", 40_000),
        "server": ("centre.example", 80),
        "extensions": {},
    }
