"""The edge under load: seals over HTTP beside FastAPI with an ORM, the deadline minute, uploads,
appends on PostgreSQL beside COPY.

The server runs in a process of its own with witnesses and trustees as processes; so does the
generator. Processor time is that of the server's tree and of the database's, read from /proc.
"""

import asyncio
import time
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx
from bench import bare_commit
from bench.live import BenchTender, Spent, centre_on, driven, fresh, place_of
from bench.load import Closed, Open, Outcome
from bench.peer import PeerServer, seal_requests
from bench.processes import Postgres, postgres, usage
from bench.table import Row, Sizes, measured, show

from trading.envelope.admit import Address, admit
from trading.envelope.layout import Prefix
from trading.facts.notice import QuestionAsked
from trading.kernel.instant import SystemClock
from trading.ledger.port import ANY, Draft
from web.centre import open_ledger, settings_here

__all__ = ["run"]

_CLIENTS = (64, 512)
_LOOSE = 1 << 16


def run(folder: Path, sizes: Sizes) -> None:
    (folder / "postgres").mkdir()
    with postgres(folder / "postgres") as database:
        for name, url in (("SQLite", None), ("PostgreSQL", database)):
            place = folder / name
            _seals(place, name, url, sizes)
            _minute(place, name, url, sizes)
        _append(folder / "append", database, sizes)
    _upload(folder / "upload", sizes)


def _admit_all(prefixes: list[bytes], address: Address) -> None:
    for prefix in prefixes:
        admit(Prefix.parse(prefix), address)


def _seals(folder: Path, name: str, database: Postgres | None, sizes: Sizes) -> None:
    """One durable sealed act over HTTP, and the same in FastAPI with SQLAlchemy's ORM."""
    count = 1_000 if sizes.quick else 5_000
    rows = []
    with centre_on(folder / "seals", database) as centre:
        port, pids = place_of(centre, database)
        tender = BenchTender(centre, spare=600)
        for clients in _CLIENTS:
            prefixes = tender.sealed(count)
            proof = measured(partial(_admit_all, prefixes[:200], tender.address))
            ours, spent = driven(
                folder, port, Closed(clients, count), tender.requests(prefixes), pids
            )
            peer, theirs = _peer(folder / f"peer-{clients}", database, clients, count)
            rows += _seal_rows(name, clients, (ours, spent), (peer, theirs), proof.cpu / 200 * 1e6)
            _check(tender, prefixes, ours)
    show(f"One sealed act over HTTP on {name}", rows)


def _peer(
    folder: Path, database: Postgres | None, clients: int, count: int
) -> tuple[Outcome, Spent]:
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        server = (
            PeerServer(database.sqlalchemy_url, folder)
            if database
            else PeerServer.on_sqlite(folder)
        )
        stack.enter_context(server)
        requests = list(seal_requests(count, tender=f"t-{clients}"))
        pids = (server.pid, database.pid if database else 0)
        return driven(folder, server.port, Closed(clients, count), requests, pids)


def _seal_rows(
    name: str,
    clients: int,
    ours: tuple[Outcome, Spent],
    peer: tuple[Outcome, Spent],
    proof: float,
) -> list[Row]:
    out, spent = ours
    theirs, their = peer
    act = spent.total - proof
    title = f"{name}, {clients} clients"
    return [
        Row(
            f"{title}: whole act, µs of a core (others took {spent.others:.2f})",
            f"{spent.total:.0f} ({spent.server:.0f} + {spent.database:.0f})",
            "FastAPI + ORM",
            f"{their.total:.0f}",
            their.total / spent.total,
        ),
        Row(
            f"{title}: without the envelope's proofs ({proof:.0f} µs)",
            f"{act:.0f}",
            "FastAPI + ORM (checks none)",
            f"{their.total:.0f}",
            their.total / act,
            "≤ 300 µs, ≥ 6x",
            act <= 300 and their.total / act >= 6,
        ),
        Row(
            f"{title}: acts/s; p50, p99 in ms",
            f"{out.rate:.0f}; {out.p50 * 1e3:.0f}, {out.p99 * 1e3:.0f}",
            "FastAPI + ORM",
            f"{theirs.rate:.0f}; {theirs.p50 * 1e3:.0f}, {theirs.p99 * 1e3:.0f}",
            out.rate / theirs.rate,
            "p99 ≤ 1 s, 0 lost",
            out.p99 <= 1 and not out.errors,
        ),
    ]


