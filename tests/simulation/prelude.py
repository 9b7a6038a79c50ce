"""What every story begins with, made once: keys, a roll of parties, two drafted tenders with their
committees. Envelopes and tokens are made when a story first asks for them, and kept for the next.
"""

import atexit
import shutil
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec
from builders import ABid
from simulation.institutions import SimObjects, SimTrustee, SimWitness, TrueClock
from simulation.loop import Loop, Rng
from simulation.process import Process, Shared, application
from simulation.store import Database, Table

from trading.committee import Charter
from trading.desks.trustee import Trustee
from trading.envelope.layout import Prefix, Stage
from trading.envelope.seal import BidKey, withdrawal_message
from trading.envelope.token import TokenIssuer, blind, finish
from trading.facts.tender import Lot, TenderDrafted
from trading.kernel.calendar import Pace
from trading.kernel.canonical import sha256
from trading.kernel.ids import PartyId
from trading.kernel.party import Actor, Role
from trading.ledger.policy import write_policy
from trading.ledger.signature import ActorKey, KeyType, NoteKey
from trading.tender import Tender, fold

__all__ = ["LONG", "PACE", "SHORT", "THIRD", "Bid", "Prelude", "prelude"]

LONG = "00000000-0000-7000-8000-00000000000a"  # under the law's periods, in days of 0.4 s
SHORT = "00000000-0000-7000-8000-00000000000b"  # without periods: its deadline may be anywhere
THIRD = "00000000-0000-7000-8000-00000000000c"  # not there yet
PACE = Pace(400)
ROLES = {
    "owner": Role.PURCHASER,
    "inspector-1": Role.INSPECTOR,
    "inspector-2": Role.INSPECTOR,
    "centre": Role.PLATFORM,
}


class Bid(msgspec.Struct, frozen=True):
    """An envelope as its bidder keeps it; `name` says whose it is and what it replaces."""

    tender: str
    name: str
    content: bytes
    key: BidKey

    @property
    def prefix(self) -> Prefix:
        return Prefix.parse(self.content[:418])

    @property
    def eid(self) -> str:
        return self.prefix.eid

    def withdrawal(self) -> str:
        return self.key.sign(withdrawal_message(self.prefix, self.prefix.header.seq)).hex()


class Prelude:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kaifeng-simulation-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.keys = {name: ActorKey(sha256(name.encode())) for name in ROLES}
        self.log = NoteKey("kaifeng.example/simulation", KeyType.ED25519, b"1" * 32)
        self.issuers = {LONG: TokenIssuer.generate()}
        self.blinded = blind(self.issuers[LONG].public).blinded
        self.applications = [application() for _ in range(2)]
        self._bids: dict[tuple[str, str], Bid] = {}
        self._tokens: list[bytes] = []
        loop = Loop(Rng(0))
        shared = self.shared(loop, Table())
        with loop.ruling():
            for number in (1, 2):
                folder = self.folder / f"trustee-{number}"
                Trustee.create(folder, shared.policy, TrueClock(loop))
            shared.charter = self._charter(loop)
            loop.run_until_complete(loop.run_in_executor(None, self._draft, shared))
        loop.outside.crash()
        loop.close()
        self.table, self.charter = shared.database.table, shared.charter
        self.began = timedelta(seconds=loop.now)

    def witnesses(self, loop: Loop) -> list[SimWitness]:
        kind = KeyType.COSIGN_ED25519
        return [
            SimWitness(name, NoteKey(f"{name}.example", kind, name.encode() * 16), loop)
            for name in ("w1", "w2")
        ]

    def shared(self, loop: Loop, table: Table, early: frozenset[str] = frozenset()) -> Shared:
        witnesses = self.witnesses(loop)
        keys = {witness.name: witness.key.verifier for witness in witnesses}
        return Shared(
            loop=loop,
            database=Database(loop, table),
            objects=SimObjects(),
            witnesses=witnesses,
            trustees=[],
            key=self.log,
            policy=write_policy([self.log.verifier], keys, quorum=2),
            charter=getattr(self, "charter", ""),
            issuers=self.issuers,
            tenders=[LONG, SHORT],
            folder=self.folder / "uploads",
            early=early,
        )

    def trustees(self, loop: Loop, folder: Path) -> list[SimTrustee]:
        """As they were after the ceremonies, below a folder that may be changed."""
        names = ("trustee-1", "trustee-2")
        for name in names:
            shutil.copytree(self.folder / name, folder / name)
        return [SimTrustee(name, folder / name, loop) for name in names]

    def _charter(self, loop: Loop) -> str:
        trustees = [SimTrustee(n, self.folder / n, loop) for n in ("trustee-1", "trustee-2")]
        text = str(Charter(2, {trustee.name: trustee.key.hex() for trustee in trustees}))
        for trustee in trustees:
            trustee.trustee.appoint(text)
        return text

    def _draft(self, shared: Shared) -> None:
        shared.trustees = [
            SimTrustee(name, self.folder / name, shared.loop) for name in ("trustee-1", "trustee-2")
        ]
        process = Process("prelude", shared, *self.applications[0])
        process.machine = shared.loop.outside
        process._build()
        actors = {name: self.actor(name) for name in ROLES}
        for actor in actors.values():
            process.office.enrol(actor, actor.party)
        desks = process.ports.desks
        for wanted in (self._wanted(LONG, "open-tender"), self._wanted(SHORT, "foreign-record")):
            state = desks.purchaser.draft(actors["owner"], wanted)
            formed = desks.ceremony.form(state.id, Stage.PRICE, 2, shared.trustees)
            desks.purchaser.form_committee(wanted.tender, formed)  # type: ignore[arg-type]
        self.states: dict[str, Tender] = {
            name: fold(name, process.ledger.stream(f"tender:{name}")) for name in (LONG, SHORT)
        }

    def _wanted(self, tender: str, procedure: str) -> TenderDrafted:
        issuer = self.issuers.get(tender)
        return TenderDrafted(
            tender=tender,
            number=f"开封招字第 {tender[-1]} 号",
            title="乡村道路硬化工程",
            buyer="某县交通局",
            buyer_id="buyer-1",
            procedure=procedure,
            method="lowest-reviewed-price",
            lots=(Lot(1, "第一标段"),),
            pace=PACE,
            token_key=issuer.public.hex() if issuer else "",
        )

    def actor(self, name: str) -> Actor:
        return Actor(PartyId(name), frozenset({ROLES[name]}), self.keys[name])

    def bid(self, tender: str, name: str) -> Bid:
        """`bidder/0` is a bidder's first envelope, `bidder/0/1` its second to replace that one."""
        if (tender, name) not in self._bids:
            self._bids[tender, name] = self._seal(tender, name)
        return self._bids[tender, name]

    def _seal(self, tender: str, name: str) -> Bid:
        bidder, *steps = name.split("/")
        key = BidKey(sha256(tender.encode(), bidder.encode()))
        earlier = self.bid(tender, name.rpartition("/")[0]).prefix if len(steps) > 1 else None
        sealed = ABid(bidder, 10**6 + len(name), key=key, replaces=earlier, signed=False)
        content = sealed.seal(self.states[tender])
        return Bid(tender, name, content, key)

    def token(self, number: int) -> bytes:
        """A right to hand in one envelope, of a tender that asks for it."""
        while len(self._tokens) <= number:
            issuer = self.issuers[LONG]
            blinding = blind(issuer.public)
            token = finish(issuer.public, blinding, issuer.sign(blinding.blinded))
            self._tokens.append(token)
        return self._tokens[number]


@cache
def prelude() -> Prelude:
    return Prelude()
