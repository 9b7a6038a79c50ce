"""A centre put together: ledger, desks, and the other institutions' programs behind pipes.

The composition root of the commands; the HTTP edge will have its own.
"""

import os
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from evaluation.desks.bank import BankDesk
from evaluation.desks.panel import PanelDesk
from evaluation.desks.ranking import EvaluationDesk, check_method
from trading.committee import Charter, trustees_of
from trading.desks.award import AwardDesk
from trading.desks.bidder import BidderDesk
from trading.desks.ceremony import AsksTrustee, CeremonyDesk
from trading.desks.draw import DrawDesk
from trading.desks.office import Office
from trading.desks.opening import OpeningDesk
from trading.desks.purchaser import PurchaserDesk
from trading.envelope.identity import Authority
from trading.export import Trust, write_export
from trading.facts.party import STREAM, PartyEnrolled
from trading.kernel.calendar import Calendar
from trading.kernel.errors import Usage
from trading.kernel.files import durable_folder, durable_write, write_secret
from trading.kernel.ids import PartyId, SystemIds
from trading.kernel.instant import Clock, SystemClock
from trading.kernel.objects import open_objects
from trading.kernel.party import Actor, Role
from trading.kernel.settings import Settings, read_secret
from trading.ledger.committer import GroupLedger
from trading.ledger.policy import Policy, write_policy
from trading.ledger.publish import Publisher
from trading.ledger.signature import ActorKey, KeyType, NoteKey, VerifierKey
from trading.ledger.store_postgres import PostgresStore
from trading.ledger.store_sqlite import SqliteStore
from trading.ledger.witness import AsksWitness
from web.pipes import TrusteeProcess, WitnessProcess, kaifeng

__all__ = [
    "THRESHOLD",
    "TRUSTEES",
    "WITNESSES",
    "Centre",
    "log_keys",
    "open_ledger",
    "run_commands",
    "settings_here",
    "wait_until",
]

WITNESSES = ("notary", "supervisor")
THRESHOLD = 3
TRUSTEES = ("agency", "supervisor", "notary", "exchange", "association")


def settings_here() -> Settings:
    """`kaifeng.toml` of the working folder, if there is one, and the environment."""
    file = Path("kaifeng.toml")
    return Settings.load(os.environ, file if file.exists() else None)


def log_keys(data: Path, settings: Settings) -> list[NoteKey]:
    """The ledger's keys: from the files that the settings name, or made at the first start."""
    wanted = {
        KeyType.ED25519: settings.log_ed25519_file or data / "log-ed25519.key",
        KeyType.COSIGN_MLDSA44: settings.log_mldsa44_file or data / "log-mldsa44.key",
    }
    keys = []
    for kind, path in wanted.items():
        if not Path(path).exists():
            NoteKey.generate(settings.origin, kind).save(Path(path))
        keys.append(NoteKey.load(Path(path)))
    return keys


def open_ledger(data: Path, settings: Settings, clock: Clock, database: str = "") -> GroupLedger:
    """On the embedded store, or on PostgreSQL where a `database` URL is given."""
    store = PostgresStore(database) if database else SqliteStore(data / "ledger.db")
    return GroupLedger(store, log_keys(data, settings), clock, settings.batch_limit)


