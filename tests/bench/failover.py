"""The primary killed under load and its synchronous standby promoted, as a bidder sees it."""

import itertools
import tempfile
import threading
import time
from pathlib import Path

from bench.live import BenchTender, driven
from bench.load import Open, Outcome
from bench.table import Row, Sizes, show
from database import Server
from faults.pair import Pair, missing

from trading.envelope.layout import Prefix
from web.rehearsal import Rehearsal

__all__ = ["run"]

_RATE = 100  # seals a second
_CLIENTS = 300
_MOMENTS = ("in step", "stalled")


def run(folder: Path, sizes: Sizes) -> None:
    if lack := missing():
        show("Failover", [Row(f"skipped: {lack}", "")])
        return
    seconds = 20 if sizes.quick else 45
    with tempfile.TemporaryDirectory(prefix="kaifeng-pg-") as place:
        Path(place).chmod(0o755)  # the database's user must get in
        cluster = Path(place) / "cluster"
        Server(cluster).stop()
        rows = [
            row
            for number, moment in enumerate(_MOMENTS)
            for row in _killed(
                folder / str(number), Path(place) / str(number), cluster, moment, seconds
            )
        ]
    show("The database's primary dies", rows)


def _killed(folder: Path, place: Path, cluster: Path, moment: str, seconds: int) -> list[Row]:
    pair = Pair(place)
    try:
        pair.start(cluster)
        settings = {"clerk": "false"}
        with Rehearsal(folder, database=pair.url, settings=settings) as centre:
            tender = BenchTender(centre, spare=600)
            prefixes = tender.sealed(_RATE * seconds)
            requests = tender.requests(prefixes)
            node = centre.nodes["one"]
            port, pids = int(node.url.rpartition(":")[2]), (node.process.pid, 0)
            fate = threading.Thread(target=_fate, args=(pair, moment, seconds / 3))
            fate.start()
            outcome, _ = driven(folder, port, Open(_CLIENTS, _RATE, seconds), requests, pids)
            fate.join()
            lost = _lost(tender, prefixes, outcome)
    finally:
        pair.stop()
    counts = outcome.counts
    refused = sum(count for status, count in counts.items() if status != 201)
    return [
        Row(
            f"{moment}: longest time without an acknowledgement, {_RATE}/s on one node",
            f"{_outage(outcome):.1f} s",
            aim="≤ 15 s",
            met=_outage(outcome) <= 15,
        ),
        Row(
            f"{moment}: {counts.get(201, 0)} acknowledged, {refused} refused or unknown",
            f"{lost} lost",
            aim="0 acknowledged lost",
            met=lost == 0,
        ),
    ]


def _fate(pair: Pair, moment: str, after: float) -> None:
    time.sleep(after)
    if moment == "stalled":  # the standby lacks what the primary is about to acknowledge
        pair.stall_replication()
        time.sleep(1)
    pair.kill_primary()
    pair.promote()


def _outage(outcome: Outcome) -> float:
    """Seconds; each request fell due at its index's moment."""
    times = sorted(
        answer.index / _RATE + answer.latency for answer in outcome.answers if answer.status == 201
    )
    return max(later - now for now, later in itertools.pairwise(times))


def _lost(tender: BenchTender, prefixes: list[bytes], outcome: Outcome) -> int:
    client = tender.rehearsal.client()
    acked = [answer.index for answer in outcome.answers if answer.status == 201]
    states = (
        client.get(f"{tender.path}/bids/{Prefix.parse(prefixes[index]).eid}")["state"]
        for index in acked
    )
    return sum(state != "received" for state in states)
