"""核验 `kaifeng verify`: repeat everything that was ever decided, step by step, from the record.

Each fact is decided again by the same pure rules as of its own moment (trading/redecide.py);
proofs are checked, envelopes opened again. Needs nothing but `trading`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from trading.committee import Charter
from trading.envelope.admit import check_body
from trading.envelope.layout import Prefix, split_prefix
from trading.facts.bidding import BiddingClosed
from trading.facts.party import EntryErased
from trading.facts.suspension import OutageRecorded
from trading.kernel.calendar import Calendar
from trading.kernel.errors import (
    CheckpointBroken,
    EntryBroken,
    FileBroken,
    Refusal,
)
from trading.ledger.archive import CHARTER, POLICY, Archive
from trading.ledger.chain import Chain, Link
from trading.ledger.checkpoint import Checkpoint, verify_log_signature
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.note import Note
from trading.ledger.policy import Policy, Witnessed
from trading.ocds import package, releases
from trading.reader import TenderReader
from trading.redecide import Redecider
from trading.roll import Roll
from trading.tender import Phase, Tender

__all__ = ["Audit", "Room", "Step"]

T = TypeVar("T")

# What hostile files and rows can make reading raise; everything else would be a bug of ours.
_ON_THE_WAY = timedelta(seconds=2)  # from a head to its date, and between two signs of life
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class Step(msgspec.Struct, frozen=True):
    """One line of the report."""

    number: int
    zh: str
    en: str
    detail: str


class Room(Protocol):
    """What a package above this one has to say of the facts; `follow` is asked of each before it is
    read here, and raises EntryBroken.
    """

    zh: str
    en: str

    def follow(self, fact: Fact, stamp: Stamp, reader: TenderReader) -> None: ...

    def finish(self) -> str: ...


class Audit:
    """One verification, by the verifier's own policy and charter, or else by the archive's."""

    def __init__(
        self,
        archive: Archive,
        policy: Policy | None = None,
        charter: Charter | None = None,
        tick: Callable[[int], None] | None = None,
        rooms: Sequence[Room] = (),
    ) -> None:
        self._rooms = rooms
        self._archive, self._tick = archive, tick or (lambda _: None)
        self._policy = policy or _believed(POLICY, archive.policy(), Policy.parse)
        self._chain, self._roll = Chain(), Roll()
        self._leaves: list[bytes] = []
        self._facts: list[tuple[Fact, Stamp]] = []
        self._witnessed: list[Witnessed] = []
        self._named: set[int] = set()
        charter = charter or _believed(CHARTER, archive.charter(), Charter.parse)
        calendar = Calendar.of_china()
        self._reader = TenderReader(
            Redecider(calendar, self._body, self._policy, self._root, charter)
        )

    def run(self, report: Callable[[Step], None]) -> None:
        """All steps in order; Broken (exit 1) at the first thing that is wrong."""
        steps: list[tuple[str, str, Callable[[], str]]] = [
            ("文件", "files", self._files),
            ("记录链", "entries", self._entries),
            ("检查点", "checkpoints", self._checkpoints),
            ("瓦片", "tiles", self._tiles),
            ("项目", "tenders", self._tender_acts),
            ("抽取", "draws", self._draws),
            ("信封", "envelopes", self._envelopes),
            ("公开数据", "releases", self._releases),
            *((room.zh, room.en, room.finish) for room in self._rooms),
        ]
        for number, (zh, en, step) in enumerate(steps, 1):
            try:
                detail = step()
            except (Refusal, PermissionError):
                raise
            except _UNREADABLE as error:
                problem = f"第 {number} 步无法读取 / step {number} cannot read it: {error!r}"
                raise FileBroken(path=en, problem=problem) from error
            report(Step(number, zh, en, detail))

    # (1) every file or row is whole and listed
    def _files(self) -> str:
        return f"{self._archive.check_files()}"

    # (2) leaves, salts, streams, time; each act signed by a party that may do it
    def _entries(self) -> str:
        for record in self._archive.records():
            link = self._chain.add(record)
            self._leaves.append(record.leaf)
            if link:
                self._follow(link)
            self._tick(record.index)
        unnamed = sorted(set(self._chain.erased.values()) - self._named)
        if unnamed:
            raise EntryBroken(index=unnamed[0], problem="内容缺失且无删除记录 / erased, unnamed")
        erased = f" ({len(self._chain.erased)} erased)" if self._chain.erased else ""
        return f"{self._chain.tree.size}{erased}"

    def _follow(self, link: Link) -> None:
        self._roll.check(link)
        if isinstance(link.fact, EntryErased):
            self._named.add(link.fact.index)
        self._facts.append((link.fact, link.stamp))

    # (3) every checkpoint is a state of these very entries; log signatures, witness quorum, order
    def _checkpoints(self) -> str:
        policy = self._policy
        last, count = 0, 0
        for note in self._archive.notes():
            checkpoint = self._checkpoint(policy, note)
            if checkpoint.size < last:
                raise CheckpointBroken(size=checkpoint.size, problem="顺序有误 / out of order")
            last, count = checkpoint.size, count + 1
        size = self._chain.tree.size
        self._archive.check_head(size, self._chain.tree.root(), list(policy.logs))
        if not count or (self._archive.has_releases and last != size):
            problem = f"未覆盖全部 {size} 条记录 / does not cover all entries"
            raise CheckpointBroken(size=last, problem=problem)
        open_end = f" ({size - last} 条尚未联署 / not yet cosigned)" if last != size else ""
        return f"{count}{open_end}"

    def _checkpoint(self, policy: Policy, note: str) -> Checkpoint:
        parsed = Note.parse(note)
        if str(parsed) != note:
            raise CheckpointBroken(size="?", problem="写法不规范 / not in its one spelling")
        head = verify_log_signature(parsed, list(policy.logs))
        self._witnessed.append(policy.check(note))
        tree = self._chain.tree
        if head.size > tree.size or tree.root(head.size) != head.root:
            raise CheckpointBroken(size=head.size, problem="与记录不符 / not of these entries")
        known = {(key.name, key.key_id) for key in (*policy.logs, *policy.witnesses.values())}
        for line in parsed.signatures:
            if (line.name, line.key_id) not in known:
                raise CheckpointBroken(size=head.size, problem=f"未知签名 / unknown {line.name}")
        return head

    # (4) the static tiles are those of the tree
    def _tiles(self) -> str:
        self._archive.check_tiles(self._chain.tree, self._leaves)
        return "✓"

    # (5) every fact of every tender is what the rules decided at its moment
    def _tender_acts(self) -> str:
        for fact, stamp in self._facts:
            for room in self._rooms:
                room.follow(fact, stamp, self._reader)
            self._reader.read(fact, stamp)
            self._tick(stamp.index)
        for state in self._reader.tenders.values():
            self._check_bracket(state)
        self._check_outages()
        return f"{len(self._reader.tenders)}"

    def _check_outages(self) -> None:
        """A platform whose heads the witnesses dated was not down."""
        for fact, stamp in self._facts:
            if not isinstance(fact, OutageRecorded):
                continue
            for witnessed in self._witnessed:
                if fact.start + _ON_THE_WAY < witnessed.median < fact.end - _ON_THE_WAY:
                    problem = "停机期间有见证 / witnesses saw heads during the outage"
                    raise EntryBroken(index=stamp.index, problem=problem)

    def _check_bracket(self, state: Tender) -> None:
        """Of the heads that were kept by then, the closing took the last one before the deadline,
        and the first one after it that holds all envelopes.
        """
        if state.closed is None or state.deadline is None:
            return
        before = Checkpoint.parse(Note.parse(state.closed.before).text).size
        for witnessed in self._witnessed:
            if witnessed.note == state.closed.closing:
                return
            size, early = witnessed.checkpoint.size, witnessed.median < state.deadline
            if size > before if early else size >= state.bidding_size:
                problem = "截标未用最近的检查点 / the closing skipped a nearer checkpoint"
                raise CheckpointBroken(size=size, problem=problem)

    # (6) every draw took the first head after its commitments; its facts were checked with (5)
    def _draws(self) -> str:
        for draw in self._reader.draws.values():
            if draw.head is None:
                continue
            for witnessed in self._witnessed:
                if draw.last_commitment < witnessed.checkpoint.size < draw.head.size:
                    problem = "抽取未用承诺后的首个检查点 / the draw skipped a nearer checkpoint"
                    raise CheckpointBroken(size=draw.head.size, problem=problem)
        return f"{len(self._reader.draws)}"

    # (7) the envelopes of every closing are there and are the ones that were received
    def _envelopes(self) -> str:
        counted = {
            eid
            for fact, _ in self._facts
            if isinstance(fact, BiddingClosed)
            for eid in fact.envelopes
        }
        if not self._archive.has_releases:
            counted |= self._check_waiting()
        extra = self._archive.envelopes() - counted if self._archive.has_releases else set()
        for eid in sorted(extra):
            raise FileBroken(path=f"envelopes/{eid}.kfe", problem="不属于任何截标 / in no closing")
        return f"{len(counted)}"

    def _check_waiting(self) -> set[str]:
        """A live centre must still hold every sealed envelope that may come to be opened."""
        waiting = {
            eid: state.received[eid].prefix
            for state in self._reader.tenders.values()
            if state.phase is Phase.BIDDING
            for eid in state.current.values()
        }
        for eid, prefix in waiting.items():
            check_body(prefix, self._body(eid))
        return set(waiting)

    # (8) the published open data is what the facts give
    def _releases(self) -> str:
        if not self._archive.has_releases:
            return "—"
        published = self._facts[-1][1].at if self._facts else datetime.min.replace(tzinfo=UTC)
        self._archive.check_published(published)
        if package(releases(self._facts), published) + b"\n" != self._archive.releases():
            raise FileBroken(path="ocds/releases.json", problem="与记录不符 / differs from facts")
        return "✓"

    def _root(self, size: int) -> bytes:
        if size > self._chain.tree.size:
            raise CheckpointBroken(size=size, problem="多于全部记录 / more than all entries")
        return self._chain.tree.root(size)

    def _body(self, eid: str) -> Iterator[bytes]:
        first, body = split_prefix(self._archive.envelope(eid))
        if Prefix.parse(first).eid != eid:
            raise FileBroken(path=f"envelopes/{eid}.kfe", problem="前缀不符 / prefix differs")
        return body


def _believed(name: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except Refusal as refusal:
        raise FileBroken(path=name, problem=refusal) from refusal
