"""The trust policy (c2sp.org/tlog-policy): which log, which witnesses, which quorum.

Bidders, trustees and inspectors each keep their own copy; it decides what they believe.
"""

import statistics
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NoReturn

import msgspec

from trading.kernel.errors import NoteMalformed, PolicyMalformed, QuorumMissing
from trading.ledger.checkpoint import Checkpoint, verify_log_signature
from trading.ledger.note import Note
from trading.ledger.signature import KeyType, VerifierKey

__all__ = ["Policy", "Witnessed", "write_policy"]

_NONE = "none"


class Witnessed(msgspec.Struct, frozen=True):
    """A checkpoint with its quorum: `times` in seconds since 1970, by the witness's policy name."""

    checkpoint: Checkpoint
    times: dict[str, int]
    note: str

    @property
    def median(self) -> datetime:
        """The lower median of the witness times: an actual witness said it."""
        return datetime.fromtimestamp(statistics.median_low(self.times.values()), UTC)


class Policy(msgspec.Struct, frozen=True):
    logs: tuple[VerifierKey, ...]
    witnesses: dict[str, VerifierKey]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    quorum: str

    @classmethod
    def parse(cls, text: str) -> "Policy":
        return _Parser().parse(text)

    def check(self, note: str) -> Witnessed:
        """Both signatures and quorum, or CheckpointBroken, Broken or QuorumMissing."""
        parsed = Note.parse(note)
        checkpoint = verify_log_signature(parsed, list(self.logs))
        times = {
            name: key.check(line, parsed.text)
            for name, key in self.witnesses.items()
            for line in parsed.signatures
            if key.signed(line)
        }
        if not self._satisfied(self.quorum, times):
            raise QuorumMissing(size=checkpoint.size)
        return Witnessed(checkpoint, times, note)

    def _satisfied(self, name: str, present: Collection[str]) -> bool:
        if name == _NONE:
            return True
        if name in self.witnesses:
            return name in present
        count, members = self.groups[name]
        return sum(self._satisfied(member, present) for member in members) >= count


class _Parser:
    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: dict[str, VerifierKey] = {}
        self._groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._quorums: list[str] = []
        self._members: set[str] = set()
        self._line = 0

    def parse(self, text: str) -> Policy:
        for number, line in enumerate(text.split("\n"), 1):
            self._line = number
            words = line.split()
            if words and not words[0].startswith("#"):
                self._read(words)
        if len(self._quorums) != 1:
            self._fail("exactly one quorum line is needed")
        return Policy(tuple(self._logs), self._witnesses, self._groups, self._quorums[0])

    def _read(self, words: list[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                self._logs.append(self._key(key, self._logs))
            case ["witness", name, key] | ["witness", name, key, _]:
                self._define(name)
                self._witnesses[name] = self._key(key, list(self._witnesses.values()))
                if self._witnesses[name].kind is KeyType.ED25519:
                    self._fail("a witness key is a cosignature key: it dates what it signs")
            case ["group", name, count, *members] if members:
                self._group(name, count, members)
            case ["quorum", name]:
                self._known(name, also_none=True)
                self._quorums.append(name)
            case _:
                self._fail("unknown line")

    def _key(self, text: str, others: list[VerifierKey]) -> VerifierKey:
        try:
            key = VerifierKey.parse(text)
        except NoteMalformed as error:
            self._fail(error.text("en"))
        if any(key.public == other.public for other in others):
            self._fail("duplicate key")
        return key

    def _define(self, name: str) -> None:
        if name == _NONE or name in self._witnesses or name in self._groups:
            self._fail(f"the name {name} is taken")

    def _known(self, name: str, *, also_none: bool = False) -> None:
        if name in self._witnesses or name in self._groups or (also_none and name == _NONE):
            return
        self._fail(f"the name {name} is not defined yet")

    def _group(self, name: str, count: str, members: list[str]) -> None:
        self._define(name)
        for member in members:
            self._known(member)
            if member in self._members:
                self._fail(f"{member} is a member twice")
            self._members.add(member)
        counts = {"any": 1, "all": len(members)}
        needed = counts.get(count) or (int(count) if count.isdecimal() else 0)
        if not 1 <= needed <= len(members):
            self._fail(f"{count} of {len(members)}")
        self._groups[name] = (needed, tuple(members))

    def _fail(self, problem: str) -> NoReturn:
        raise PolicyMalformed(line=self._line, problem=problem)


def write_policy(logs: list[VerifierKey], witnesses: dict[str, VerifierKey], quorum: int) -> str:
    """A policy of one flat group."""
    lines = [f"log {key}" for key in logs]
    lines += [f"witness {name} {key}" for name, key in witnesses.items()]
    if not witnesses:
        return "\n".join([*lines, "quorum none", ""])
    lines.append(f"group witnesses {quorum} {' '.join(witnesses)}")
    return "\n".join([*lines, "quorum witnesses", ""])
