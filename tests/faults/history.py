"""What clients were told against what is stored: acked ⊆ stored ⊆ started, once each, no gaps.

An act that was started and never answered may be stored or not; nobody was promised anything.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from acting import STREAM, draft, envelope, sealed

from trading.kernel.errors import Refusal
from trading.kernel.instant import SystemClock
from trading.ledger.committer import GroupLedger
from trading.ledger.entry import Stamp, leaf_hash, read_entry, stamped
from trading.ledger.fact import Fact
from trading.ledger.port import ANY, Draft
from web.centre import open_ledger, settings_here

Stored = tuple[str, int]  # key and height


def go_without(what: str) -> NoReturn:
    """Skip the test by the name of what this machine lacks, unless nothing may be lacking."""
    if "REQUIRE_SHARED" in os.environ:
        pytest.fail(f"{what} is absent")
    pytest.skip(f"{what} is absent")


def said(log: str, word: str) -> list[str]:
    """The keys behind a word of the log; a last line that was torn off says nothing."""
    lines = [line.split() for line in log.splitlines(keepends=True) if line.endswith("\n")]
    return [line[1] for line in lines if line[0] == word]


def check_history(
    started: Sequence[str], acked: Sequence[str], stored: Sequence[Stored]
) -> list[str]:
    """Everything that is wrong; empty if nothing is."""
    keys = [key for key, _ in stored]
    problems = [f"{key} was acknowledged and is lost" for key in acked if key not in keys]
    problems += [f"{key} is stored and nobody started it" for key in keys if key not in started]
    problems += [f"{key} is stored twice" for key in sorted(set(keys)) if keys.count(key) > 1]
    heights = [height for _, height in stored]
    if heights != list(range(len(heights))):
        problems.append(f"the heights are {heights}")
    return problems


def kept(ledger: GroupLedger, stream: str) -> list[tuple[Fact, Stamp]]:
    """By the database itself, whatever the ledger remembers."""
    return [
        stamped(read_entry(record.raw, record.index), record.index, leaf_hash(record.leaf))
        for record in ledger.store.stream_rows(stream, 0)
    ]


def stored_in(ledger: GroupLedger) -> list[Stored]:
    return [(fact.question, stamp.height) for fact, stamp in kept(ledger, STREAM)]


def lost_envelopes(data: Path, log: str) -> list[str]:
    """Envelopes whose writing came to its end, and that are not there or not whole."""
    files = {key: envelope(data, key) for key in said(log, "sealed")}
    return [
        f"the envelope of {key} is lost"
        for key, file in files.items()
        if not file.exists() or file.read_bytes() != sealed(key)
    ]


def again(ledger: GroupLedger, key: str) -> Draft:
    known = ledger.find(key)
    return draft(key, len(known[0].text) if known else 0)


def restart(data: Path, log: str) -> list[str]:
    """Problems found after a restart; then all that was started is tried again under its key, as
    clients do who got no answer, and must be there exactly once.
    """
    started, acked = said(log, "start"), said(log, "acked")
    problems = lost_envelopes(data, log)
    try:
        ledger = open_ledger(data, settings_here(), SystemClock())
    except Refusal as refusal:
        return [*problems, f"the ledger does not open: {refusal}"]
    with ledger:
        problems += check_history(started, acked, stored_in(ledger))
        answers = [ledger.submit(STREAM, ANY, [again(ledger, key)]) for key in started]
        for answer in answers:
            answer.result()
        problems += check_history(started, started, stored_in(ledger))
    return problems
