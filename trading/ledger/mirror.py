"""镜像 a full copy of the ledger in other hands: it grows only by what the policy accepts.

A trustee or inspector who holds one cannot be shown a ledger with something left out.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from trading.kernel.errors import CheckpointBroken, Refusal
from trading.kernel.files import durable_write, read_chunks
from trading.ledger.chain import Chain, Link, read_line, write_line
from trading.ledger.policy import Policy, Witnessed
from trading.ledger.port import Record

__all__ = ["Mirror", "Sync", "WireRecord"]


class WireRecord(msgspec.Struct, frozen=True):
    """A record on its way; bytes travel as base64."""

    leaf: bytes
    salt: bytes
    raw: bytes


class Sync(msgspec.Struct, frozen=True):
    """The records from `start` on, and a cosigned checkpoint over all of them."""

    start: int
    records: tuple[WireRecord, ...]
    note: str


class Mirror:
    """Keeps lines and last checkpoint below `folder`; `checker` makes the check of new links."""

    def __init__(
        self, folder: Path, policy: Policy, checker: Callable[[Chain], Callable[[Link], None]]
    ) -> None:
        self._folder, self._policy, self._checker = folder, policy, checker
        folder.mkdir(parents=True, exist_ok=True)
        self.chain = Chain()
        self._check = checker(self.chain)
        self.latest: Witnessed | None = None
        self._load()

    @property
    def size(self) -> int:
        return self.chain.tree.size

    def advance(self, sync: Sync) -> Witnessed:
        """Take the records over, or refuse and stay as before."""
        witnessed = self._policy.check(sync.note)
        if witnessed.checkpoint.size < self.size:
            raise CheckpointBroken(
                size=witnessed.checkpoint.size, problem="比我的副本旧 / older than my copy"
            )
        fresh = [
            Record(sync.start + offset, item.leaf, item.salt, item.raw)
            for offset, item in enumerate(sync.records)
        ][max(0, self.size - sync.start) :]
        try:
            self._follow(fresh, witnessed)
        except Refusal:
            self._reload()
            raise
        if fresh:
            with (self._folder / "entries.jsonl").open("ab") as file:
                file.writelines(map(write_line, fresh))
                file.flush()
        durable_write(self._folder / "checkpoint", [sync.note.encode()])
        self.latest = witnessed
        return witnessed

    def holds(self, witnessed: Witnessed) -> bool:
        """Whether the checkpoint is one of this very ledger's states."""
        head = witnessed.checkpoint
        return head.size <= self.size and self.chain.tree.root(head.size) == head.root

    def _follow(self, records: Iterable[Record], witnessed: Witnessed) -> None:
        for record in records:
            link = self.chain.add(record)
            if link:
                self._check(link)
        if witnessed.checkpoint.size != self.size or not self.holds(witnessed):
            raise CheckpointBroken(
                size=witnessed.checkpoint.size, problem="与这些记录不符 / not of these entries"
            )

    def _load(self) -> None:
        path, note = self._folder / "entries.jsonl", self._folder / "checkpoint"
        if not note.exists():
            return
        witnessed = self._policy.check(note.read_text("utf-8"))
        lines = b"".join(read_chunks(path)).splitlines(keepends=True) if path.exists() else []
        kept = lines[: witnessed.checkpoint.size]  # a crash may have left more lines than signed
        self._follow((read_line(line, index) for index, line in enumerate(kept)), witnessed)
        if len(lines) > len(kept):
            durable_write(path, kept)
        self.latest = witnessed

    def _reload(self) -> None:
        self.chain, self.latest = Chain(), None
        self._check = self._checker(self.chain)
        self._load()
