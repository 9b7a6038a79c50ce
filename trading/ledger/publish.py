"""Publishing: take the newest head to the witnesses and keep what the policy accepts."""

from datetime import datetime
from threading import Lock

from trading.kernel.errors import Broken, NoteMalformed, Refusal, WitnessRefuses
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.note import Note, SignatureLine, is_size, parse_signature_lines
from trading.ledger.policy import Policy, Witnessed
from trading.ledger.port import Ledger
from trading.ledger.witness import Answer, AsksWitness, write_request

__all__ = ["Publisher"]

_CONFLICT = 409
_TRIES = 3


class Publisher:
    """Remembers how far each witness is; a wrong memory costs one more question (409)."""

    def __init__(self, ledger: Ledger, witnesses: list[AsksWitness], policy: Policy) -> None:
        self._ledger, self._witnesses, self.policy = ledger, witnesses, policy
        self._sizes: dict[str, int] = {}
        self._history: list[Witnessed] = []
        self._reading = Lock()

    def publish(self) -> Witnessed:
        """A cosigned checkpoint of the newest head, stored. QuorumMissing if too few answer.

        Nobody is told of a head while the ledger cannot be reached: what the witnesses date is
        what was open for acts.
        """
        self.history()
        note = Note.parse(self._ledger.checkpoint())
        checkpoint = Checkpoint.parse(note.text)
        lines: list[SignatureLine] = []
        for witness in self._witnesses:
            try:
                lines += self._cosign(witness, checkpoint, note)
            except Refusal:  # the quorum decides whether one missing witness matters
                continue
        known = [line for line in lines if self._holds(line, note.text)]
        cosigned = str(note.with_signatures(known))
        witnessed = self.policy.check(cosigned)
        self._ledger.keep_cosigned(cosigned)
        return witnessed

    def history(self) -> list[Witnessed]:
        """All cosigned checkpoints of the ledger, oldest first; each read and checked once."""
        with self._reading:
            self._read_on()
            return list(self._history)

    def _read_on(self) -> None:
        fresh = self._ledger.cosigned(len(self._history))
        self._history += [self.policy.check(note) for note in fresh]

    def newest(self) -> Witnessed | None:
        with self._reading:
            self._read_on()
            return self._history[-1] if self._history else None

    def around(self, moment: datetime, size: int) -> tuple[Witnessed | None, Witnessed | None]:
        """The last checkpoint that the witnesses date before the moment, and the first at or after
        it that holds so many entries.
        """
        history = self.history()
        before = [item for item in history if item.median < moment]
        after = [i for i in history if i.median >= moment and i.checkpoint.size >= size]
        return (before[-1] if before else None), (after[0] if after else None)

    def _holds(self, line: SignatureLine, text: str) -> bool:
        """From a witness of the policy, and right: one wrong answer must not spoil the others."""
        for key in self.policy.witnesses.values():
            if key.signed(line):
                try:
                    key.check(line, text)
                except Broken:
                    return False
                return True
        return False

    def _cosign(
        self, witness: AsksWitness, checkpoint: Checkpoint, note: Note
    ) -> list[SignatureLine]:
        answer = Answer(_CONFLICT, f"{self._sizes.get(witness.name, 0)}\n")
        for _ in range(_TRIES):
            if answer.status != _CONFLICT:
                break
            old = _size(witness.name, answer)
            if old > checkpoint.size:
                raise WitnessRefuses(
                    witness=witness.name, status=_CONFLICT, problem="检查点较旧 / older head"
                )
            proof = self._ledger.consistency(old, checkpoint.size)
            answer = witness.ask(write_request(old, proof, str(note)))
        if answer.status != 200:
            raise WitnessRefuses(witness=witness.name, status=answer.status, problem=answer.body)
        self._sizes[witness.name] = checkpoint.size
        return parse_signature_lines(answer.body)


def _size(name: str, answer: Answer) -> int:
    if not is_size(answer.body.strip()):
        raise NoteMalformed(problem=f"{name} 答复的大小无法读取 / size answered by {name}")
    return int(answer.body)
