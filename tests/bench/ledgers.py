"""Ledgers, witnesses and policies of the benchmark: real ones, all in this process."""

from pathlib import Path

from trading.kernel.instant import Clock
from trading.ledger.committer import GroupLedger
from trading.ledger.policy import Policy, write_policy
from trading.ledger.publish import Publisher
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store_sqlite import SqliteStore
from trading.ledger.witness import Answer, Witness

__all__ = ["Bystander", "Institutions", "log_keys", "new_ledger"]

_ORIGIN = "kaifeng.example/bench"


def log_keys() -> list[NoteKey]:
    kinds = (KeyType.ED25519, KeyType.COSIGN_MLDSA44)
    return [NoteKey.generate(_ORIGIN, kind) for kind in kinds]


def new_ledger(
    folder: Path, clock: Clock, batch: int, keys: list[NoteKey] | None = None
) -> GroupLedger:
    return GroupLedger(SqliteStore(folder / "ledger.db"), keys or log_keys(), clock, batch)


class Bystander:
    """A witness that is asked without a pipe between."""

    def __init__(self, name: str, witness: Witness) -> None:
        self.name, self._witness = name, witness

    def ask(self, request: str) -> Answer:
        return self._witness.add_checkpoint(request)


class Institutions:
    """Log keys, two ML-DSA-44 witnesses and the policy that asks for both."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.keys = log_keys()
        logs = [key.verifier for key in self.keys]
        signers = {
            name: NoteKey.generate(f"{name}.example", KeyType.COSIGN_MLDSA44)
            for name in ("notary", "supervisor")
        }
        self.witnesses = [
            Bystander(name, Witness([key], logs, folder / name, clock))
            for name, key in signers.items()
        ]
        verifiers = {name: key.verifier for name, key in signers.items()}
        self.text = write_policy(logs, verifiers, quorum=2)
        self.policy = Policy.parse(self.text)

    def publisher(self, ledger: GroupLedger) -> Publisher:
        return Publisher(ledger, list(self.witnesses), self.policy)
