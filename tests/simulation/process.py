"""One process of the centre: the application, desks, sequencer and duties as they are in
production, on a simulated machine whose clock may be wrong and which may die at any moment.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import msgspec
from simulation.institutions import SimObjects, SimTrustee, SimWitness
from simulation.loop import Bell, Loop, Machine, Mailbox, Rng, wait
from simulation.store import Database, SimStore

from evaluation.desks.ranking import check_method
from trading.desks.office import Office
from trading.envelope.token import TokenIssuer
from trading.kernel.calendar import Calendar
from trading.kernel.errors import Refusal
from trading.kernel.instant import Clock, Reading, SteadyClock, TrustedClock
from trading.kernel.settings import Settings
from trading.ledger.committer import GroupLedger
from trading.ledger.entry import Stamp
from trading.ledger.policy import Policy
from trading.ledger.port import Draft
from trading.ledger.publish import Publisher
from trading.ledger.signature import NoteKey
from trading.tender import Phase
from web.app import create_app, hot_ways
from web.duties import Duties
from web.edge import Edge, Lane
from web.feed import FeedPages
from web.node import Node
from web.parties import Parties
from web.ports import Desks, Ports
from web.tiles import Tiles
from web.uploads import Uploads

__all__ = ["Door", "Process", "Shared", "SimIds", "SimLedger", "application"]

SETTINGS = Settings(outage_seconds=3, publish_ms=4000)
_CALENDAR = Calendar.of_china()


class SimLedger(GroupLedger):
    """The sequencer, whose thread gives way in virtual time."""

    def __init__(self, machine: Machine, store: SimStore, key: NoteKey, clock: Clock) -> None:
        super().__init__(store, [key], clock)
        self._thread.join()
        self._queue = Mailbox()  # type: ignore[assignment]
        machine.start(super()._run)

    def _run(self) -> None:
        """The real thread has nothing to do."""

    def submit(
        self, stream: str, expected: int, drafts: Sequence[Draft]
    ) -> "Future[tuple[Stamp, ...]]":
        answer = _Answer()
        answer.set_running_or_notify_cancel()
        super().submit(stream, expected, drafts).add_done_callback(answer.follow)
        return answer


class _Answer(Future[tuple[Stamp, ...]]):
    """Waited for in a thread, other threads go on; on the event loop it is an error."""

    def follow(self, other: "Future[tuple[Stamp, ...]]") -> None:
        error = other.exception()
        self.set_exception(error) if error else self.set_result(other.result())

    def result(self, timeout: object = None) -> tuple[Stamp, ...]:
        while not self.done():
            wait(lambda wake: self.add_done_callback(lambda _: wake()))
        return super().result(0)


class SimIds:
    """UUIDv7 in form, drawn from the seed."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng

    def mint(self) -> str:
        digits = f"{self._rng.getrandbits(122):031x}"
        return f"{digits[:8]}-{digits[8:12]}-7{digits[12:15]}-8{digits[15:18]}-{digits[18:30]}"


class Door:
    """In the place of `Ports`: an application is made once, its processes come and go."""

    ports: Ports

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ports, name)


def application() -> tuple[Door, Any]:
    door = Door()
    return door, create_app(cast("Ports", door))


class Shared(msgspec.Struct):
    """What all processes of a centre have in common."""

    loop: Loop
    database: Database
    objects: SimObjects
    witnesses: list[SimWitness]
    trustees: list[SimTrustee]
    key: NoteKey
    policy: str
    charter: str
    issuers: dict[str, TokenIssuer]
    tenders: list[str]
    folder: Path
    slowness: float = 3.0
    early: frozenset[str] = frozenset()

    def of(self, tender: str) -> TokenIssuer:
        return self.issuers[tender]


class _Lists:
    """What the projection would say; at a start it may lag for a moment."""

    def __init__(self, office: Office, shared: Shared) -> None:
        self._office, self._shared, self._behind = office, shared, shared.loop.rng.choice((0, 0, 3))
        self.rows = self

    @property
    def lag(self) -> int:
        self._behind = max(0, self._behind - 1)
        return self._behind

    def page(self, after: str, limit: int) -> list[Any]:
        return []

    def deadlines(self) -> Any:
        """A list for duties, an empty crowd for the purchaser's desk: an iterable either way."""
        return dict.fromkeys((moment for _, moment in self._in(Phase.BIDDING) if moment), 0)

    def bidding(self) -> list[str]:
        return [name for name, _ in self._in(Phase.BIDDING)]

    def unopened(self) -> list[str]:
        return [name for name, _ in self._in(Phase.SEALED)]

    def _in(self, phase: Phase) -> list[tuple[str, datetime | None]]:
        found = []
        for tender in self._shared.tenders:
            with self._office.live.held(tender) as state:
                if state.phase is phase:
                    found.append((tender, state.deadline))
        return found


