"""The sequencer: many requests, one transaction, one signed head; acknowledged after the commit.

One thread owns tree, streams and head. A batch is whatever queued while the previous one was
being written, so nothing waits when the ledger is idle. Anything unexpected is fatal: the writer
stops, every waiting request learns it, and the next start rebuilds the root from the entries.
"""

import os
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Self

import msgspec

from trading.kernel.errors import (
    KeyReused,
    LostRace,
    NotErasable,
    Refusal,
    StoreDamaged,
    TimeStoodStill,
    TooLate,
    WriterStopped,
)
from trading.kernel.instant import Clock, Reading
from trading.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_log_signature
from trading.ledger.entry import (
    GENESIS,
    SALT,
    Entry,
    Stamp,
    leaf_data,
    leaf_hash,
    read_entry,
    stamped,
)
from trading.ledger.fact import Fact, write_fact
from trading.ledger.note import Note
from trading.ledger.port import ANY, Draft, Record
from trading.ledger.signature import NoteKey
from trading.ledger.store import Head, Row, SqliteStore
from trading.ledger.tree import Tree

__all__ = ["SqliteLedger"]


class _Request(msgspec.Struct):
    stream: str
    expected: int
    drafts: Sequence[Draft]
    facts: list[bytes]
    answer: "Future[tuple[Stamp, ...]]"


class _Tip(msgspec.Struct):
    """The end of a stream: its row id, the next height, the leaf hash of the last entry."""

    sid: int
    height: int
    prev: str


class _Batch(msgspec.Struct):
    reading: Reading
    rows: list[Row] = []
    streams: list[tuple[int, str]] = []
    answers: list[tuple["Future[tuple[Stamp, ...]]", tuple[Stamp, ...]]] = []
    keys: dict[str, tuple[Stamp, bytes]] = {}


