"""隔离读取 bidders' files, read and compared in a process of its own with an end to its time and
memory: what hangs or bursts there takes nothing with it.

`python -m analytics.reading FOLDER SECONDS` reads `FOLDER/homes.json` and writes its evidence to
standard output, a line each time it knows more: first what the makers' records say, which no file
of whatever size can hold up. Each bidder has its share of the time, and what the light ones leave.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from analytics.dossier import Dossier, read_dossier, read_makers
from analytics.likeness import likeness
from trading.facts.warning import Match

__all__ = ["Evidence", "Home", "read_apart"]

_HOMES = "homes.json"
_SECONDS, _GRACE, _AGAIN = 300, 5, 0.1
_MEMORY = 6 << 30
_MOST = 200  # findings of one lot
_PARAGRAPHS, _CHARACTERS = 100_000, 20_000_000  # of one bidder
_FOR_READING = 0.6  # of the time; the rest is for comparing
_NOTHING = Dossier("tender", (), None, ())
_TOO_MUCH = "全部文件：读取超限 / reading took too much"


class Home(msgspec.Struct, frozen=True):
    """Where one bidder's files lie."""

    folder: str
    bidder: str
    name: str


class Evidence(msgspec.Struct, frozen=True):
    """`unread`: files that could not be read, bidder by bidder."""

    matches: tuple[Match, ...]
    unread: tuple[str, ...]


def read_apart(folder: Path, homes: Sequence[Home], seconds: int = _SECONDS) -> Evidence:
    """What the other process said last, if it does not come back in time, or not whole."""
    (folder / _HOMES).write_bytes(msgspec.json.encode(homes))
    command = [sys.executable, "-m", "analytics.reading", str(folder), str(seconds)]
    try:
        done = subprocess.run(  # noqa: S603  our own program
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds + _GRACE,
            check=False,
        )
        said = done.stdout
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
    whole = said.rpartition(b"\n")[0].rpartition(b"\n")[2]
    try:
        return msgspec.json.decode(whole, type=Evidence)
    except msgspec.MsgspecError:
        return Evidence((), tuple(f"{home.bidder} {_TOO_MUCH}" for home in homes))


class _Enough(BaseException):
    """The time is up; no `except Exception` of a reader below swallows it."""


def _read(folder: Path, seconds: int) -> Iterator[Evidence]:
    homes = msgspec.json.decode((folder / _HOMES).read_bytes(), type=list[Home])
    makers = [_known(home, _TOO_MUCH) for home in homes]
    yield _evidence(makers)
    left, dossiers = seconds * _FOR_READING, dict[str, Dossier]()
    for waiting, home in zip(range(len(homes), 0, -1), sorted(homes, key=_weight), strict=True):
        share, before = left / waiting, _spent()
        dossiers[home.folder] = _one(home, share)
        left -= _spent() - before
    yield _evidence([dossiers[home.folder] for home in homes])


def _evidence(dossiers: Sequence[Dossier]) -> Evidence:
    found = likeness(dossiers, _NOTHING)[:_MOST]
    return Evidence(
        tuple(one.as_match() for one in found),
        tuple(f"{one.bidder} {file}" for one in dossiers for file in one.unread),
    )


def _one(home: Home, seconds: float) -> Dossier:
    try:
        with _at_most(seconds):
            read = read_dossier(Path(home.folder), home.bidder, home.name, lenient=True)
    except (_Enough, MemoryError):
        return _known(home, _TOO_MUCH)
    characters = sum(len(passage.text) for passage in read.passages)
    if len(read.passages) > _PARAGRAPHS or characters > _CHARACTERS:
        return _known(home, "文字过多，未比对 / too much text to compare")
    return read


def _known(home: Home, unread: str) -> Dossier:
    """What the makers' records say, and nothing of the rest."""
    makers = read_makers(Path(home.folder))
    return Dossier(home.bidder, makers, None, (), name=home.name, unread=(unread,))


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Of a processor; _Enough afterwards, as soon as Python has its say again."""

    def end(*_: object) -> None:
        raise _Enough

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, max(seconds, _AGAIN), _AGAIN)  # should one be swallowed
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _weight(home: Home) -> int:
    return sum(path.stat().st_size for path in Path(home.folder).rglob("*") if path.is_file())


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(folder: Path, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    for evidence in _read(folder, seconds):
        sys.stdout.buffer.write(msgspec.json.encode(evidence) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
