"""A whole centre for tests: the production ports on a temporary folder and one frozen clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from analytics.recheck import Warned
from evaluation.desks.ranking import EvaluationDesk, check_method
from evaluation.recheck import Evaluations
from trading.audit import Audit, Step
from trading.committee import Charter, trustees_of
from trading.desks.award import AwardDesk
from trading.desks.bidder import BidderDesk
from trading.desks.ceremony import CeremonyDesk
from trading.desks.draw import DrawDesk
from trading.desks.office import Office
from trading.desks.opening import OpeningDesk
from trading.desks.purchaser import PurchaserDesk
from trading.desks.registrar import RegistrarDesk
from trading.desks.trustee import Trustee, TrusteeAnswer, TrusteeRequest
from trading.export import Trust, write_export
from trading.kernel.calendar import Calendar
from trading.kernel.ids import PartyId, SystemIds
from trading.kernel.instant import FrozenClock
from trading.kernel.objects import LocalObjects
from trading.kernel.party import Actor, Role
from trading.ledger.archive import open_archive
from trading.ledger.committer import GroupLedger
from trading.ledger.policy import Policy, write_policy
from trading.ledger.publish import Publisher
from trading.ledger.signature import ActorKey, KeyType, NoteKey
from trading.ledger.store_sqlite import SqliteStore
from trading.ledger.witness import Answer, Witness

ORIGIN = "kaifeng.example/test"
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday, nine in the morning at Beijing


class LocalWitness:
    """The witness's own code, without the pipe."""

    def __init__(self, name: str, witness: Witness) -> None:
        self.name, self.witness = name, witness

    def ask(self, request: str) -> Answer:
        return self.witness.add_checkpoint(request)


class LocalTrustee:
    """The trustee's own code, without the pipe."""

    def __init__(self, name: str, trustee: Trustee, folder: Path) -> None:
        self.name, self.trustee, self.folder = name, trustee, folder
        self.key = trustee.public
        self.synced = 0

    def ask(self, request: TrusteeRequest) -> TrusteeAnswer:
        return self.trustee.answer(request)


class TestCentre:
    """Folders: data/ (ledger, envelopes), trustee-n/, witness-n/, export-n/."""

    __test__ = False
    is_forged = False  # set by a test that wrote past the desks and has seen the red itself

    def __init__(self, folder: Path, trustees: int = 5) -> None:
        self.folder, self.data = folder, folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.clock = FrozenClock(START)
        self.ids = SystemIds(self.clock)
        self.log_keys = self._log_keys()
        self.store = SqliteStore(self.data / "ledger.db")
        self.ledger = GroupLedger(self.store, self.log_keys, self.clock)
        self.witnesses = [self._witness(number) for number in (1, 2)]
        self.policy_text = write_policy(
            [key.verifier for key in self.log_keys],
            {name: key.verifier for name, key in self._witness_keys.items()},
            quorum=2,
        )
        (self.data / "policy.txt").write_text(self.policy_text)
        self.policy = Policy.parse(self.policy_text)
        self.objects = LocalObjects(self.data / "envelopes")
        self.publisher = Publisher(self.ledger, list(self.witnesses), self.policy)
        self.office = Office(
            ledger=self.ledger,
            publisher=self.publisher,
            clock=self.clock,
            ids=self.ids,
            objects=self.objects,
            calendar=Calendar.of_china(),
            check_method=check_method,
        )
        self.trustees = [self._trustee(number) for number in range(1, trustees + 1)]
        self.charter_text = str(
            Charter(
                min(3, trustees), {t.name.replace(" ", "-"): t.key.hex() for t in self.trustees}
            )
        )
        (self.data / "charter.txt").write_text(self.charter_text)
        for local in self.trustees:
            local.trustee.appoint(self.charter_text)
            local.trustee = Trustee(local.folder, self.clock)
        self._furnish()
        self._exports = 0

    def _furnish(self) -> None:
        self.purchaser = PurchaserDesk(self.office)
        self.bidder = BidderDesk(self.office, limit=32 << 20)
        self.opening = OpeningDesk(self.office)
        self.award = AwardDesk(self.office)
        self.ceremony = CeremonyDesk(self.office)
        self.draws = DrawDesk(self.office, self.ceremony, lambda: trustees_of(self.charter_text))
        self.registrar = RegistrarDesk(self.office)
        self.evaluation = EvaluationDesk(self.office)
        self.owner = self.actor("owner", Role.PURCHASER)
        self.panel = self.actor("panel", Role.PANEL)

    def _log_keys(self) -> list[NoteKey]:
        kinds = {"log-ed25519.key": KeyType.ED25519, "log-mldsa44.key": KeyType.COSIGN_MLDSA44}
        for name, kind in kinds.items():
            if not (self.data / name).exists():
                NoteKey.generate(ORIGIN, kind).save(self.data / name)
        return [NoteKey.load(self.data / name) for name in kinds]

    _witness_keys: dict[str, NoteKey]

    def _witness(self, number: int) -> LocalWitness:
        self._witness_keys = getattr(self, "_witness_keys", {})
        name = f"w{number}"
        key = NoteKey.generate(f"{name}.example", KeyType.COSIGN_MLDSA44)
        self._witness_keys[name] = key
        folder = self.folder / f"witness-{number}"
        logs = [log.verifier for log in self.log_keys]
        return LocalWitness(name, Witness([key], logs, folder, self.clock))

    def _trustee(self, number: int) -> LocalTrustee:
        folder = self.folder / f"trustee-{number}"
        trustee = Trustee.create(folder, self.policy_text, self.clock)
        return LocalTrustee(f"trustee {number}", trustee, folder)

    def actor(self, name: str, *roles: Role) -> Actor:
        actor = Actor(PartyId(name), frozenset(roles), ActorKey.generate())
        self.office.enrol(actor, name)
        return actor

    def advance(self, **span: float) -> None:
        self.clock.advance(timedelta(**span))

    def export(self) -> Path:
        self._exports += 1
        out = self.folder / f"export-{self._exports}"
        trust = Trust(self.policy_text, self.charter_text)
        write_export(out, self.ledger, self.publisher, trust, self.objects)
        return out

    def verify(self, path: Path) -> list[Step]:
        steps: list[Step] = []
        with open_archive(path) as archive:
            Audit(archive, self.policy, rooms=[Evaluations(), Warned()]).run(steps.append)
        return steps

    def verify_everything(self) -> None:
        """Both what a stranger gets and what the centre keeps."""
        if self.ledger.size() and not self.is_forged:
            self.advance(seconds=1)
            assert len(self.verify(self.export())) == 10
            assert len(self.verify(self.data)) == 10

    def close(self) -> None:
        self.ledger.close()