class _Wall:
    """The clock that somebody may set."""

    def __init__(self, read: Callable[[], datetime], error: timedelta) -> None:
        self._read, self._error = read, error

    def read(self) -> Reading:
        return Reading(self._read(), self._error)


class Process:
    """`skew` and `drift` (seconds a second) are the machine's, `stepped` was set by hand."""

    def __init__(self, name: str, shared: Shared, door: Door, app: Any) -> None:
        self.name, self.shared, self._door, self._app = name, shared, door, app
        self.skew, self.drift, self.stepped = timedelta(0), 0.0, timedelta(0)
        self.with_edge, self.down_until, self.why_not = False, 0.0, ""
        self.machine = Machine(shared.loop, self.wall)
        self.machine.is_alive = False
        self.is_open = False
        self.entrance: Any = app

    def wall(self) -> datetime:
        drifted = timedelta(seconds=self.shared.loop.now * self.drift)
        return self.shared.loop.wall() + self.skew + self.stepped + drifted

    def _elapsed(self) -> int:
        return int(self.shared.loop.now * (1 + self.drift) * 1e9)

    def start(self) -> None:
        self.machine = Machine(self.shared.loop, self.wall)
        self.is_open = False
        self.machine.start(self._serve)

    def crash(self) -> None:
        self.is_open = False
        self.machine.crash()
        if hasattr(self, "store"):
            self.store.hang_up()

    def _serve(self) -> None:
        """As `kaifeng serve` does: the ledger, the ports, the outage that has ended, the door."""
        try:
            self._build()
            duties = Duties(cast("Node", self))
            duties._ended = Bell(self.shared.loop, self.shared.slowness)  # type: ignore[assignment]
            duties._make_good()
        except Refusal as refusal:
            self.why_not = str(refusal)
            self.shared.loop.call_soon(self.crash)
            return
        self._door.ports = self.ports
        self.entrance = self._with_edge() if self.with_edge else self._app
        self.is_open = True
        for name, job in (
            ("herald", duties._publish),
            ("heartbeat", duties._beat),
            ("clerk", duties._keep_deadlines),
        ):
            self.machine.start(partial(duties._run, name, job))

    def _build(self) -> None:
        shared = self.shared
        error = timedelta(milliseconds=SETTINGS.clock_error_ms)
        self.settings, self.data = SETTINGS, shared
        self.store = SimStore(self.name, shared.database, self.machine, shared.early)
        steady = SteadyClock(error, _Wall(self.wall, error), self._elapsed)
        self.ledger = SimLedger(self.machine, self.store, shared.key, steady)
        limit = timedelta(milliseconds=SETTINGS.clock_drift_ms)
        self.clock = TrustedClock(steady, lambda: self.ledger.offset, limit)
        self.office = Office(
            ledger=self.ledger,
            publisher=Publisher(self.ledger, list(shared.witnesses), Policy.parse(shared.policy)),
            clock=self.clock,
            ids=SimIds(shared.loop.rng),
            objects=shared.objects,
            calendar=_CALENDAR,
            check_method=check_method,
        )
        self.lists = _Lists(self.office, shared)
        self.ports = self._ports()

    def _ports(self) -> Ports:
        shared, limit = self.shared, 1 << 20
        return Ports(
            office=self.office,
            desks=Desks(
                self.office, limit, timedelta(seconds=SETTINGS.outage_seconds), shared.folder, ""
            ),
            parties=Parties(self.ledger),
            uploads=Uploads(shared.folder, shared.objects, self.clock, limit),
            tiles=Tiles(self.ledger),
            feed=FeedPages(self.ledger, self.office.phase_of),
            issuers=shared,
            lists=self.lists,
            trustees=shared.trustees,
            policy=shared.policy,
            charter=shared.charter,
            probe=list,
        )

    def _with_edge(self) -> Edge:
        """Lanes that are full as soon as two requests are inside."""
        edge = Edge(self._app, seals=2, hot=hot_ways(self.ports))
        edge._lanes["write"] = Lane("write", 2)
        return edge
