"""The other institutions and the store of envelopes, each behind its production port: they are
honest, they answer after a while, and sometimes they cannot be reached.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from simulation.loop import Loop, pause

from trading.desks.trustee import Trustee, TrusteeAnswer, TrusteeRequest
from trading.kernel.errors import FileUnreadable, ProofBroken, TrusteeRefuses, WitnessRefuses
from trading.kernel.instant import Reading
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.note import Note, decode_base64
from trading.ledger.signature import NoteKey
from trading.ledger.tree import EMPTY_ROOT, check_consistency
from trading.ledger.witness import Answer

__all__ = ["SimObjects", "SimTrustee", "SimWitness", "TrueClock"]


class TrueClock:
    """Of institutions whose time is right."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def read(self) -> Reading:
        return Reading(self.loop.wall(), timedelta(milliseconds=10))


class SimWitness:
    """Remembers one head and cosigns what extends it, dated in whole seconds of its own clock."""

    def __init__(self, name: str, key: NoteKey, loop: Loop) -> None:
        self.name, self.key, self._loop = name, key, loop
        self.size, self.root = 0, EMPTY_ROOT
        self.absent, self.slowest, self.ahead = 0.0, 0.01, timedelta(0)

    def ask(self, request: str) -> Answer:
        self._travel()
        answer = self._cosign(request)
        self._travel()
        return answer

    def _cosign(self, request: str) -> Answer:
        head, _, text = request.partition("\n\n")
        first, *lines = head.split("\n")
        old, note = int(first.removeprefix("old ")), Note.parse(text)
        new = Checkpoint.parse(note.text)
        if old != self.size:
            return Answer(409, f"{self.size}\n")
        try:
            if old:
                proof = [decode_base64(line) for line in lines]
                check_consistency(old, new.size, proof, self.root, new.root)
        except ProofBroken as error:
            return Answer(422, f"{error}\n")
        self.size, self.root = new.size, new.root
        time = int((self._loop.wall() + self.ahead).timestamp())
        return Answer(200, str(self.key.sign(note.text, time)))

    def _travel(self) -> None:
        pause(self._loop, self._loop.rng.uniform(0.0005, self.slowest))
        if self._loop.rng.random() < self.absent:
            raise WitnessRefuses(witness=self.name, status=0, problem="unreachable")


class SimTrustee:
    """The trustee's own code behind a slow line; several processes share one trustee."""

    def __init__(self, name: str, folder: Path, loop: Loop) -> None:
        self.name, self._loop, self.absent = name, loop, 0.0
        self.trustee = Trustee(folder, TrueClock(loop))
        self.key = self.trustee.public

    @property
    def synced(self) -> int:
        return self.trustee.size

    @synced.setter
    def synced(self, size: int) -> None:
        """It knows best itself."""

    def ask(self, request: TrusteeRequest) -> TrusteeAnswer:
        self._travel()
        answer = self.trustee.answer(request)
        self._travel()
        return answer

    def _travel(self) -> None:
        pause(self._loop, self._loop.rng.uniform(0.001, 0.05))
        if self._loop.rng.random() < self.absent:
            raise TrusteeRefuses(problem=f"{self.name}: unreachable")


class SimObjects:
    """The envelopes, in memory."""

    is_local = True

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        if name not in self._kept:
            self._kept[name] = b"".join(chunks)

    def adopt(self, name: str, path: Path) -> None:
        self.put(name, [path.read_bytes()])
        path.unlink()

    def chunks(self, name: str) -> Iterator[bytes]:
        if name not in self._kept:
            raise FileUnreadable(path=name, problem="absent")
        return iter([self._kept[name]])

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def names(self) -> list[str]:
        return sorted(self._kept)

    def delete(self, name: str) -> None:
        self._kept.pop(name, None)
