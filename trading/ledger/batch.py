"""One batch: which requests are admitted, in which order, and the rows they become.

Everything here happens under the store's lock, so what a batch decides nobody else can overtake.
A batch works on copies: if its commit fails, nothing that is remembered has changed.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import msgspec

from trading.kernel.chance import portions
from trading.kernel.errors import ClaimTaken, KeyReused, LostRace, TooLate
from trading.kernel.instant import Reading
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
from trading.ledger.fact import Fact
from trading.ledger.port import ANY, Draft
from trading.ledger.store import Opening, Rows, Tip
from trading.ledger.tree import Tree

__all__ = ["Batch", "Request"]

_SALTS = 32  # drawn together


class Request(msgspec.Struct):
    stream: str
    expected: int
    drafts: Sequence[Draft]
    facts: list[bytes]
    answer: "Future[tuple[Stamp, ...]]"

    @property
    def streams(self) -> set[str]:
        """Its own, and those that its decision looked at."""
        beside = {name for draft in self.drafts for name, _ in draft.beside}
        return {self.stream, *beside} - {""}

    @property
    def commutes(self) -> bool:
        return all(draft.fact.commutes for draft in self.drafts)


class Batch:
    def __init__(
        self, tree: Tree, tips: dict[str, Tip], opening: Opening, reading: Reading
    ) -> None:
        self._tree, self._tips, self._opening, self.reading = tree, tips, opening, reading
        self.rows = Rows()
        self.answers: list[tuple[Future[tuple[Stamp, ...]], tuple[Stamp, ...]]] = []
        self.acts: list[tuple[Fact, Stamp]] = []
        self._keys: dict[str, tuple[Stamp, bytes]] = {}
        self._claims: set[str] = set()
        self._salts = portions(SALT, _SALTS)

    def admit(self, request: Request, next_stream: Callable[[], int]) -> None:
        """The request's rows, or a refusal that touches nothing."""
        known = self._opening.known
        if request.drafts[0].key in known or request.drafts[0].key in self._keys:
            self.answers.append((request.answer, self._repeated(request)))
            return
        tip = self._tip(request.stream)
        self._check_place(request, tip)
        self._check_drafts(request)
        if tip is None:
            tip = Tip(next_stream() + len(self.rows.streams), 0, GENESIS, 0)
            self.rows.streams.append((tip.sid, request.stream))
        self.rows.tips[request.stream] = tip
        stamps = tuple(self._add(request, tip, number) for number in range(len(request.drafts)))
        if not request.commutes:
            tip.barrier = tip.height
        self.answers.append((request.answer, stamps))

    def _tip(self, stream: str) -> Tip | None:
        """A copy that belongs to the batch."""
        if stream in self.rows.tips:
            return self.rows.tips[stream]
        tip = self._tips.get(stream)
        return msgspec.structs.replace(tip) if tip else None

    def _check_place(self, request: Request, tip: Tip | None) -> None:
        actual, barrier = (tip.height, tip.barrier) if tip else (0, 0)
        if request.expected in (actual, ANY):
            return
        if not (request.commutes and barrier <= request.expected < actual):
            raise LostRace(stream=request.stream, expected=request.expected, actual=actual)

    def _check_drafts(self, request: Request) -> None:
        drafts = request.drafts
        if len({draft.key for draft in drafts}) != len(drafts):
            raise KeyReused(key=drafts[0].key)
        for draft in drafts:
            if draft.before and not self.reading.is_surely_before(draft.before):
                raise TooLate(act="提交", deadline=draft.before, article=draft.article)
            if draft.fresh_until and self.reading.at > draft.fresh_until:
                raise LostRace(stream=request.stream, expected=draft.fresh_until, actual="now")
            if draft.key in self._opening.known or draft.key in self._keys:
                raise KeyReused(key=draft.key)
            for stream, height in draft.beside:
                self._check_beside(stream, height)
            for claim in draft.claims:
                if claim in self._opening.claimed or claim in self._claims:
                    raise ClaimTaken(stream=request.stream, claim=claim)

    def _check_beside(self, stream: str, height: int) -> None:
        tip = self.rows.tips.get(stream) or self._tips.get(stream)
        actual, barrier = (tip.height, tip.barrier) if tip else (0, 0)
        if height != actual and not barrier <= height < actual:
            raise LostRace(stream=stream, expected=height, actual=actual)

    def _add(self, request: Request, tip: Tip, number: int) -> Stamp:
        draft, fact, stream = request.drafts[number], request.facts[number], request.stream
        at, index, height, salt = self.reading.at, self._tree.size, tip.height, next(self._salts)
        entry = Entry(
            draft.actor, at, msgspec.Raw(fact), height, draft.key, tip.prev, draft.sig, stream
        )
        raw = entry.encode()
        data = leaf_data(salt, raw, personal=draft.fact.personal)
        leaf = leaf_hash(data)
        self._tree.append(leaf)
        self.rows.entries.append((index, tip.sid, height, draft.key, data, salt, raw))
        self.rows.claims.extend(draft.claims)
        self._claims.update(draft.claims)
        tip.height, tip.prev = height + 1, leaf.hex()
        stamp = Stamp(index, at, stream, height, draft.actor, tip.prev)
        self._keys[draft.key] = (stamp, fact)
        self.acts.append((draft.fact, stamp))
        return stamp

    def _repeated(self, request: Request) -> tuple[Stamp, ...]:
        stamps = []
        for draft, fact in zip(request.drafts, request.facts, strict=True):
            stamp, before = self._earlier(draft.key)
            same = stamp and (stamp.stream, stamp.actor) == (request.stream, draft.actor)
            if stamp is None or not same or before != fact:
                raise KeyReused(key=draft.key)
            stamps.append(stamp)
        return tuple(stamps)

    def _earlier(self, key: str) -> tuple[Stamp | None, bytes]:
        if key in self._keys:
            return self._keys[key]
        index, leaf, raw = self._opening.known.get(key, (0, b"", b""))
        if not raw:
            return None, b""
        entry = read_entry(raw, index)
        _, stamp = stamped(entry, index, leaf_hash(leaf))
        return stamp, bytes(entry.fact)