def _check(tender: BenchTender, prefixes: list[bytes], outcome: Outcome) -> None:
    """What was acknowledged is there."""
    client = tender.rehearsal.client()
    for answer in outcome.answers[:: max(1, len(outcome.answers) // 50)]:
        eid = Prefix.parse(prefixes[answer.index]).eid
        state = client.get(f"{tender.path}/bids/{eid}")["state"]
        if answer.status == 201 and state != "received":
            raise AssertionError(f"lost: {eid}")


def _minute(folder: Path, name: str, database: Postgres | None, sizes: Sizes) -> None:
    """Open loop at a fixed rate up to the very deadline, reads beside it."""
    rate, seconds = 300, 10 if sizes.quick else 60
    with centre_on(folder / "minute", database) as centre:
        port, pids = place_of(centre, database)
        tender = BenchTender(centre, spare=90 + (0 if sizes.quick else 60))
        prefixes = tender.sealed(rate * seconds)
        requests = tender.requests(prefixes)
        left = (tender.deadline - SystemClock().read().at).total_seconds() - seconds + 1
        time.sleep(max(0.0, left))
        started = SystemClock().read().at
        outcome, spent = driven(folder, port, Open(200, rate, seconds), requests, pids)
        rows = _minute_rows(name, tender, (outcome, spent), prefixes, started, rate)
    show(f"The deadline minute on {name}", rows)


def _minute_rows(
    name: str,
    tender: BenchTender,
    run: tuple[Outcome, Spent],
    prefixes: list[bytes],
    started: datetime,
    rate: int,
) -> list[Row]:
    outcome, spent = run
    acked = [answer for answer in outcome.answers if answer.status == 201]
    late = _late(tender, [Prefix.parse(prefixes[a.index]).eid for a in acked[-400:]])
    refused = outcome.counts.get(409, 0)
    return [
        Row(
            f"{rate}/s until the deadline, started {started:%H:%M:%S}",
            f"{len(acked)} sealed, {refused} too late, {outcome.errors} lost",
            aim="0 late, 0 lost",
            met=late == 0 and not outcome.errors,
        ),
        Row("late among the acknowledged", f"{late}", aim="0", met=late == 0),
        Row(
            "p50, p99, max in ms",
            f"{outcome.p50 * 1e3:.0f}, {outcome.p99 * 1e3:.0f}, {outcome.top * 1e3:.0f}",
            aim="p99 ≤ 1 s",
            met=outcome.p99 <= 1,
        ),
        Row(
            "µs of a core an act", f"{spent.total:.0f} ({spent.server:.0f} + {spent.database:.0f})"
        ),
    ]


def _late(tender: BenchTender, eids: list[str]) -> int:
    client = tender.rehearsal.client()
    found = [client.get(f"{tender.path}/bids/{eid}") for eid in eids]
    return sum(
        bid["state"] != "received" or datetime.fromisoformat(bid["at"]) >= tender.deadline
        for bid in found
    )


def _append(folder: Path, database: Postgres, sizes: Sizes) -> None:
    """Facts in requests of 256 on PostgreSQL, beside bare COPY of the same rows."""
    batches = 20 if sizes.quick else 80
    folder.mkdir()
    ledger = open_ledger(folder, settings_here(), SystemClock(), fresh(database))
    drafts = [
        [Draft(QuestionAsked(question="q" * 200, text="t" * 400), f"{b}-{n}") for n in range(256)]
        for b in range(batches)
    ]
    spent = measured(lambda: [ledger.append(f"s{n}", ANY, d) for n, d in enumerate(drafts)])
    ledger.close()
    rate = batches * 256 / spent.wall
    limit = bare_commit.postgres_limit(database.url, batches)
    row = Row(
        "requests of 256 facts",
        f"{rate:,.0f} /s",
        "bare COPY",
        f"{limit.rate:,.0f} /s",
        rate / limit.rate,
        "≥ 20 k/s",
        rate >= 20_000,
    )
    show("Ledger append on PostgreSQL", [row])


def _upload(folder: Path, sizes: Sizes) -> None:
    """200 connections send envelopes at once; the server's memory is watched."""
    count, size = (50 if sizes.quick else 200), 8 << 20
    with centre_on(folder, None) as centre:
        node = centre.nodes["one"]
        tender = BenchTender(centre, spare=600)
        bodies = _bodies(tender, count, size)
        before = usage(node.process.pid)
        started = time.perf_counter()
        asyncio.run(_send(node.url, tender.path, bodies))
        wall = time.perf_counter() - started
        grown = (usage(node.process.pid).rss - before.rss) / (1 << 20)
    rate = count * size / wall / 1e6
    show(
        "Uploads",
        [
            Row(
                f"{count} connections, {size >> 20} MiB each",
                f"{rate:.0f} MB/s",
                aim="≥ 100 MB/s",
                met=rate >= 100,
            ),
            Row("resident memory grown by", f"{grown:.0f} MiB", aim="< 64 MiB", met=grown < 64),
        ],
    )


def _bodies(tender: BenchTender, count: int, size: int) -> list[Path]:
    """One sealed envelope, copied: the server checks the digest of each."""
    bid = tender.rehearsal.folder / "documents"
    bid.mkdir()
    (bid / "a.bin").write_bytes(b"x" * (size - _LOOSE))
    return [bid / "a.bin"] * count


async def _send(url: str, path: str, bodies: list[Path]) -> None:
    limits = httpx.Limits(max_connections=len(bodies))
    content = bodies[0].read_bytes()
    tus = {"Tus-Resumable": "1.0.0"}
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:

        async def one() -> None:
            made = await client.post(
                f"{path}/uploads", headers=tus | {"Upload-Length": str(len(content) + 1)}
            )
            kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
            answer = await client.patch(
                made.headers["Location"], content=content, headers=tus | kind
            )
            if answer.status_code != 204:
                raise AssertionError(answer.text)

        await asyncio.gather(*(one() for _ in bodies))
