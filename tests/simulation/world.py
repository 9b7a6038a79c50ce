"""One story: two processes on one database, those who use them, and what goes wrong when. All of
it is drawn from the seed; the journal is everything that happened, without a random byte.
"""

import asyncio
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import structlog
from simulation.client import Act
from simulation.judge import inspect, is_over, verdicts
from simulation.loop import Loop, Rng, Stalled
from simulation.network import Network
from simulation.plan import Plan
from simulation.prelude import LONG, SHORT, THIRD, Bid, prelude
from simulation.process import Process
from simulation.watch import Watch

from trading.envelope.layout import Prefix
from trading.facts.bidding import EnvelopeReceived, EnvelopeWithdrawn
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.policy import Policy

__all__ = ["World"]

_NAMES = {LONG: "A", SHORT: "B", THIRD: "C"}
_BEGIN = 2.0
_LAST_WORDS = 3.0  # seconds: longer than a heartbeat that has failed once
_SETTLED = 20.0  # seconds after the last fault in which everything must come to its end


class World:
    def __init__(self, plan: Plan) -> None:
        given, self.plan = prelude(), plan
        self.problems, self.journal = list[str](), list[str]()
        self.loop = Loop(Rng(f"loop {plan.seed}"))
        self.loop.now = _BEGIN
        self.acts: dict[str, Act] = {}
        self.names = dict(_NAMES)  # what identifiers are called in the journal
        self.folder = Path(tempfile.mkdtemp(dir=given.folder))
        self.shared = given.shared(self.loop, given.table.copied(), plan.early)
        self.shared.trustees = given.trustees(self.loop, self.folder) if plan.opens else []
        self.database = self.shared.database
        self.network = Network(self.loop, plan.line, self.complain)
        self.watch = Watch(self.database, self._committed, self.complain)
        self.processes = [
            Process(name, self.shared, *application)
            for name, application in zip(("p1", "p2"), given.applications, strict=True)
        ]
        self._rights: dict[str, int] = {}
        self._logs: list[Any] = []
        self._is_calm = False
        plan.set_up(self)

    # -- the journal --------------------------------------------------------------------------

    def say(self, who: str, what: str) -> None:
        self.journal.append(f"{self.loop.now:9.4f} {who:<11} {what}")

    def complain(self, problem: str) -> None:
        self.say("!", problem)
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

    # -- what players need --------------------------------------------------------------------

    async def until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - self.loop.now))

    def token(self, bid: Bid) -> bytes:
        """Each envelope of a story has its own right to be handed in."""
        if bid.tender not in self.shared.issuers:
            return b""
        return prelude().token(self._rights.setdefault(bid.eid, len(self._rights)))

    # -- the story ----------------------------------------------------------------------------

    def run(self) -> list[str]:
        """Every problem that was found."""
        try:
            with self.loop.ruling(), structlog.testing.capture_logs() as self._logs:
                self.loop.run_until_complete(self._story())
                self._judge()
        except Stalled as stalled:
            self.complain(f"everything stands still: {stalled}")
        finally:
            self._end()
        return self.problems

    async def _story(self) -> None:
        for process in self.processes:
            process.start()
        tasks = [self.loop.create_task(work) for work in self.plan.troubles(self)]
        self.loop.create_task(self._supervise())
        await asyncio.gather(*self.plan.players(self), *tasks)
        await self._settle()
        if self.plan.verifies and not self.problems:
            await inspect(self)

    async def _supervise(self) -> None:
        """Starts what has crashed and ends what is unfit, as an operator's tool does."""
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
        return process.ledger.stopped is not None or (self._is_calm and bool(process.clock.problem))

    async def _settle(self) -> None:
        """All faults are over: everybody comes back, and the clerks finish by themselves."""
        self._is_calm = True
        self.plan.calm(self)
        self.say("world", "is calm")
        end = self.loop.now + _SETTLED
        while self._unfinished() and self.loop.now < end and not self.problems:
            await self.plan.resume(self)
            await asyncio.sleep(0.5)
        for tender in self._unfinished():
            why = [line["problem"] for line in self._logs if line.get("tender") == tender]
            phase = self.watch.tenders[tender].state.phase.value
            self.complain(f"{self.names[tender]} stays {phase} long after its end: {why[-1:]}")
        await asyncio.sleep(_LAST_WORDS)

    def _unfinished(self) -> list[str]:
        policy, opens = Policy.parse(self.shared.policy), self.plan.opens
        states = [self.watch.tenders[tender].state for tender in (LONG, SHORT)]
        return [state.id for state in states if not is_over(state, policy, opens=opens)]

    def _judge(self) -> None:
        for error in self.loop.problems:
            self.complain(f"a thread has ended: {error!r}")
        for line in self._logs:
            if line["event"] in ("failed", "duty failed"):
                self.complain(f"internal error: {line.get('exc_info')!r}")
        if not self.problems:
            for problem in list(verdicts(self)):
                self.complain(problem)

    def _end(self) -> None:
        for process in self.processes:
            process.machine.crash()
        self.loop.outside.crash()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(_a_moment())
        self.loop.close()
        shutil.rmtree(self.folder)


async def _a_moment() -> None:
    """Until whatever was cancelled has ended."""
    for _ in range(20):
        await asyncio.sleep(0)
