"""The ledger as everyone else sees it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact

ANY = -1  # the expected height of streams whose order does not matter

__all__ = ["ANY", "Draft", "Ledger", "Record", "Silence"]


class Draft(msgspec.Struct, frozen=True):
    """A fact on its way in. `key` is its id and its idempotency key; `before` a deadline that the
    writer checks against its own clock at the moment of the commit; `article` is what it cites;
    after `fresh_until` a decision is too old to be written, and has lost its race;
    `claims` are names that only one act may ever take (a token, an encapsulated key);
    `beside`: other streams that the decision looked at, with their heights: if one has moved since
    (by more than what commutes), the decision has lost its race.
    """

    fact: Fact
    key: str
    actor: str = ""
    sig: str = ""
    before: datetime | None = None
    article: str = ""
    claims: tuple[str, ...] = ()
    fresh_until: datetime | None = None
    beside: tuple[tuple[str, int], ...] = ()


class Record(msgspec.Struct, frozen=True):
    """One stored entry; `salt` and `raw` are empty once it has been erased."""

    index: int
    leaf: bytes  # leaf data, 33 bytes
    salt: bytes
    raw: bytes


class Silence(msgspec.Struct, frozen=True):
    start: datetime
    end: datetime


class Ledger(Protocol):
    """An append-only log of streams.

    `append` must store all drafts or none, must not answer before they are durable, and must
    raise LostRace when the stream is not at `expected` (drafts that commute: when anything that
    does not has come since) or a claim is taken; two drafts with one key are one act: the second
    is answered with the stamp of the first (KeyReused if it says something else).
    """

    def submit(
        self, stream: str, expected: int, drafts: Sequence[Draft]
    ) -> "Future[tuple[Stamp, ...]]": ...

    def append(self, stream: str, expected: int, drafts: Sequence[Draft]) -> tuple[Stamp, ...]: ...

    def stream(self, name: str, start: int = 0) -> list[tuple[Fact, Stamp]]:
        """The facts of a stream from a height on, erased ones left out; empty if unknown."""
        ...

    def find(self, key: str) -> tuple[Fact, Stamp] | None:
        """The act with that key, unless it does not exist or was erased."""
        ...

    def on_growth(self, wake: Callable[[int], None]) -> None:
        """`wake` is called with the new size after each batch, from any thread; must not block."""
        ...

    def records(self, start: int = 0, end: int | None = None) -> Iterator[Record]: ...

    def size(self) -> int: ...

    def checkpoint(self) -> str:
        """The newest checkpoint, signed by the log alone."""
        ...

    def cosigned(self, start: int = 0) -> list[str]:
        """The cosigned checkpoints after the first `start`, oldest first."""
        ...

    def keep_cosigned(self, note: str) -> None: ...

    def hashes(self, level: int, start: int, end: int) -> bytes:
        """Of complete subtrees of 2**level leaves, concatenated."""
        ...

    def inclusion(self, index: int, size: int) -> list[bytes]: ...

    def consistency(self, old: int, new: int) -> list[bytes]: ...

    def first_use(self, name: str, until: datetime) -> bool:
        """Whether nobody has used the name yet, in any process; remembered until then."""
        ...

    def beat(self) -> None:
        """A sign of life of this process."""
        ...

    def silence(self, least: timedelta, after: datetime | None) -> Silence | None:
        """The first time of at least that length, and not before `after`, in which no process gave
        a sign of life and nothing was written.
        """
        ...

    def check_erasable(self, index: int) -> None:
        """NotErasable unless the entry is a personal fact that is still there."""
        ...

    def erase(self, index: int) -> None:
        """Delete salt and preimage; only after an EntryErased fact names the index."""
        ...
