"""A live centre to be measured: a tender with bids sealed beforehand, and what an act costs."""

import asyncio
import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
from bench.load import Closed, Open, Outcome, Target, drive_apart, post
from bench.processes import Postgres, Usage, busy, usage

from trading.envelope.content import Bidder, Manifest, Price, describe_files
from trading.envelope.layout import PREFIX, Stage
from trading.envelope.seal import BidKey, Sealing, seal
from trading.kernel.instant import SystemClock
from trading.kernel.party import Role
from trading.ledger.policy import Policy
from web.client import Client, act_id
from web.invitation import invited_to
from web.migrate import migrate
from web.rehearsal import Rehearsal

__all__ = ["BenchTender", "Spent", "centre_on", "driven", "fresh", "place_of"]

_DAY = 2_000  # milliseconds of a day: forty seconds and the spare until the deadline


class BenchTender:
    """One tender of a live rehearsal, with bids whose bytes are there already."""

    def __init__(self, rehearsal: Rehearsal, spare: int) -> None:
        self.rehearsal, self.id = rehearsal, act_id()
        self.path = f"/v1/tenders/{self.id}"
        owner = _enrolled(rehearsal, "owner", Role.PURCHASER)
        owner.act(
            "/v1/tenders",
            {
                "tender": self.id,
                "number": self.id[-8:],
                "title": "压力测试",
                "buyer": "某县",
                "buyer_id": "b",
                "procedure": "open-tender",
                "method": "lowest-reviewed-price",
                "lots": [{"number": 1, "title": "一"}],
                "day_millis": _DAY,
                "with_tokens": False,
            },
        )
        owner.post(f"{self.path}/committees", {"stage": Stage.PRICE, "threshold": 3})
        now = SystemClock().read().at
        self.deadline = (now + timedelta(seconds=_DAY * 20 // 1000 + spare)).replace(microsecond=0)
        dates = {"deadline": self.deadline, "documents_until": now + timedelta(seconds=21)}
        owner.act(f"{self.path}/publication", dates)
        policy = Policy.parse((rehearsal.data / "policy.txt").read_text("utf-8"))
        self.address = invited_to(rehearsal.client(), self.id, policy)

    def sealed(self, count: int, documents: Path | None = None) -> list[bytes]:
        """The prefixes of `count` bids whose envelopes lie in the store; written without fsync, and
        without their bodies unless they have documents.
        """
        folder = self.rehearsal.data / "envelopes"
        folder.mkdir(exist_ok=True)
        prefixes = []
        for number in range(count):
            out = io.BytesIO()
            bidder = Bidder(f"91{number}", "公司")
            files = describe_files(documents) if documents else ()
            manifest = Manifest(bidder, files, 1, Price(number + 1), Stage.PRICE, self.id)
            prefix = seal(manifest, documents, Sealing(address=self.address, key=BidKey()), out)
            with (folder / f"{prefix.eid}.kfe").open("wb") as file:
                file.write(out.getvalue() if documents else out.getvalue()[:PREFIX])
            prefixes.append(prefix.pack())
        return prefixes

    def requests(self, prefixes: list[bytes]) -> list[bytes]:
        return [
            post(
                f"{self.path}/seals",
                msgspec.json.encode({"id": act_id(), "envelope": prefix}),
                {"Content-Type": "application/json"},
            )
            for prefix in prefixes
        ]


def _enrolled(rehearsal: Rehearsal, party: str, role: Role) -> Client:
    if not (rehearsal.folder / f"{party}.enrolled").exists():
        rehearsal.enrol(party, party, role)
        (rehearsal.folder / f"{party}.enrolled").touch()
    return rehearsal.client(party)


@contextmanager
def centre_on(
    folder: Path, database: Postgres | None = None, clerk: str = "false"
) -> Iterator[Rehearsal]:
    url = fresh(database) if database else ""
    with Rehearsal(folder, database=url, settings={"clerk": clerk}) as made:
        yield made


def place_of(centre: Rehearsal, database: Postgres | None = None) -> tuple[int, tuple[int, int]]:
    """The port of its node, and the processes whose time an act costs."""
    node = centre.nodes["one"]
    port = int(node.url.rpartition(":")[2])
    return port, (node.process.pid, database.pid if database else 0)


def fresh(database: Postgres) -> str:
    """A migrated database of its own on the server."""
    name = f"kaifeng_{act_id().replace('-', '')}"

    async def create() -> None:
        connection = await asyncpg.connect(database.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(create())
    parts = urlsplit(database.url)
    url = urlunsplit(parts._replace(path=f"/{name}"))
    migrate(url)
    return url


class Spent(msgspec.Struct, frozen=True):
    """Microseconds of processor an act, and the share of the machine others took meanwhile."""

    server: float
    database: float
    others: float

    @property
    def total(self) -> float:
        return self.server + self.database


def driven(
    folder: Path, port: int, plan: Closed | Open, requests: list[bytes], pids: tuple[int, int]
) -> tuple[Outcome, Spent]:
    before, whole, start = (
        [usage(pid) if pid else None for pid in pids],
        busy(),
        time.perf_counter(),
    )
    outcome = drive_apart(folder, Target(port, timeout=60), plan, requests)
    spent = [_since(pid, old) for pid, old in zip(pids, before, strict=True)]
    wall = time.perf_counter() - start
    others = max(0.0, (busy() - whole) - sum(spent) - outcome.cpu) / wall
    done = max(1, len(requests))
    return outcome, Spent(spent[0] / done * 1e6, spent[1] / done * 1e6, others)


def _since(pid: int, before: Usage | None) -> float:
    return usage(pid).since(before) if pid and before else 0.0
