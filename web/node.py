"""One node of a centre: a ledger on a store, the ports of the edge, and what runs by itself.

Several nodes may share one database, one folder of keys and one store of envelopes.
"""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from evaluation.desks.ranking import check_method
from trading.committee import Charter
from trading.desks.office import Office
from trading.envelope.token import TokenIssuer
from trading.kernel.calendar import Calendar
from trading.kernel.database import open_database
from trading.kernel.errors import Refusal
from trading.kernel.files import durable_folder, durable_write, write_secret
from trading.kernel.ids import PartyId, SystemIds
from trading.kernel.instant import SteadyClock, TrustedClock
from trading.kernel.objects import open_objects
from trading.kernel.party import Actor, Role
from trading.kernel.settings import Settings, read_secret
from trading.ledger.committer import GroupLedger
from trading.ledger.policy import Policy, write_policy
from trading.ledger.publish import Publisher
from trading.ledger.signature import ActorKey
from trading.tables import TenderList
from web.centre import log_keys, open_ledger
from web.deadlines import hour_of
from web.feed import FeedPages
from web.institutions import HttpTrustee, HttpWitness, read_trustees, read_witnesses
from web.parties import Parties
from web.ports import Desks, Health, Listed, Ports
from web.signing import RequestSigner
from web.tiles import Tiles
from web.trailing import Trailing
from web.uploads import Uploads

if TYPE_CHECKING:
    from evaluation.desks.papers import PaperDesk

__all__ = ["Node"]

CENTRE = "centre"
_NOTHING = "0" * 64  # the name of no envelope
_PATIENCE = 2


