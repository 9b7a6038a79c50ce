"""What a seed means: who takes part, when, and which troubles come. Every draw is made whatever is
left out, so that a story can be told again without one of its parts.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from simulation.bidder import Bidder
from simulation.loop import START, Rng
from simulation.network import Line
from simulation.players import Host, Inspectors, Owner, Reader
from simulation.prelude import LONG, SHORT
from simulation.store import Faults

if TYPE_CHECKING:
    from simulation.process import Process
    from simulation.world import World

__all__ = ["Plan"]

_BEGIN = 2.0


class Plan:
    """`without` names parts to leave out, `early` what a planted bug reads before the lock."""

    def __init__(
        self,
        seed: int,
        without: frozenset[str] = frozenset(),
        early: frozenset[str] = frozenset(),
    ) -> None:
        self.seed, self.without, self.early = seed, without, early
        self.opens, self.verifies = seed % 12 == 0, seed % 6 == 0
        self._rng = Rng(f"plan {seed}")
        self.parts: list[str] = []
        self.slowness = self._rng.uniform(2.5, 7)
        self.deadlines = {
            SHORT: _BEGIN + self._rng.randint(4, 7),
            LONG: _BEGIN + self._rng.randint(10, 12),
        }
        self.faults = self._faults()
        self.line = self._line()
        self._machines = [self._machine(name) for name in ("p1", "p2")]
        self._absent = 0.2 if self._has("witness absent", 0.2) else 0.0
        self._witness_slow = 0.6 if self._has("witness slow", 0.2) else 0.01
        self._trouble = list(self._troubles())
        self._cast: list[Any] = []

    def is_timely(self, process: str) -> bool:
        """Whether nothing is wrong with the clocks of that process and of the database."""
        number = ("p1", "p2").index(process)
        return not self._machines[number][1] and not any(
            k.endswith("step") for k, _ in self._trouble
        )

    def moment(self, tender: str) -> datetime:
        return START + timedelta(seconds=self.deadlines[tender])

    def _has(self, part: str, likely: float) -> bool:
        drawn = self._rng.random() < likely
        if drawn:
            self.parts.append(part)
        return drawn and part not in self.without

    def _faults(self) -> Faults:
        likely = {"before": 0.05, "after": 0.06, "late": 0.04, "full": 0.05, "kept": 0.15}
        drawn = {name: chance if self._has(name, 0.3) else 0.0 for name, chance in likely.items()}
        slow = 0.2 if self._has("slow", 0.3) else 0.0
        return Faults(
            slow=slow,
            slowest=self._rng.uniform(0.02, 0.8),
            linger=self._rng.uniform(0.1, 1.5),
            notice=self._rng.choice((0.005, 0.05, 0.5)),
            **drawn,
        )

    def _line(self) -> Line:
        return Line(
            0.08 if self._has("lost", 0.4) else 0.0,
            0.15 if self._has("unanswered", 0.5) else 0.0,
            0.15 if self._has("twice", 0.3) else 0.0,
            self._rng.choice((0.005, 0.03, 0.2)),
        )

    def _machine(self, name: str) -> tuple[timedelta, float, bool]:
        most = self._rng.choice((0.3, 2, 60 if name == "p2" else 4))  # one of them is never far off
        skew = timedelta(seconds=most * self._rng.uniform(-1, 1))
        drift = self._rng.uniform(-0.02, 0.02)
        return (
            skew if self._has(f"{name} skew", 0.5) else timedelta(0),
            drift if self._has(f"{name} drift", 0.3) else 0.0,
            self._has(f"{name} edge", 0.2),
        )

    # -- troubles -----------------------------------------------------------------------------

    def _when(self) -> float:
        """Often just after a deadline, when much happens at once."""
        anywhere = self._rng.uniform(_BEGIN + 0.1, self.deadlines[LONG] + 2)
        close = self.deadlines[self._rng.choice((LONG, SHORT))] + self._rng.uniform(-0.3, 3)
        return self._rng.choice((anywhere, close))

    def _troubles(self) -> Iterator[tuple[str, Callable[["World"], Coroutine[Any, Any, None]]]]:
        for number in (1, 2):
            at, down, which = self._when(), self._rng.uniform(0.05, 3), self._rng.randrange(2)
            if self._has(f"crash {number}", 0.35):
                yield "crash", partial(_crash, at=at, down=down, which=[which])
        at, down = self._when(), self._rng.uniform(2, 5)
        if self._has("blackout", 0.12):
            yield "blackout", partial(_crash, at=at, down=down, which=[0, 1])
        at, away = self._when(), self._rng.choice((0.3, 2.0, 12.0)) * self._rng.random()
        if self._has("away", 0.2):
            yield "away", partial(_away, at=at, seconds=away)
        at, which = self._when(), self._rng.randrange(2)
        hours, lasting = self._rng.choice((-1, 24, -0.001)), self._rng.uniform(0.5, 5)
        if self._has("step", 0.25):
            yield "step", partial(_step, at=at, which=which, hours=hours, lasting=lasting)
        at, which, lasting = self._when(), self._rng.randrange(2), self._rng.uniform(0.2, 4)
        if self._has("freeze", 0.2):
            yield "freeze", partial(_freeze, at=at, which=which, seconds=lasting)
        at, back = self._when(), self._rng.uniform(0.01, 0.04)
        if self._has("database step", 0.15):
            yield "database step", partial(_step_database, at=at, back=back)

    def troubles(self, world: "World") -> list[Coroutine[Any, Any, None]]:
        return [make(world) for _, make in self._trouble]

    def set_up(self, world: "World") -> None:
        world.database.faults = msgspec.structs.replace(self.faults)
        world.shared.slowness = self.slowness
        for process, (skew, drift, edge) in zip(world.processes, self._machines, strict=True):
            process.skew, process.drift, process.with_edge = skew, drift, edge
        for witness in world.shared.witnesses:
            witness.absent, witness.slowest = self._absent, self._witness_slow
        for trustee in world.shared.trustees:
            trustee.absent = self._absent

    def calm(self, world: "World") -> None:
        world.database.faults = Faults()
        world.network.line = Line()
        world.database.offset = timedelta(0)
        for process in world.processes:
            process.stepped, process.down_until = timedelta(0), 0.0
        for one in (*world.shared.witnesses, *world.shared.trustees):
            one.absent = 0.0

    # -- the cast -----------------------------------------------------------------------------

    def players(self, world: "World") -> list[Coroutine[Any, Any, None]]:
        rng = Rng(f"cast {self.seed}")
        owner = Owner(world, "owner")
        work = [owner.publish(tender, self.moment(tender)) for tender in (LONG, SHORT)]
        for tender in (LONG, SHORT):
            end = self.deadlines[tender]
            for number in range(rng.randint(2, 4)):
                bidder = Bidder(world, f"b{number + 1}", tender)
                steps = bidder.steps(_BEGIN + 0.8, end, rng)
                if self._takes_part(f"{bidder.name} {tender[-1]}"):
                    self._cast.append(bidder)
                    work.append(bidder.live(steps))
        optional: list[tuple[str, float, Coroutine[Any, Any, None]]] = [
            (f"correct {tender[-1]}", 0.3, owner.correct(tender, self.deadlines[tender], rng))
            for tender in (LONG, SHORT)
        ]
        optional.append(("cancel", 0.06, owner.cancel(self.deadlines[SHORT], rng)))
        self._inspectors = Inspectors(world)
        for tender in (LONG, SHORT):
            pause = self._inspectors.pause(tender, self.deadlines[tender], rng)
            optional.append((f"pause {tender[-1]}", 0.25, pause))
        optional.append(("draft", 0.2, owner.draft(rng)))
        optional.append(("reader", 0.2, Reader(world).live(self.deadlines, rng)))
        optional.append(("host", 0.4, Host(world, "centre").hurry(self.deadlines, rng)))
        for part, likely, play in optional:
            drawn = rng.random() < likely
            if drawn and self._takes_part(part):
                work.append(play)
            else:
                play.close()
        return work

    def _takes_part(self, part: str) -> bool:
        self.parts.append(part)
        return part not in self.without

    async def resume(self, world: "World") -> None:
        for tender in (LONG, SHORT):
            if world.watch.tenders[tender].is_paused:
                await self._inspectors.resume(tender)

    def disappointed(self) -> Iterator[str]:
        """Bidders whose envelope is not where they were told it is."""
        for bidder in self._cast:
            yield from bidder.disappointed()


async def _crash(world: "World", at: float, down: float, which: list[int]) -> None:
    await world.until(at)
    for process in (world.processes[number] for number in which):
        world.say(process.name, "crashes")
        process.crash()
        process.down_until = world.loop.now + down


async def _away(world: "World", at: float, seconds: float) -> None:
    await world.until(at)
    world.say("database", f"is away for {seconds:.3f} s")
    world.database.go_away(seconds)
    await asyncio.sleep(seconds)


async def _freeze(world: "World", at: float, which: int, seconds: float) -> None:
    """All threads stand still, whatever they hold; time goes on."""
    await world.until(at)
    process = world.processes[which]
    world.say(process.name, f"is frozen for {seconds:.3f} s")
    process.machine.frozen_until = world.loop.now + seconds
    await asyncio.sleep(seconds)


async def _step(world: "World", at: float, which: int, hours: float, lasting: float) -> None:
    process: Process = world.processes[which]
    await world.until(at)
    world.say(process.name, f"clock set by {hours:+} h")
    process.stepped = timedelta(hours=hours)
    await asyncio.sleep(lasting)
    process.stepped = timedelta(0)


async def _step_database(world: "World", at: float, back: float) -> None:
    await world.until(at)
    world.say("database", f"clock set back by {back:.3f} s")
    world.database.offset = timedelta(seconds=-back)
