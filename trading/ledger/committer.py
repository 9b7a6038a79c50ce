"""The sequencer: many requests, one transaction, one signed head; acknowledged after the commit.

One thread owns tree, streams and head. A batch is whatever queued while the previous one was
being written, so nothing waits when the ledger is idle. What may heal (a full disk, a database
that restarts) is waited for or refused, and writing goes on; anything else is fatal: the writer
stops, every waiting request learns it, and the next start rebuilds the root from the entries.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Self

from trading.kernel.errors import (
    HeadMoved,
    NotErasable,
    Refusal,
    StoreDamaged,
    StoreFull,
    StoreUnreachable,
    TimeStoodStill,
    WriterStopped,
)
from trading.kernel.instant import Clock, Reading
from trading.ledger.batch import Batch, Request
from trading.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_log_signature
from trading.ledger.entry import Stamp, leaf_hash, read_entry, stamped
from trading.ledger.fact import Fact, write_fact
from trading.ledger.note import Note
from trading.ledger.port import Draft, Record, Silence
from trading.ledger.signature import NoteKey
from trading.ledger.store import Head, Opening, Store, Tip
from trading.ledger.tail import Tail
from trading.ledger.tree import Tree

__all__ = ["GroupLedger"]

_PATIENCE = 10.0  # seconds a batch waits for its database before its requests are refused
_PAUSE = 0.1
_PACE = 0.015  # seconds between two batches while there is a crowd
_PAGE = 100
_LOOK_BACK = 5_000
_CATCH_UP = Request("", 0, (), [], Future())  # a wake-up: another process has written


class GroupLedger:
    """The Ledger port on a Store. Call `close` (or use `with`) to stop the writer thread."""

    def __init__(
        self, store: Store, keys: list[NoteKey], clock: Clock, batch_limit: int = 1000
    ) -> None:
        self.store, self._keys, self._clock, self._limit = store, keys, clock, batch_limit
        self._origin = keys[0].verifier.name
        self._tree = Tree()
        self._tips: dict[str, Tip] = {}
        self._tail = Tail()
        self._wakes: list[Callable[[int], None]] = []
        self._head = self._load()
        at = store.clock()
        self.offset = at - clock.read().at if at else timedelta(0)
        self._queue: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._stopped: BaseException | None = None
        self._began, self._crowded = 0.0, False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()
        store.on_growth(self._grown_elsewhere)

    # -- reading ------------------------------------------------------------------------------

    def size(self) -> int:
        return self._head.size if self._head else 0

    @property
    def last_at(self) -> datetime | None:
        """The time of the newest entry."""
        return self._head.at if self._head else None

    @property
    def waiting(self) -> int:
        """Requests that no batch has taken yet."""
        return self._queue.qsize()

    @property
    def stopped(self) -> BaseException | None:
        """Why nothing is written any more; None while the writer lives."""
        return self._stopped

    def stream(self, name: str, start: int = 0) -> list[tuple[Fact, Stamp]]:
        acts = self._tail.since(name, start)
        if acts is not None:
            return acts
        return [
            stamped(read_entry(record.raw, record.index), record.index, leaf_hash(record.leaf))
            for record in self.store.stream_rows(name, start)
            if record.raw
        ]

    def find(self, key: str) -> tuple[Fact, Stamp] | None:
        index, leaf, raw = self.store.find([key]).get(key, (0, b"", b""))
        return stamped(read_entry(raw, index), index, leaf_hash(leaf)) if raw else None

    def records(self, start: int = 0, end: int | None = None) -> Iterator[Record]:
        return self.store.rows(start, self.size() if end is None else end)

    def checkpoint(self) -> str:
        """Committed under Ed25519; what leaves the house also bears the post-quantum signature."""
        head = self._head
        note = Note.parse(head.note) if head else self._sign(0, self._clock.read().at)
        time = int(head.at.timestamp()) if head else 0
        return str(note.with_signatures([key.sign(note.text, time) for key in self._keys[1:]]))

    def cosigned(self, start: int = 0) -> list[str]:
        return self.store.cosigned(start)

    def keep_cosigned(self, note: str) -> None:
        self.store.keep_cosigned(Checkpoint.parse(Note.parse(note).text).size, note)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return self._tree.inclusion(index, min(size, self.size()))

    def consistency(self, old: int, new: int) -> list[bytes]:
        return self._tree.consistency(old, min(new, self.size()))

    def root(self, size: int) -> bytes:
        """Of an earlier state."""
        return self._tree.root(size)

    def hashes(self, level: int, start: int, end: int) -> bytes:
        """Of complete subtrees of 2**level leaves, for the tiles."""
        return self._tree.hashes(level, start, end)

    def on_growth(self, wake: Callable[[int], None]) -> None:
        self._wakes.append(wake)

    # -- writing ------------------------------------------------------------------------------

    def append(self, stream: str, expected: int, drafts: Sequence[Draft]) -> tuple[Stamp, ...]:
        return self.submit(stream, expected, drafts).result()

    def submit(
        self, stream: str, expected: int, drafts: Sequence[Draft]
    ) -> "Future[tuple[Stamp, ...]]":
        answer: Future[tuple[Stamp, ...]] = Future()
        answer.set_running_or_notify_cancel()  # what is queued can no longer be taken back
        facts = [write_fact(draft.fact) for draft in drafts]
        for text in (stream, *(draft.key for draft in drafts)):
            text.encode()  # a lone surrogate is the caller's mistake, not the writer's end
        if not drafts:
            answer.set_result(())
            return answer
        self._queue.put(Request(stream, expected, drafts, facts, answer))
        if self._stopped:
            self._refuse_waiting()
        return answer

    def first_use(self, name: str, until: datetime) -> bool:
        """Whether nobody has used the name yet, in any process; remembered until then."""
        return self.store.first_use(name, until)

    def beat(self) -> None:
        self.store.beat(self._clock.read().at)

    def silence(self, least: timedelta, after: datetime | None) -> Silence | None:
        beat = self.store.last_beat()
        if beat is None:
            return None
        begin = max(beat, after or beat)
        now = self.store.clock() or self._clock.read().at
        for start, end in pairwise([begin, *self._written_since(begin), now]):
            if end - start >= least:
                return Silence(start, end)
        return None

    def _written_since(self, begin: datetime) -> list[datetime]:
        """The times of the newest entries; of those before the last few thousand nobody asks."""
        head, times = self.store.head(), list[datetime]()
        end = head.size if head else 0
        while end > 0 and len(times) < _LOOK_BACK and (not times or times[0] > begin):
            start = max(0, end - _PAGE)
            rows = self.store.rows(start, end)
            times = [read_entry(row.raw, row.index).at for row in rows if row.raw] + times
            end = start
        return [at for at in times if at > begin]

    def check_erasable(self, index: int) -> None:
        record = next(self.records(index, index + 1), None)
        if record is None or not record.raw:
            raise NotErasable(index=index)
        fact, _ = stamped(read_entry(record.raw, index), index, record.leaf)
        if not fact.personal:
            raise NotErasable(index=index)

    def erase(self, index: int) -> None:
        self.check_erasable(index)
        self.store.erase(index)

    def close(self) -> None:
        if not self._thread.is_alive() and isinstance(self._stopped, WriterStopped):
            return
        self._queue.put(None)
        self._thread.join()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- the writer thread --------------------------------------------------------------------

    def _run(self) -> None:
        while (request := self._queue.get()) is not None:
            self._linger()
            requests, last = self._gather(request)
            self._crowded = len(requests) > 1
            try:
                self._commit(requests)
            except BaseException as error:  # noqa: BLE001  whatever it is, the writer must stop
                self._stopped = error
                _refuse(requests, error)
                self._refuse_waiting()
                break
            if last:
                break
        self._stopped = self._stopped or WriterStopped(cause="closed")
        self._refuse_waiting()
        self.store.close_thread()
        self._wake()

    def _linger(self) -> None:
        """While acts come side by side, a batch waits for company: what a batch costs is then
        shared by more of them. Whoever comes alone waits for nobody.
        """
        if self._crowded:
            time.sleep(max(0.0, self._began + _PACE - time.monotonic()))
        self._began = time.monotonic()

    def _gather(self, first: Request) -> tuple[list[Request], bool]:
        requests, count = [first], len(first.drafts)
        while count < self._limit:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return requests, True
            requests.append(following)
            count += len(following.drafts)
        return requests, False

    def _refuse_waiting(self) -> None:
        while not self._queue.empty():
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting:
                _refuse([waiting], WriterStopped(cause=self._stopped))

    def _commit(self, requests: list[Request]) -> None:
        """Until the batch is durable, or its database has been away for too long."""
        patience = time.monotonic() + _PATIENCE
        while True:
            try:
                self._attempt([item for item in requests if not item.answer.done()])
            except StoreFull as full:
                self._forget()
                _refuse(requests, full)
            except (StoreUnreachable, TimeStoodStill) as error:
                self._forget()
                healing = isinstance(error, StoreUnreachable) or self.store.is_shared
                if healing and time.monotonic() < patience:
                    time.sleep(_PAUSE)
                    continue
                if not isinstance(error, StoreUnreachable):
                    raise
                _refuse(requests, error)
            return

    def _attempt(self, requests: list[Request]) -> None:
        drafts = [draft for request in requests for draft in request.drafts]
        if not drafts:
            self._follow(self.store.head())
            self._wake()
            return
        claims = [claim for draft in drafts for claim in draft.claims]
        try:
            opening = self.store.begin([draft.key for draft in drafts], claims)
            batch = self._decide(requests, opening)
            if batch.rows.entries:
                head = self._seal(batch, opening.head)
                if not self.store.is_shared:  # or else the database alone knows what is there
                    self._tail.add(batch.acts)  # before anybody can see that there is more
                self._head = head
            else:
                self.store.confirm()
        except BaseException:
            self.store.rollback()
            raise
        self._tips.update(batch.rows.tips)
        for answer, stamps in batch.answers:
            answer.set_result(stamps)
        self._wake()

    def _decide(self, requests: list[Request], opening: Opening) -> Batch:
        self._follow(opening.head)
        reading = self._read(opening)
        named = set[str]().union(*(request.streams for request in requests))
        names = named - self._tips.keys()
        self._tips |= self.store.tips(sorted(names))
        batch = Batch(self._tree, self._tips, opening, reading)
        for request in requests:
            try:
                if request.drafts:
                    batch.admit(request, self.store.next_stream)
            except Refusal as refusal:
                request.answer.set_exception(refusal)
        return batch

    def _read(self, opening: Opening) -> Reading:
        """The database's clock where it has one: all processes then decide by the same."""
        reading = self._clock.read()
        if opening.at:
            self.offset = opening.at - reading.at
            reading = Reading(opening.at, reading.error)
        if opening.head and reading.at <= opening.head.at:
            raise TimeStoodStill(last=opening.head.at, now=reading.at)
        return reading

    def _seal(self, batch: Batch, old: Head | None) -> Head:
        size, at = self._tree.size, batch.reading.at
        head = Head(size, self._tree.root(size), at, str(self._sign(size, at)))
        self.store.commit(old, head, batch.rows)
        return head

    def _follow(self, head: Head | None) -> None:
        """Take over what other processes have committed since; it must extend what we know."""
        if head == self._head:
            return
        known = self.size()
        ours_alone = self._head and not self.store.is_shared
        if head is None or head.size <= known or ours_alone:
            raise HeadMoved(expected=known)
        for leaf in self.store.leaves(known, head.size):
            self._tree.append(leaf_hash(leaf))
        self._check(head)
        self._tips.clear()
        self._head = head

    def _forget(self) -> None:
        """What a batch that was not committed has left in memory."""
        self._tree.cut(self.size())
        self._tips.clear()

    def _wake(self) -> None:
        for wake in self._wakes:
            wake(self.size())

    def _grown_elsewhere(self, size: int) -> None:
        if size > self.size() and not self._stopped:
            self._queue.put(_CATCH_UP)

    def _sign(self, size: int, at: datetime) -> Note:
        checkpoint = Checkpoint(self._origin, size, self._tree.root(size))
        return sign_checkpoint(checkpoint, self._keys[:1], int(at.timestamp()))

    def _load(self) -> Head | None:
        """Rebuild the tree; its root must be the one the last head signed."""
        head = self.store.head()
        for leaf in self.store.leaves(0, head.size if head else 1):
            self._tree.append(leaf_hash(leaf))
        if head is None:
            if self._tree.size:
                raise StoreDamaged(problem="有记录而无头部 / entries without a head")
            return None
        self._check(head)
        return head

    def _check(self, head: Head | None) -> None:
        if head is None:
            raise StoreDamaged(problem="有记录而无头部 / entries without a head")
        signed = verify_log_signature(Note.parse(head.note), [key.verifier for key in self._keys])
        found = (self._tree.size, self._tree.root())
        if found != (signed.size, signed.root) or found != (head.size, head.root):
            raise StoreDamaged(
                problem=f"记录 {found[0]} 条，检查点 {signed.size} 条"
                f" / {found[0]} entries, checkpoint of {signed.size}"
            )


def _refuse(requests: list[Request], error: BaseException) -> None:
    for request in requests:
        if request.drafts and not request.answer.done():
            request.answer.set_exception(error)