class _IssuerFolder:
    """One PEM file a tender, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, TokenIssuer] = {}
        self._lock = threading.Lock()

    def of(self, tender: str) -> TokenIssuer:
        with self._lock:
            if tender not in self._known:
                path = self._folder / f"{tender}.pem"
                if not path.exists():
                    write_secret(path, TokenIssuer.generate().pem())
                self._known[tender] = TokenIssuer.from_pem(read_secret(path))
            return self._known[tender]


class _Lists:
    """The projection of this node."""

    def __init__(self, ledger: GroupLedger, data: Path, node: str) -> None:
        path = data / f"lists-{node}.db"
        is_new = not path.exists()
        self._engine = open_database(f"sqlite:///{path}")
        self.rows = TenderList(self._engine)
        self.rows.name += f"@{node}"
        self._trailing = Trailing(ledger, self.rows, afresh=is_new)

    @property
    def lag(self) -> int:
        return self._trailing.lag

    def page(self, after: str, limit: int) -> list[Listed]:
        wanted = Listed.__struct_fields__
        rows = self.rows.page(after, limit)
        return [Listed(*(getattr(row, name) for name in wanted)) for row in rows]

    def deadlines(self) -> dict[str, int]:
        crowd: dict[str, int] = {}
        for moment in self.rows.deadlines():
            crowd[hour_of(moment)] = crowd.get(hour_of(moment), 0) + 1
        return crowd

    def close(self) -> None:
        self._trailing.close()
        self._engine.dispose()


class Node:
    """Everything a node needs, opened in order and closed in reverse.

    `data` holds keys, policy, charter, uploads and (without `objects` and `database`) everything
    else; nodes of one centre share it. `name` tells them apart.
    """

    def __init__(
        self, data: Path, settings: Settings, database: str = "", name: str = "one"
    ) -> None:
        durable_folder(data)
        self.data, self.settings, self._closing = data, settings, ExitStack()
        error = timedelta(milliseconds=settings.clock_error_ms)
        steady = SteadyClock(error)
        self.ledger = open_ledger(data, settings, steady, database)
        self._closing.callback(self.ledger.close)
        limit = timedelta(milliseconds=settings.clock_drift_ms)
        self.clock = TrustedClock(steady, lambda: self.ledger.offset, limit)
        self.operator = self._own_key("operator")
        self.witnesses = self._witnesses()
        self.policy = self._policy()
        self.trustees = self._trustees()
        self._asker = ThreadPoolExecutor(1, "objects")
        self._asked: Future[bool] | None = None
        self._closing.callback(partial(self._asker.shutdown, wait=False))
        self.objects = open_objects(settings.objects or str(data / "envelopes"))
        self.office = self._office()
        self._enrol_operator()
        lists = _Lists(self.ledger, data, name)
        self._closing.callback(lists.close)
        self.lists = lists
        self.ports = self._ports()
        self._keep_watch(name)

    def _office(self) -> Office:
        return Office(
            ledger=self.ledger,
            publisher=Publisher(self.ledger, list(self.witnesses), Policy.parse(self.policy)),
            clock=self.clock,
            ids=SystemIds(self.clock),
            objects=self.objects,
            calendar=Calendar.of_china(),
            check_method=check_method,
        )

    def _ports(self) -> Ports:
        limit = self.settings.envelope_limit_mib << 20
        return Ports(
            office=self.office,
            desks=Desks(
                self.office,
                limit,
                timedelta(seconds=self.settings.outage_seconds),
                self.data,
                self._charter(),
                Path(self.settings.model_file) if self.settings.model_file else None,
            ),
            parties=Parties(self.ledger),
            uploads=Uploads(
                self.data / "uploads",
                self.objects,
                self.clock,
                limit,
                self.settings.disk_reserve_mib << 20,
            ),
            tiles=Tiles(self.ledger),
            feed=FeedPages(self.ledger, self.office.phase_of),
            issuers=_IssuerFolder(self.data / "issuers"),
            lists=self.lists,
            trustees=self.trustees,
            policy=self.policy,
            charter=self._charter(),
            probe=self.probe,
            deadline_limit=self.settings.deadline_limit,
            authority=self.settings.authority,
            papers=self._papers() if self.settings.seal_file else None,
        )

    def _keep_watch(self, name: str) -> None:
        """What is opened is looked at within seconds; each follower on a thread of its own."""
        watch, desks = self.ports.desks.watch, self.ports.desks
        watch.history.name += f"@{name}"
        for reader in (desks.trade, desks.benches):
            reader.name += f"@{name}"
            self._closing.callback(Trailing(self.ledger, reader, afresh=True).close)
        if self.settings.warnings:
            trailing = Trailing(self.ledger, watch.history, watch.look, afresh=True)
            self._closing.callback(trailing.close)

    def _papers(self) -> "Callable[[], PaperDesk]":
        """Typesetting and signing are loaded when the first paper is asked for."""
        settings = self.settings

        @cache
        def opened() -> "PaperDesk":
            from evaluation.desks.papers import open_papers  # noqa: PLC0415  slow to load

            seal = read_secret(Path(settings.seal_file))
            return open_papers(self.office, seal, settings.issuer, settings.timestamps)

        return opened

    def _own_key(self, name: str) -> ActorKey:
        path = self.data / f"{name}.key"
        if not path.exists():
            ActorKey.generate().save(path)
        return ActorKey.load(path)

    def _enrol_operator(self) -> None:
        """The centre's own party: it signs what it asks of trustees, and enrols the others."""
        actor = Actor(PartyId(CENTRE), frozenset({Role.PLATFORM}), self.operator)
        if not Parties(self.ledger)[CENTRE]:
            self.office.enrol(actor, "交易中心")

    def _witnesses(self) -> list[HttpWitness]:
        found = read_witnesses(Path(self.settings.witnesses)) if self.settings.witnesses else []
        for witness in found:
            self._closing.callback(witness.close)
        return found

    def _trustees(self) -> list[HttpTrustee]:
        signer = RequestSigner(CENTRE, self.operator)
        path = self.settings.trustees
        found = read_trustees(Path(path), signer) if path else []
        for trustee in found:
            self._closing.callback(trustee.close)
        return found

    def _policy(self) -> str:
        """Adopted once: another set of witnesses later is another policy, and a decision."""
        path = self.data / "policy.txt"
        if not path.exists():
            logs = [key.verifier for key in log_keys(self.data, self.settings)]
            witnesses = {witness.name: witness.key for witness in self.witnesses}
            quorum = self.settings.witness_quorum or len(witnesses)
            durable_write(path, [write_policy(logs, witnesses, quorum).encode()])
        return path.read_text("utf-8")

    def _charter(self) -> str:
        path = self.data / "charter.txt"
        if not path.exists():
            known = {trustee.name: trustee.key.hex() for trustee in self.trustees}
            threshold = min(self.settings.charter_threshold, len(known))
            if not known:
                return "# 尚无受托人 / no trustees yet\n"
            durable_write(path, [str(Charter(threshold, known)).encode()])
        return path.read_text("utf-8")

    def probe(self) -> list[Health]:
        """What `/readyz` answers by."""
        free = shutil.disk_usage(self.data).free >> 20
        stopped, problem = self.ledger.stopped, self.clock.problem
        answers, waiting = self._database_answers(), self.ledger.waiting
        lag = self.lists.lag if answers else 0
        return [
            Health("database", answers, f"{self.ledger.size()} entries"),
            Health("writer", stopped is None, str(stopped or f"{waiting} waiting")),
            Health("disk", free > self.settings.disk_reserve_mib, f"{free >> 10} GiB free"),
            Health("clock", not problem, problem or f"offset {self.ledger.offset}"),
            Health("committer", waiting < self.settings.batch_limit, f"{waiting} requests"),
            Health("lists", lag < 100_000, f"{lag} entries behind"),
            Health("objects", self._objects_answer(), "local" if self.objects.is_local else "S3"),
        ]

    def _objects_answer(self) -> bool:
        """A store behind a network is asked once at a time, and not waited for."""
        if self.objects.is_local:
            return True
        if self._asked is None or self._asked.done():
            self._asked = self._asker.submit(lambda: _NOTHING in self.objects)
        try:
            self._asked.result(_PATIENCE)
        except (Refusal, TimeoutError):
            return False
        return True

    def _database_answers(self) -> bool:
        try:
            return self.ledger.store.head() is not None
        except Refusal:
            return False

    def close(self) -> None:
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
