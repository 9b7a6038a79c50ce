"""What every topic prints: one table of figures beside their peers, and the clocks to take them."""

import os
import statistics
import sys
import time
from collections.abc import Callable

import msgspec
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

__all__ = ["CONSOLE", "Row", "Sizes", "advance", "amount", "measured", "median", "progress", "show"]

_WIDTH = 160  # of a table that goes into a file
CONSOLE = Console(width=None if sys.stdout.isatty() else _WIDTH)


class Sizes(msgspec.Struct, frozen=True):
    """How much is measured; `quick` stays within a minute or two."""

    quick: bool
    rounds: int
    batches: int
    leaves: tuple[int, ...]
    envelopes: int
    entries: tuple[int, ...]
    signed: int


class Row(msgspec.Struct, frozen=True):
    """One line of a table. `ratio` and `met` stay empty where nothing is compared or aimed at."""

    what: str
    figure: str
    peer: str = ""
    peer_figure: str = ""
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None


class Spent(msgspec.Struct, frozen=True):
    """Seconds of one call, on the wall and of processor time in all threads."""

    wall: float
    cpu: float


def measured(work: Callable[[], object], repeats: int = 1) -> Spent:
    """The mean of so many calls in a row."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Spent(wall / repeats, cpu / repeats)


def median(values: list[float]) -> float:
    return statistics.median(values)


def amount(seconds: float) -> str:
    """A duration in the unit that suits it."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.2f} ms"
    return f"{seconds * 1e6:.1f} µs"


def rate(each: float) -> str:
    return f"{each:,.0f} /s"


def progress() -> Progress:
    """Drawn only between measurements: a thread that draws would be measured with them."""
    return Progress(console=CONSOLE, transient=True, auto_refresh=False)


def advance(bar: Progress, task: TaskID, by: int = 1) -> None:
    bar.update(task, advance=by, refresh=True)


def show(title: str, rows: list[Row]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("what", "figure", "peer or limit", "its figure", "ratio", "aim", "met"):
        align = "right" if name in ("figure", "its figure", "ratio") else "left"
        table.add_column(name, justify=align, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:,.2f}x"
        met = "" if row.met is None else "[green]yes[/]" if row.met else "[red]no[/]"
        table.add_row(row.what, row.figure, row.peer, row.peer_figure, ratio, row.aim, met)
    CONSOLE.print(table)


def cores() -> int:
    return len(os.sched_getaffinity(0))
