"""A process that appends act after act, and says what it starts and what was acknowledged.

python acting.py DATA N [--first NUMBER] [--size BYTES] [--envelopes] [--synchronous LEVEL]
                       [--hasty]

The log goes to the standard output: the faulty disk must not hold the only account of itself.
"""

import argparse
import re
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from telling import await_go, say

from trading.facts.notice import QuestionAsked
from trading.kernel.errors import Refusal
from trading.kernel.files import durable_write
from trading.kernel.instant import SystemClock
from trading.ledger.port import ANY, Draft
from web.centre import open_ledger, settings_here

STREAM = "acts"


def draft(key: str, size: int = 0) -> Draft:
    return Draft(QuestionAsked(question=key, text="?" * size), key)


def envelope(data: Path, key: str) -> Path:
    return data / "envelopes" / f"{key}.kfe"


def sealed(key: str) -> bytes:
    """What the envelope of an act holds; more than a sector, so that it can be torn."""
    return key.encode() * 1000


def weaken(level: str) -> None:
    """For the negative control: every connection of this process forgets how careful it was."""

    class Careless(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            careless = re.sub(r"(?i)\bsynchronous\s*=\s*\w+", f"synchronous={level}", sql)
            return super().execute(careless, *values)

    sqlite3.connect = partial(sqlite3.connect, factory=Careless)  # type: ignore[assignment]


def act(arguments: argparse.Namespace) -> None:
    ledger = open_ledger(arguments.data, settings_here(), SystemClock())
    await_go()
    for number in range(arguments.first, arguments.first + arguments.count):
        key = f"act-{number}"
        say("start", key)
        try:
            if arguments.envelopes:
                durable_write(envelope(arguments.data, key), [sealed(key)])
                say("sealed", key)
            if arguments.hasty:
                say("acked", key)
            ledger.append(STREAM, ANY, [draft(key, arguments.size)])
        except (Refusal, OSError, sqlite3.Error) as error:
            say("refused", key, type(error).__name__)
        else:
            if not arguments.hasty:
                say("acked", key)
    ledger.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--envelopes", action="store_true")
    parser.add_argument("--synchronous", default="")
    parser.add_argument("--hasty", action="store_true", help="acknowledge first, then write")
    arguments = parser.parse_args()
    if arguments.synchronous:
        weaken(arguments.synchronous)
    act(arguments)


if __name__ == "__main__":
    main()