class Centre:
    """Everything a rehearsal needs, below one folder: `centre/`, `witness-*/`, `trustee-*/`."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        trustees: int = 5,
        said: Callable[[str, int], None] = lambda _, __: None,
    ) -> None:
        self.folder, self.data = folder, folder / "centre"
        durable_folder(self.data)
        self.clock = SystemClock(timedelta(milliseconds=settings.clock_error_ms))
        self._logs = [key.verifier for key in log_keys(self.data, settings)]
        self.ids = SystemIds(self.clock)
        self._children: list[WitnessProcess | TrusteeProcess] = []
        self.ledger = open_ledger(self.data, settings, self.clock)
        self.witnesses = self._start_witnesses()
        self.policy = self._policy()
        self.trustees = self._start_trustees(TRUSTEES[:trustees])
        for child in self._children:
            part = "见证人 witness" if isinstance(child, WitnessProcess) else "受托人 trustee"
            said(f"{part} {child.name}", child.child.pid)
        self.objects = open_objects(str(self.data / "envelopes"))
        self.office = Office(
            ledger=self.ledger,
            publisher=Publisher(self.ledger, self.witnesses, Policy.parse(self.policy)),
            clock=self.clock,
            ids=self.ids,
            objects=self.objects,
            calendar=Calendar.of_china(),
            check_method=check_method,
        )
        self.authority = self._rehearsal_authority()
        self._furnish(settings)

    def _furnish(self, settings: Settings) -> None:
        self.purchaser = PurchaserDesk(self.office)
        self.bidder = BidderDesk(self.office, settings.envelope_limit_mib << 20)
        self.opening = OpeningDesk(self.office)
        self.award = AwardDesk(self.office)
        self.ceremony = CeremonyDesk(self.office)
        self.evaluation = EvaluationDesk(self.office)
        self.draws = DrawDesk(self.office, self.ceremony, lambda: trustees_of(self.charter))
        self.panels = PanelDesk(self.office)
        self.bank = BankDesk(self.office, self.draws, self.data / "experts")
        self.owner = self.actor("owner", "招标人", Role.PURCHASER)
        self.panel = self.actor("panel", "评标委员会", Role.PANEL)
        self.inspector = self.actor("inspector", "监督人员", Role.INSPECTOR)

    def export(self, out: Path) -> int:
        publisher = self.office.publisher
        trust = Trust(self.policy, self.charter)
        return write_export(out, self.ledger, publisher, trust, self.objects)

    def close(self) -> None:
        for child in self._children:
            child.child.close()
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_witnesses(self) -> list[AsksWitness]:
        options = [item for log in self._logs for item in ("--log", str(log))]
        folders = {name: str(self.folder / f"witness-{name}") for name in WITNESSES}
        keys = run_commands(
            [
                kaifeng("witness", "init", folder, "--name", f"{name}.example", *options)
                for name, folder in folders.items()
            ]
        )
        self._vkeys = {
            name: VerifierKey.parse(key) for name, key in zip(folders, keys, strict=True)
        }
        started: list[AsksWitness] = []
        for name, folder in folders.items():
            witness = WitnessProcess(name, kaifeng("witness", "serve", folder))
            self._children.append(witness)
            started.append(witness)
        return started

    def _rehearsal_authority(self) -> Authority:
        """A certificate authority for made-up bidders; kept, so that a killed demo can go on."""
        path = self.data / "rehearsal-ca.pem"
        if not path.exists():
            write_secret(path, Authority.create("演练 CA", self.clock.read().at).pem())
        return Authority.from_pem(read_secret(path))

    def _policy(self) -> str:
        policy = write_policy(self._logs, self._vkeys, quorum=len(self._vkeys))
        durable_write(self.data / "policy.txt", [policy.encode()])
        return policy

    def _start_trustees(self, names: tuple[str, ...]) -> list[AsksTrustee]:
        policy = str(self.data / "policy.txt")
        folders = {name: str(self.folder / f"trustee-{name}") for name in names}
        keys = run_commands(
            [kaifeng("trustee", "init", folder, "--policy", policy) for folder in folders.values()]
        )
        known = dict(zip(folders, keys, strict=True))
        self.charter = str(Charter(min(THRESHOLD, len(known)), known))
        durable_write(self.data / "charter.txt", [self.charter.encode()])
        charter = str(self.data / "charter.txt")
        run_commands(
            [kaifeng("trustee", "appoint", folder, charter) for folder in folders.values()]
        )
        started: list[AsksTrustee] = []
        for (name, folder), key in zip(folders.items(), keys, strict=True):
            serve = kaifeng("trustee", "serve", folder)
            trustee = TrusteeProcess(name, bytes.fromhex(key), serve)
            self._children.append(trustee)
            started.append(trustee)
        return started

    def actor(self, name: str, title: str, role: Role) -> Actor:
        """A party of the rehearsal; enrolled once."""
        path = self.data / "actors" / f"{name}.key"
        if not path.exists():
            ActorKey.generate().save(path)
        actor = Actor(PartyId(name), frozenset({role}), ActorKey.load(path))
        enrolled = [fact for fact, _ in self.ledger.stream(STREAM)]
        if not any(isinstance(f, PartyEnrolled) and f.party == name for f in enrolled):
            self.office.enrol(actor, title)
        return actor


def wait_until(centre: Centre, moment: datetime) -> None:
    """Sleep until the moment has surely passed by the centre's clock."""
    while not centre.clock.read().is_surely_after(moment):
        left = (moment - centre.clock.read().at).total_seconds()
        time.sleep(max(0.01, min(left, 0.5)))


def run_commands(commands: list[list[str]]) -> list[str]:
    """What each command prints; they run side by side."""
    pipe = subprocess.PIPE
    started = [subprocess.Popen(c, stdout=pipe, stderr=pipe, text=True) for c in commands]
    printed = []
    for process in started:
        out, problem = process.communicate()
        if process.returncode:
            raise Usage(problem=problem.strip())
        printed.append(out.strip())
    return printed