class SqliteLedger:
    """The Ledger port on SQLite. Call `close` (or use `with`) to stop the writer thread."""

    def __init__(
        self, store: SqliteStore, keys: list[NoteKey], clock: Clock, batch_limit: int = 1000
    ) -> None:
        self.store, self._keys, self._clock, self._limit = store, keys, clock, batch_limit
        self._origin = keys[0].verifier.name
        self._tree = Tree()
        self._tips: dict[str, _Tip] = {}
        self._head = self._load()
        self._queue: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._stopped: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    # -- reading ------------------------------------------------------------------------------

    def size(self) -> int:
        return self._head.size if self._head else 0

    def stream(self, name: str) -> list[tuple[Fact, Stamp]]:
        return [
            stamped(read_entry(record.raw, record.index), record.index, leaf_hash(record.leaf))
            for record in self.store.stream_rows(name)
            if record.raw
        ]

    def records(self, start: int = 0, end: int | None = None) -> Iterator[Record]:
        return self.store.rows(start, self.size() if end is None else end)

    def checkpoint(self) -> str:
        """Committed under Ed25519; what leaves the house also bears the post-quantum signature."""
        head = self._head
        note = Note.parse(head.note) if head else self._sign(0, self._clock.read().at)
        time = int(head.at.timestamp()) if head else 0
        return str(note.with_signatures([key.sign(note.text, time) for key in self._keys[1:]]))

    def cosigned(self) -> list[str]:
        return self.store.cosigned()

    def keep_cosigned(self, note: str) -> None:
        self.store.keep_cosigned(Checkpoint.parse(Note.parse(note).text).size, note)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return self._tree.inclusion(index, min(size, self.size()))

    def consistency(self, old: int, new: int) -> list[bytes]:
        return self._tree.consistency(old, min(new, self.size()))

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
        self._queue.put(_Request(stream, expected, drafts, facts, answer))
        if self._stopped:
            self._refuse_waiting()
        return answer

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
            requests, last = self._gather(request)
            try:
                self._commit(requests)
            except BaseException as error:  # noqa: BLE001  whatever it is, the writer must stop
                self._stopped = error
                for waiting in requests:
                    _refuse(waiting, error)
                self._refuse_waiting()
                break
            if last:
                break
        self._stopped = self._stopped or WriterStopped(cause="closed")
        self._refuse_waiting()
        self.store.close_thread()

    def _gather(self, first: _Request) -> tuple[list[_Request], bool]:
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
                _refuse(waiting, WriterStopped(cause=self._stopped))

    def _commit(self, requests: list[_Request]) -> None:
        reading = self._clock.read()
        if self._head and reading.at <= self._head.at:
            raise TimeStoodStill(last=self._head.at, now=reading.at)
        batch = _Batch(reading)
        known = self.store.find([draft.key for request in requests for draft in request.drafts])
        for request in requests:
            try:
                self._admit(request, batch, known)
            except Refusal as refusal:
                request.answer.set_exception(refusal)
        if batch.rows:
            size = self._tree.size
            note = str(self._sign(size, reading.at))
            head = Head(size, self._tree.root(size), reading.at, note)
            self.store.commit(self._head, head, batch.rows, batch.streams)
            self._head = head
        for answer, stamps in batch.answers:
            answer.set_result(stamps)

    def _admit(
        self, request: _Request, batch: _Batch, known: dict[str, tuple[int, bytes, bytes]]
    ) -> None:
        if request.drafts[0].key in known or request.drafts[0].key in batch.keys:
            batch.answers.append((request.answer, self._repeated(request, batch, known)))
            return
        tip = self._tips.get(request.stream)
        actual = tip.height if tip else 0
        if request.expected not in (actual, ANY):
            raise LostRace(stream=request.stream, expected=request.expected, actual=actual)
        if len({draft.key for draft in request.drafts}) != len(request.drafts):
            raise KeyReused(key=request.drafts[0].key)
        for draft in request.drafts:
            if draft.before and not batch.reading.is_surely_before(draft.before):
                raise TooLate(act="提交", deadline=draft.before, article=draft.article)
            if draft.key in known or draft.key in batch.keys:
                raise KeyReused(key=draft.key)
        if tip is None:
            tip = self._tips[request.stream] = _Tip(len(self._tips) + 1, 0, GENESIS)
            batch.streams.append((tip.sid, request.stream))
        salts = os.urandom(SALT * len(request.drafts))
        stamps = tuple(
            self._add(request, tip, number, salts[SALT * number : SALT * (number + 1)], batch)
            for number in range(len(request.drafts))
        )
        batch.answers.append((request.answer, stamps))

    def _add(self, request: _Request, tip: _Tip, number: int, salt: bytes, batch: _Batch) -> Stamp:
        draft, fact, stream = request.drafts[number], request.facts[number], request.stream
        at, index, height = batch.reading.at, self._tree.size, tip.height
        entry = Entry(
            draft.actor, at, msgspec.Raw(fact), height, draft.key, tip.prev, draft.sig, stream
        )
        raw = entry.encode()
        data = leaf_data(salt, raw, personal=draft.fact.personal)
        leaf = leaf_hash(data)
        self._tree.append(leaf)
        batch.rows.append((index, tip.sid, height, draft.key, data, salt, raw))
        tip.height, tip.prev = height + 1, leaf.hex()
        stamp = Stamp(index, at, stream, height, draft.actor, tip.prev)
        batch.keys[draft.key] = (stamp, fact)
        return stamp

    def _repeated(
        self, request: _Request, batch: _Batch, known: dict[str, tuple[int, bytes, bytes]]
    ) -> tuple[Stamp, ...]:
        stamps = []
        for draft, fact in zip(request.drafts, request.facts, strict=True):
            stamp, before = self._earlier(draft.key, batch, known)
            same = stamp and (stamp.stream, stamp.actor) == (request.stream, draft.actor)
            if stamp is None or not same or before != fact:
                raise KeyReused(key=draft.key)
            stamps.append(stamp)
        return tuple(stamps)

    @staticmethod
    def _earlier(
        key: str, batch: _Batch, known: dict[str, tuple[int, bytes, bytes]]
    ) -> tuple[Stamp | None, bytes]:
        if key in batch.keys:
            return batch.keys[key]
        if key not in known or not known[key][2]:
            return None, b""
        index, leaf, raw = known[key]
        entry = read_entry(raw, index)
        _, stamp = stamped(entry, index, leaf_hash(leaf))
        return stamp, bytes(entry.fact)

    def _sign(self, size: int, at: datetime) -> Note:
        checkpoint = Checkpoint(self._origin, size, self._tree.root(size))
        return sign_checkpoint(checkpoint, self._keys[:1], int(at.timestamp()))

    def _load(self) -> Head | None:
        """Rebuild tree and stream tips; the root must be the one the last head signed."""
        for leaf in self.store.leaves():
            self._tree.append(leaf_hash(leaf))
        for name, sid, height, leaf in self.store.streams():
            self._tips[name] = _Tip(sid, height + 1, leaf_hash(leaf).hex())
        head = self.store.head()
        if head is None:
            if self._tree.size:
                raise StoreDamaged(problem="有记录而无头部 / entries without a head")
            return None
        signed = verify_log_signature(Note.parse(head.note), [key.verifier for key in self._keys])
        found = (self._tree.size, self._tree.root())
        if found != (signed.size, signed.root) or found != (head.size, head.root):
            raise StoreDamaged(
                problem=f"记录 {found[0]} 条，检查点 {signed.size} 条"
                f" / {found[0]} entries, checkpoint of {signed.size}"
            )
        return head


def _refuse(request: _Request, error: BaseException) -> None:
    if not request.answer.done():
        request.answer.set_exception(error)
