"""Full verification of exports of growing size: the real audit over real ledgers and files.

Most entries are facts of the platform in many streams, of a type that only the bench knows and
that no tender's rules decide; a second kind of ledger holds acts signed by enrolled parties.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from bench.ledgers import Institutions, new_ledger
from bench.table import CONSOLE, Row, Sizes, amount, measured, median, progress, rate, show
from rich.progress import Progress

from trading.audit import Audit, Step
from trading.committee import Charter
from trading.export import Trust, write_export
from trading.facts.party import STREAM, PartyEnrolled
from trading.kernel.ids import SystemIds
from trading.kernel.instant import FrozenClock, SystemClock
from trading.kernel.objects import LocalObjects
from trading.kernel.party import Role
from trading.ledger.archive import open_archive
from trading.ledger.committer import GroupLedger
from trading.ledger.entry import Stamp, act_message
from trading.ledger.fact import Fact, write_fact
from trading.ledger.port import ANY, Draft
from trading.ledger.signature import ActorKey, check_act

_REQUEST, _BATCH, _STREAMS = 100, 4000, 1000
_PUBLISHED = 10_000  # entries between two cosigned checkpoints
_ACTORS = 10
_TOLD = 50_000  # entries between two lines of progress
_LIMIT_SECONDS, _LIMIT_ENTRIES = 60, 1_000_000
_CHARTER = Charter(1, {"nobody": bytes(32).hex()})  # no tender here has a committee
_START = datetime(2026, 1, 1, tzinfo=UTC)


class Noted(Fact, frozen=True, tag="bench.noted/1"):
    """Recorded by the platform, or signed by an inspector."""

    by = frozenset({Role.PLATFORM, Role.INSPECTOR})
    number: int
    text: str


class _Verified(msgspec.Struct, frozen=True):
    """Seconds of one audit: all of it, its processor time, and each of its steps."""

    wall: float
    cpu: float
    steps: dict[str, float]


class _Writer:
    """Fills a ledger request by request and takes its head to the witnesses."""

    def __init__(self, folder: Path) -> None:
        clock = FrozenClock(_START)
        self._institutions = Institutions(folder, clock)
        self._folder, self._ids = folder, SystemIds(SystemClock())
        keys = self._institutions.keys
        self.ledger: GroupLedger = new_ledger(folder, clock, _BATCH, keys)
        self._publisher = self._institutions.publisher(self.ledger)

    def fill(self, size: int, signers: list[tuple[str, ActorKey]], bar: Progress) -> None:
        task = bar.add_task(f"{size:,} entries appended", total=size)
        waiting: list[Future[tuple[Stamp, ...]]] = []
        for start in range(0, size, _REQUEST):
            stream = f"note:{start // _REQUEST % _STREAMS}"
            numbers = range(start, min(size, start + _REQUEST))
            drafts = [self._draft(stream, number, signers) for number in numbers]
            waiting.append(self.ledger.submit(stream, ANY, drafts))
            if (start + _REQUEST) % _PUBLISHED == 0 or start + _REQUEST >= size:
                for answer in waiting:
                    answer.result()
                waiting.clear()
                self._publisher.publish()
            if start % _PUBLISHED == 0:
                bar.update(task, completed=start, refresh=True)
        bar.remove_task(task)

    def _draft(self, stream: str, number: int, signers: list[tuple[str, ActorKey]]) -> Draft:
        fact, key = Noted(number=number, text="现场抽查，资料齐全。"), self._ids.mint()
        if not signers:
            return Draft(fact, key)
        name, signer = signers[number % len(signers)]
        message = act_message(stream, key, name, write_fact(fact))
        return Draft(fact, key, name, signer.sign(message).hex())

    def enrol(self) -> list[tuple[str, ActorKey]]:
        signers = [(f"inspector-{n}", ActorKey.generate()) for n in range(_ACTORS)]
        for name, key in signers:
            roles = (Role.INSPECTOR,)
            fact = PartyEnrolled(party=name, name=name, roles=roles, key=key.public.hex())
            draft_key = self._ids.mint()
            sig = key.sign(act_message(STREAM, draft_key, name, write_fact(fact))).hex()
            self.ledger.append(STREAM, ANY, [Draft(fact, draft_key, name, sig)])
        return signers

    def export(self) -> Path:
        out = self._folder / "export"
        objects = LocalObjects(self._folder / "envelopes")
        trust = Trust(self._institutions.text, str(_CHARTER))
        write_export(out, self.ledger, self._publisher, trust, objects)
        return out


def _verify(export: Path, size: int, bar: Progress) -> _Verified:
    task = bar.add_task(f"{size:,} entries verified", total=size)
    steps: dict[str, float] = {}
    last = [time.perf_counter()]

    def report(step: Step) -> None:
        now = time.perf_counter()
        steps[step.en] = now - last[0]
        last[0] = now

    def tick(index: int) -> None:
        if index % _TOLD == 0:
            bar.update(task, completed=index, refresh=True)

    with open_archive(export) as archive:
        spent = measured(lambda: Audit(archive, tick=tick).run(report))
    bar.remove_task(task)
    return _Verified(spent.wall, spent.cpu, steps)


def _runs(size: int) -> int:
    return 5 if size <= 10_000 else 3 if size <= 100_000 else 1


def _middle(runs: list[_Verified]) -> _Verified:
    return sorted(runs, key=lambda run: run.wall)[len(runs) // 2]


def _measure(folder: Path, size: int, bar: Progress, *, signed: bool) -> tuple[_Verified, float]:
    """The median audit, and the seconds the export took."""
    writer = _Writer(folder)
    try:
        writer.fill(size, writer.enrol() if signed else [], bar)
        exported = measured(writer.export).wall
    finally:
        writer.ledger.close()
    runs = [_verify(folder / "export", size, bar) for _ in range(_runs(size))]
    return _middle(runs), exported


def _growth(found: dict[int, tuple[_Verified, float]]) -> Iterator[Row]:
    before: tuple[int, float] | None = None
    for size, (verified, exported) in found.items():
        wall, aim, met = verified.wall, "", None
        if size >= _LIMIT_ENTRIES:
            aim, met = f"≤ {_LIMIT_SECONDS} s", wall <= _LIMIT_SECONDS
        what = f"{size:,} entries verified"
        if before:
            linear = before[1] * size / before[0]
            limit = f"linear from {before[0]:,}"
            yield Row(what, amount(wall), limit, amount(linear), wall / linear, aim, met)
        else:
            yield Row(what, amount(wall), aim=aim, met=met)
        yield Row("  of one core's time", amount(verified.cpu))
        yield Row("  an entry", amount(wall / size))
        yield Row("  export written", amount(exported))
        before = size, wall


def _split(size: int, verified: _Verified) -> Iterator[Row]:
    for name, seconds in verified.steps.items():
        share = seconds / verified.wall
        yield Row(f"step {name}, {size:,}", amount(seconds), "all", amount(verified.wall), share)


def _signed(folder: Path, size: int, bar: Progress) -> Row:
    verified, _ = _measure(folder, size, bar, signed=True)
    key = ActorKey.generate()
    messages = [f"{number:0300d}".encode() for number in range(1000)]
    pairs = [(key.sign(message), message) for message in messages]
    work: Callable[[], object] = lambda: [check_act(key.public, s, m) for s, m in pairs]  # noqa: E731
    bare = 1000 / median([measured(work).wall for _ in range(5)])
    own = size / verified.wall
    what = f"signed acts verified, ledger of {size:,}"
    return Row(what, rate(own), "bare Ed25519 verification", rate(bare), own / bare)


def run(folder: Path, sizes: Sizes) -> None:
    found: dict[int, tuple[_Verified, float]] = {}
    with progress() as bar:
        for size in sizes.entries:
            place = folder / str(size)
            found[size] = _measure(place, size, bar, signed=False)
            CONSOLE.print(f"  {size:,} entries: {amount(found[size][0].wall)}")
        signed = _signed(folder / "signed", sizes.signed, bar)
    largest = max(found)
    rows = [*_growth(found), *_split(largest, found[largest][0]), signed]
    show("4  核验 full verification of an export (unsigned platform facts unless said)", rows)
