"""The network of institutions: reads beside the rush, and an opening with its trustees."""

import threading
import time
from pathlib import Path
from typing import Any

from bench.live import BenchTender, centre_on, driven, place_of
from bench.load import Closed, Open, Outcome, Target, drive_apart
from bench.table import Row, Sizes, show

__all__ = ["run"]

_RATE = 300  # seals a second
_READERS = 32
_MIB = 1 << 20
_PATIENCE = 300


def run(folder: Path, sizes: Sizes) -> None:
    _reads(folder / "reads", sizes)
    _opening(folder / "opening", sizes)


def _reads(folder: Path, sizes: Sizes) -> None:
    """Pages of the feed and tiles of the tree, while seals come at the rate of the last minute."""
    seconds, reads = (8, 3_000) if sizes.quick else (30, 20_000)
    with centre_on(folder) as centre:
        port, pids = place_of(centre)
        tender = BenchTender(centre, spare=600)
        requests = tender.requests(tender.sealed(_RATE * seconds))
        alone, _ = driven(folder, port, Open(200, _RATE, seconds / 2), requests[::2], pids)
        found: list[Outcome] = []
        reader = threading.Thread(target=_read, args=(folder / "readers", port, reads, found))
        reader.start()
        seals, _ = driven(folder, port, Open(200, _RATE, seconds / 2), requests[1::2], pids)
        reader.join()
    read = found[0]
    good = read.counts.get(200, 0) / read.seconds
    show(
        "Reads beside the rush",
        [
            Row(
                f"feed and tiles, {_READERS} readers; turned away {read.counts.get(503, 0)}",
                f"{good:,.0f} /s",
                aim="≥ 1,500 /s",
                met=good >= 1_500,
            ),
            Row(
                f"seals at {_RATE}/s meanwhile: p50, p99 in ms, lost",
                _said(seals),
                "without readers",
                _said(alone),
                aim="unaffected, 0 lost",
                met=not seals.errors and seals.p99 <= 1,
            ),
        ],
    )


def _said(outcome: Outcome) -> str:
    return f"{outcome.p50 * 1e3:.0f}, {outcome.p99 * 1e3:.0f}, {outcome.errors}"


def _read(folder: Path, port: int, count: int, found: list[Outcome]) -> None:
    folder.mkdir()
    paths = ("/v1/feed?limit=50", "/tile/0/000.p/50", "/checkpoint")
    raw = [f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode() for path in paths]
    requests = [raw[number % len(raw)] for number in range(count)]
    found.append(drive_apart(folder, Target(port), Closed(_READERS, count), requests))


def _opening(folder: Path, sizes: Sizes) -> None:
    """From the deadline to the record: closing, shares of three trustees, every envelope."""
    count = 100 if sizes.quick else 1_000
    documents = folder / "documents"
    documents.mkdir(parents=True)
    (documents / "bid.pdf").write_bytes(b"%PDF" + bytes(_MIB - (1 << 17)))
    with centre_on(folder / "centre", clerk="true") as centre:
        port, pids = place_of(centre)
        tender = BenchTender(centre, spare=60 if sizes.quick else 240)
        requests = tender.requests(tender.sealed(count, documents))
        outcome, _ = driven(folder, port, Closed(64, count), requests, pids)
        _wait_until(tender.deadline.timestamp())
        started = time.time()  # noqa: TID251  the deadline is of the calendar
        view = _opened(tender)
        seconds = time.time() - started  # noqa: TID251
    show(
        "An opening over the network",
        [
            Row(
                f"{count} envelopes of 1 MiB, 3 of 5; the node killed on the way and started again",
                f"{seconds:.1f} s; {len(view['opened'])} of {outcome.counts.get(201, 0)} opened",
                aim="≤ 60 s, restart-safe",
                met=seconds <= 60 and len(view["opened"]) == count,
            )
        ],
    )


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))  # noqa: TID251


def _opened(tender: BenchTender) -> dict[str, Any]:
    """The view once all is recorded; the node is killed once, in the middle."""
    client, end = tender.rehearsal.client(), time.monotonic() + _PATIENCE
    killed = False
    while time.monotonic() < end:
        view: dict[str, Any] = client.get(tender.path)
        if view["phase"] == "opened":
            return view
        if view["opened"] and not killed:
            node = tender.rehearsal.nodes["one"].process
            node.kill()
            node.wait()
            tender.rehearsal.restart_node()
            killed = True
        time.sleep(0.2)
    raise TimeoutError
