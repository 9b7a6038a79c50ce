"""见证人 the witness: another institution that cosigns the ledger's growth and dates it.

`Witness.add_checkpoint` is the call of c2sp.org/tlog-witness v1.0.0 from body to answer; the
transport around it (a pipe today, HTTP with the edge) knows nothing of the rules.
"""

import base64
import fcntl
from pathlib import Path
from typing import Protocol

import msgspec

from trading.kernel.errors import Broken, ProofBroken, Refusal, SettingUnreadable
from trading.kernel.files import durable_write
from trading.kernel.instant import Clock
from trading.ledger.checkpoint import Checkpoint, verify_log_signature
from trading.ledger.note import Note, decode_base64, is_size
from trading.ledger.signature import NoteKey, VerifierKey
from trading.ledger.tree import EMPTY_ROOT, check_consistency

__all__ = ["Answer", "AsksWitness", "Witness", "write_request"]

_MAX_PROOF = 63


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: str


class AsksWitness(Protocol):
    """One witness as the ledger sees it. Must raise WitnessRefuses when it cannot be reached."""

    name: str

    def ask(self, request: str) -> Answer: ...


class _Seen(msgspec.Struct, frozen=True):
    size: int
    root: bytes
    note: str


_NOTHING = _Seen(0, EMPTY_ROOT, "")


class Witness:
    """State: one file per log in `folder`, replaced atomically before any answer."""

    def __init__(
        self, keys: list[NoteKey], logs: list[VerifierKey], folder: Path, clock: Clock
    ) -> None:
        self._keys, self._logs, self._folder, self._clock = keys, logs, folder, clock
        folder.mkdir(parents=True, exist_ok=True)

    def add_checkpoint(self, body: str) -> Answer:
        try:
            old, proof, note = _read_request(body)
            checkpoint = Checkpoint.parse(note.text)
        except (Refusal, ValueError, UnicodeError) as error:
            return Answer(400, f"{error}\n")
        if not any(key.name == checkpoint.origin for key in self._logs):
            return Answer(404, "unknown origin\n")
        try:
            verify_log_signature(note, self._logs)
        except Broken as error:
            return Answer(403, f"{error}\n")
        if old > checkpoint.size:
            return Answer(400, "old size is larger than the checkpoint\n")
        return self._advance(old, proof, checkpoint, note)

    def latest(self, origin: str) -> str:
        """The last checkpoint cosigned for the log, or an empty string."""
        return self._seen(origin).note

    def _advance(self, old: int, proof: list[bytes], new: Checkpoint, note: Note) -> Answer:
        with self._state(new.origin).with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # check and replace are one step
            seen = self._seen(new.origin)
            if old != seen.size:
                return Answer(409, f"{seen.size}\n")
            try:
                _check_growth(seen, new, proof)
            except ProofBroken as error:
                return Answer(422, f"{error}\n")
            time = int(self._clock.read().at.timestamp())
            lines = [key.sign(new.text, time) for key in self._keys]
            fresh = _Seen(new.size, new.root, str(note.with_signatures(lines)))
            durable_write(self._state(new.origin), [msgspec.json.encode(fresh)])
        return Answer(200, "".join(map(str, lines)))

    def _seen(self, origin: str) -> _Seen:
        path = self._state(origin)
        if not path.exists():
            return _NOTHING
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Seen)
        except msgspec.MsgspecError as error:
            raise SettingUnreadable(key=str(path), problem=error) from error

    def _state(self, origin: str) -> Path:
        return self._folder / f"{origin.encode().hex()}.json"


def _check_growth(seen: _Seen, new: Checkpoint, proof: list[bytes]) -> None:
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise ProofBroken(problem="空树的根不符 / the empty tree has another root")
    if seen.size == 0:
        if proof:
            raise ProofBroken(
                problem="从空树出发的证明须为空 / a proof from the empty tree must be empty"
            )
        return
    check_consistency(seen.size, new.size, proof, seen.root, new.root)


def write_request(old: int, proof: list[bytes], note: str) -> str:
    lines = [f"old {old}", *(_base64(item) for item in proof), "", note]
    return "\n".join(lines)


def _base64(item: bytes) -> str:
    return base64.b64encode(item).decode()


def _read_request(body: str) -> tuple[int, list[bytes], Note]:
    head, _, note = body.partition("\n\n")
    first, *proof = head.split("\n")
    number = first.removeprefix("old ")
    if not first.startswith("old ") or not is_size(number):
        raise ValueError("the first line must be: old <size>")
    if len(proof) > _MAX_PROOF:
        raise ValueError("too many proof lines")
    return int(number), [decode_base64(line) for line in proof], Note.parse(note)
