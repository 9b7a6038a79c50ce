"""Publishing: a quorum suffices, a cheating or absent witness neither spoils nor sways it."""

from pathlib import Path

import pytest
from centre import START

from trading.kernel.errors import QuorumMissing, WitnessRefuses
from trading.kernel.instant import FrozenClock
from trading.ledger.committer import GroupLedger
from trading.ledger.fact import Fact
from trading.ledger.policy import Policy, write_policy
from trading.ledger.port import ANY, Draft
from trading.ledger.publish import Publisher
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store_sqlite import SqliteStore
from trading.ledger.witness import Answer, AsksWitness, Witness

ORIGIN = "kaifeng.example/publish"


class Said(Fact, frozen=True, tag="test.said/1"):
    text: str = ""


class Honest:
    def __init__(self, name: str, key: NoteKey, logs: list[NoteKey], folder: Path) -> None:
        self.name = name
        self.witness = Witness(
            [key], [log.verifier for log in logs], folder / name, FrozenClock(START)
        )

    def ask(self, request: str) -> Answer:
        return self.witness.add_checkpoint(request)


class Absent(Honest):
    def ask(self, request: str) -> Answer:
        raise WitnessRefuses(witness=self.name, status=0, problem="not running")


class Lying(Honest):
    """Its signature is over something else."""

    def ask(self, request: str) -> Answer:
        answer = super().ask(request)
        middle = len(answer.body) // 2
        other = "A" if answer.body[middle] != "A" else "B"
        return Answer(200, answer.body[:middle] + other + answer.body[middle + 1 :])


class Babbling(Honest):
    def ask(self, request: str) -> Answer:
        return Answer(200, "yes of course\n")


class Forgetful(Honest):
    """Always says it has seen an absurd size."""

    def ask(self, request: str) -> Answer:
        return Answer(409, "9" * 5000 + "\n")


@pytest.fixture
def ledger(tmp_path: Path):
    keys = [
        NoteKey(ORIGIN, KeyType.ED25519, b"1" * 32),
        NoteKey(ORIGIN, KeyType.COSIGN_MLDSA44, b"2" * 32),
    ]
    with GroupLedger(SqliteStore(tmp_path / "l.db"), keys, FrozenClock(START)) as made:
        yield made


def publisher(ledger: GroupLedger, folder: Path, kinds: list[type[Honest]]) -> Publisher:
    logs = ledger._keys
    names = [f"w{n}" for n in range(len(kinds))]
    keys = {name: NoteKey.generate(f"{name}.x", KeyType.COSIGN_MLDSA44) for name in names}
    text = write_policy(
        [log.verifier for log in logs], {n: k.verifier for n, k in keys.items()}, quorum=2
    )
    witnesses: list[AsksWitness] = [
        kind(name, keys[name], logs, folder) for name, kind in zip(names, kinds, strict=True)
    ]
    return Publisher(ledger, witnesses, Policy.parse(text))


@pytest.mark.parametrize("bad", [Absent, Lying, Babbling, Forgetful])
def test_one_bad_witness_of_three_does_not_matter(ledger, tmp_path, bad) -> None:
    made = publisher(ledger, tmp_path, [Honest, bad, Honest])
    for number in range(3):
        ledger.append("s", ANY, [Draft(Said(text=str(number)), f"k{number}")])
        witnessed = made.publish()
        assert set(witnessed.times) == {"w0", "w2"}
        assert witnessed.checkpoint.size == number + 1
    assert len(ledger.cosigned()) == 3


@pytest.mark.parametrize("bad", [Absent, Lying, Babbling, Forgetful])
def test_two_bad_witnesses_of_three_stop_it(ledger, tmp_path, bad) -> None:
    made = publisher(ledger, tmp_path, [bad, bad, Honest])
    ledger.append("s", ANY, [Draft(Said(), "k")])
    with pytest.raises(QuorumMissing):
        made.publish()
    assert ledger.cosigned() == []


def test_a_fresh_publisher_learns_how_far_the_witnesses_are(ledger, tmp_path) -> None:
    made = publisher(ledger, tmp_path, [Honest, Honest])
    for number in range(5):
        ledger.append("s", ANY, [Draft(Said(), f"k{number}")])
    made.publish()
    ledger.append("s", ANY, [Draft(Said(), "later")])
    made._sizes.clear()
    assert made.publish().checkpoint.size == 6
    assert made.publish().checkpoint.size == 6
