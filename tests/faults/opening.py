"""A process that takes one tender from its bids to its opening, by what the ledger says is next.

python opening.py FOLDER [--hasty]

The folder is prepared once; killed at any moment the process is started again and goes on.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from centre import LocalTrustee, LocalWitness, TestCentre
from telling import await_go, say

from trading.envelope.layout import PREFIX, Prefix, Stage
from trading.kernel.files import durable_write
from trading.kernel.ids import PartyId, TenderId
from trading.kernel.party import Actor, Role
from trading.ledger.signature import ActorKey, KeyType, NoteKey
from trading.ledger.witness import Witness
from trading.tender import Phase, Tender

__all__ = ["LastingCentre", "bids_of", "go_on"]

TRUSTEES = 3
_RESTART = timedelta(milliseconds=1)
_BEFORE, _AFTER = timedelta(seconds=-1), timedelta(milliseconds=10)


class LastingCentre(TestCentre):
    """The same centre at every start: keys and clock are kept as well."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, TRUSTEES)
        known = [self.clock.at, self._kept_time()]
        self.set_clock(max(*known, self.ledger.last_at or known[0]) + _RESTART)

    def set_clock(self, at: datetime) -> None:
        """Never back: the institutions of the play outlive a kill, and so does their time."""
        if at > self.clock.at:
            durable_write(self._clock_file, [at.isoformat().encode()])
            self.clock.at = at

    @property
    def _clock_file(self) -> Path:
        return self.folder / "clock"

    def _kept_time(self) -> datetime:
        file = self._clock_file
        return datetime.fromisoformat(file.read_text()) if file.exists() else self.clock.at

    def _witness(self, number: int) -> LocalWitness:
        self._witness_keys = getattr(self, "_witness_keys", {})
        name, folder = f"w{number}", self.folder / f"witness-{number}"
        if not (folder / "key").exists():
            folder.mkdir()
            NoteKey.generate(f"{name}.example", KeyType.COSIGN_MLDSA44).save(folder / "key")
        key = NoteKey.load(folder / "key")
        self._witness_keys[name] = key
        logs = [log.verifier for log in self.log_keys]
        return LocalWitness(name, Witness([key], logs, folder, self.clock))

    def actor(self, name: str, *roles: Role) -> Actor:
        """Enrolled at the first start."""
        path = self.folder / "actors" / f"{name}.key"
        if path.exists():
            return Actor(PartyId(name), frozenset(roles), ActorKey.load(path))
        actor = super().actor(name, *roles)
        assert isinstance(actor.key, ActorKey)
        actor.key.save(path)
        return actor


def bids_of(folder: Path) -> dict[str, Path]:
    """The sealed bids that wait in the folder, by their names in the ledger."""
    files = sorted((folder / "bids").iterdir())
    return {Prefix.parse(file.read_bytes()[:PREFIX]).eid: file for file in files}


def go_on(centre: LastingCentre, tender: TenderId, *, hasty: bool = False) -> Tender:
    """Every step that the ledger does not hold yet; hasty, it acknowledges before it writes."""
    desk = centre.office
    if desk.load(tender).phase is Phase.BIDDING:
        _hand_in(centre, tender, hasty=hasty)
        _close(centre, desk.load(tender))
    if desk.load(tender).phase is Phase.SEALED:
        for index, trustee in enumerate(centre.trustees, 1):
            _share(centre, tender, index, trustee)
        centre.opening.open(tender, Stage.PRICE)
        say("opened", tender)
    centre.publisher.publish()
    return desk.load(tender)


def _hand_in(centre: LastingCentre, tender: TenderId, *, hasty: bool) -> None:
    for eid, file in bids_of(centre.folder).items():
        if eid not in centre.office.load(tender).received:
            say("start", eid)
            if hasty:
                say("acked", eid)
            centre.bidder.hand_in(tender, [file.read_bytes()])
            if not hasty:
                say("acked", eid)


def _close(centre: LastingCentre, state: Tender) -> None:
    assert state.deadline
    centre.set_clock(state.deadline + _BEFORE)
    if centre.clock.at < state.deadline:
        centre.publisher.publish()
    centre.set_clock(state.deadline + _AFTER)
    centre.opening.close(TenderId(state.id))
    say("closed", state.id)


def _share(centre: LastingCentre, tender: TenderId, index: int, trustee: LocalTrustee) -> None:
    if (Stage.PRICE, index) not in centre.office.load(tender).shares:
        share = centre.ceremony.ask_share(tender, Stage.PRICE, trustee)
        centre.opening.accept_share(tender, Stage.PRICE, share)
        say("shared", str(index))


def main() -> None:
    folder = Path(sys.argv[1])
    centre = LastingCentre(folder)
    await_go()
    go_on(centre, TenderId((folder / "tender").read_text()), hasty="--hasty" in sys.argv)
    centre.close()


if __name__ == "__main__":
    main()
