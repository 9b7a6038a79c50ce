"""隔离读取 bidders' files, read and compared in a process of its own with an end to its time and
memory: what hangs or bursts there takes nothing with it.

`python -m analytics.reading FOLDER` reads `FOLDER/homes.json` and writes its evidence to standard
output.
"""

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from analytics.dossier import Dossier, Maker, read_dossier
from analytics.likeness import likeness
from trading.facts.warning import Match

__all__ = ["Evidence", "Home", "read_apart"]

_HOMES = "homes.json"
_SECONDS, _GRACE = 300, 5
_MEMORY = 6 << 30
_MOST = 200  # findings of one lot
_NOTHING = Dossier("tender", Maker(), None, ())


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
    """All of it unread if the other process does not come back in time, or not whole."""
    (folder / _HOMES).write_bytes(msgspec.json.encode(homes))
    command = [sys.executable, "-m", "analytics.reading", str(folder), str(seconds)]
    try:
        done = subprocess.run(  # noqa: S603  our own program
            command, capture_output=True, timeout=seconds + _GRACE, check=True
        )
        return msgspec.json.decode(done.stdout, type=Evidence)
    except (subprocess.SubprocessError, msgspec.MsgspecError) as error:
        told = f"全部文件：读取超限 / reading took too much: {type(error).__name__}"
        return Evidence((), tuple(f"{home.bidder} {told}" for home in homes))


def _read(folder: Path) -> Evidence:
    homes = msgspec.json.decode((folder / _HOMES).read_bytes(), type=list[Home])
    dossiers = [
        read_dossier(Path(home.folder), home.bidder, home.name, lenient=True) for home in homes
    ]
    found = likeness(dossiers, _NOTHING)[:_MOST]
    return Evidence(
        tuple(msgspec.convert(msgspec.structs.asdict(one), Match) for one in found),
        tuple(f"{one.bidder} {file}" for one in dossiers for file in one.unread),
    )


def main(folder: Path, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sys.stdout.buffer.write(msgspec.json.encode(_read(folder)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
