"""What must hold whatever happens: watched at every commit, and judged when a story has ended.

The watch keeps its own small books of envelopes and deadlines beside the fold of the facts.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
from simulation.loop import START
from simulation.store import Database

from trading.envelope.layout import Prefix
from trading.facts.bidding import BiddingClosed, EnvelopeReceived, EnvelopeWithdrawn
from trading.facts.opening import EnvelopeOpened, EnvelopeUnopened, ShareGiven
from trading.facts.suspension import (
    OutageRecorded,
    TenderResumed,
    TenderSuspended,
)
from trading.facts.tender import TenderCancelled
from trading.kernel.canonical import sha256
from trading.kernel.errors import Refusal
from trading.ledger.entry import Stamp, leaf_hash, read_entry, stamped
from trading.ledger.fact import Fact
from trading.ledger.port import Record
from trading.ledger.store import Row, Rows
from trading.ledger.tree import Tree
from trading.suspension import decide_extend
from trading.tender import Tender, place_of

__all__ = ["Books", "MemoryArchive", "Watch"]

_DURING_PAUSE = {"resumption.asked/1", "tender.resumed/1", "tender.cancelled/1"}


class Books(msgspec.Struct):
    """One tender as the watch itself keeps it; `current` by pseudonym, lot and stage."""

    state: Tender
    current: dict[tuple[bytes, int, int], tuple[str, bytes]] = {}
    order: dict[str, int] = {}
    seen: set[str] = set()
    is_paused: bool = False
    moved: datetime = START  # when the deadline last changed
    is_closed: bool = False


class Watch:
    """Tells of every entry, and complains of what is wrong."""

    def __init__(
        self,
        database: Database,
        tell: Callable[[str, Fact, Stamp], None],
        complain: Callable[[str], None],
    ) -> None:
        self._database, self._tell, self._wrong = database, tell, complain
        self.tenders: dict[str, Books] = {}
        self.stored: dict[str, tuple[int, datetime]] = {}  # by key: index, and when it was durable
        self.due: dict[tuple[str, int], OutageRecorded] = {}  # by tender to be extended, and entry
        self._heights: dict[str, int] = {}
        self._last: datetime | None = None
        self._claims = set(database.table.claims)
        for row in database.table.rows:
            self._see(row, None)
        database.watchers.append(self.committed)

    def committed(self, process: str, locked_at: datetime, rows: Rows) -> None:
        for row in rows.entries:
            fact, stamp = self._see(row, locked_at)
            self._tell(process, fact, stamp)
        for claim in rows.claims:
            if claim in self._claims:
                self._wrong(f"{claim.partition(':')[0]}: a claim is taken twice")
            self._claims.add(claim)

    def _see(self, row: Row, locked_at: datetime | None) -> tuple[Fact, Stamp]:
        index, _, _, key, leaf, _, raw = row
        fact, stamp = stamped(read_entry(raw, index), index, leaf_hash(leaf))
        name = f"entry {index} ({type(fact).__name__})"
        if key in self.stored:
            self._wrong(f"{name}: its key already names entry {self.stored[key][0]}")
        if index != len(self.stored) or stamp.height != self._heights.get(stamp.stream, 0):
            self._wrong(f"{name}: not the next of the ledger or of its stream")
        if self._last and stamp.at < self._last:
            self._wrong(f"{name}: earlier than the entry before it")
        self.stored.setdefault(key, (index, self._database.loop.wall()))
        self._heights[stamp.stream], self._last = stamp.height + 1, stamp.at
        if isinstance(fact, OutageRecorded):
            for tender, books in self.tenders.items():
                if decide_extend(books.state, fact, index):
                    self.due[tender, index] = fact
        if stamp.stream.startswith("tender:"):
            self._follow(stamp.stream.removeprefix("tender:"), fact, stamp, locked_at or stamp.at)
        return fact, stamp

    def _follow(self, tender: str, fact: Fact, stamp: Stamp, at: datetime) -> None:
        books = self.tenders.setdefault(tender, Books(Tender(tender)))
        name = f"entry {stamp.index} ({type(fact).__name__})"
        deadline = books.state.deadline
        for problem in self._broken(books, fact, stamp, at):
            self._wrong(f"{name}: {problem}")
        try:
            books.state.apply(fact, stamp)
        except Refusal as refusal:
            self._wrong(f"{name}: the tender cannot take it: {refusal}")
        fresh = books.state.deadline
        if fresh != deadline:
            books.moved = self._database.loop.wall()
            self._still_due(books.state)
        if deadline and (fresh is None or fresh < deadline):
            self._wrong(f"{name}: the deadline has moved to an earlier time")

    def _still_due(self, state: Tender) -> None:
        """What one outage has extended, another may not have to."""
        for (tender, index), outage in list(self.due.items()):
            if tender == state.id and not decide_extend(state, outage, index):
                del self.due[tender, index]

    def _broken(self, books: Books, fact: Fact, stamp: Stamp, at: datetime) -> Iterator[str]:
        tag = str(fact.__struct_config__.tag)
        if books.is_paused and tag not in _DURING_PAUSE:
            yield "the tender is suspended"
        if isinstance(fact, EnvelopeReceived | EnvelopeWithdrawn):
            yield from self._late(books, max(at, stamp.at))
        if isinstance(fact, EnvelopeReceived):
            yield from self._received(books, fact, stamp)
        elif isinstance(fact, EnvelopeWithdrawn):
            yield from self._withdrawn(books, fact)
        elif isinstance(fact, TenderSuspended | TenderResumed | TenderCancelled):
            books.is_paused = isinstance(fact, TenderSuspended)
        elif isinstance(fact, BiddingClosed):
            yield from self._closed(books, fact, at)
        else:
            yield from self._once(books, fact)

    def _late(self, books: Books, at: datetime) -> Iterator[str]:
        deadline = books.state.deadline
        if deadline is None or at >= deadline or books.is_closed:
            yield f"at {at:%S.%f}, and the deadline was {deadline and deadline:%S.%f}"

    def _withdrawn(self, books: Books, fact: EnvelopeWithdrawn) -> Iterator[str]:
        if not any(eid == fact.eid for eid, _ in books.current.values()):
            yield "no such envelope is there to be withdrawn"
        books.current = {p: held for p, held in books.current.items() if held[0] != fact.eid}

    def _received(self, books: Books, fact: EnvelopeReceived, stamp: Stamp) -> Iterator[str]:
        prefix = Prefix.parse(bytes.fromhex(fact.prefix))
        held = books.current.get(place_of(prefix))
        if bool(prefix.header.seq) != bool(held) or (held and prefix.header.prev != held[1]):
            yield "it does not follow the envelope that its pseudonym has there"
        for name in (prefix.enc.hex(), prefix.eid, fact.token):
            if name and name in books.seen:
                yield "envelope, encapsulated key or token was there before"
            books.seen.add(name)
        books.current[place_of(prefix)] = prefix.eid, sha256(prefix.pack())
        books.order[prefix.eid] = stamp.index

    def _closed(self, books: Books, fact: BiddingClosed, at: datetime) -> Iterator[str]:
        final = sorted((eid for eid, _ in books.current.values()), key=lambda eid: books.order[eid])
        if list(fact.envelopes) != final:
            yield f"{len(fact.envelopes)} envelopes, and {len(final)} are the final ones"
        if books.state.deadline is None or at < books.state.deadline:
            yield "before the deadline"
        books.is_closed = True

    def _once(self, books: Books, fact: Fact) -> Iterator[str]:
        """What happens once to a tender, an envelope, a trustee."""
        name = ""
        if isinstance(fact, EnvelopeOpened | EnvelopeUnopened):
            name = f"opened {fact.eid}"
        elif isinstance(fact, ShareGiven):
            name = f"share {fact.stage} {fact.trustee}"
        if name and name in books.seen:
            yield "it stands there twice"
        books.seen.add(name)


class MemoryArchive:
    """The database as a verifier reads it."""

    has_releases = False

    def __init__(
        self, database: Database, body: Callable[[str], Iterator[bytes]], policy: str, charter: str
    ) -> None:
        self._database, self._body = database, body
        self._policy, self._charter = policy, charter

    def check_files(self) -> int:
        return len(self._database.table.rows)

    def records(self) -> Iterator[Record]:
        return self._database.records(0, len(self._database.table.rows))

    def notes(self) -> Iterator[str]:
        return (note for _, note in self._database.table.cosigned)

    def policy(self) -> str:
        return self._policy

    def charter(self) -> str:
        return self._charter

    def check_head(self, size: int, root: bytes, logs: object) -> None:
        head = self._database.table.head
        assert head
        assert (head.size, head.root) == (size, root)

    def envelope(self, eid: str) -> Iterator[bytes]:
        return self._body(eid)

    def envelopes(self) -> set[str]:
        return set()

    def check_tiles(self, tree: Tree, leaves: list[bytes]) -> None:
        """A database keeps none."""

    def releases(self) -> bytes:
        return b""

    def check_published(self, at: datetime) -> None:
        """Nothing is published from here."""

    def close(self) -> None:
        """Nothing is open."""
