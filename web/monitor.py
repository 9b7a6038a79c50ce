"""监测 a stranger's watch over a ledger: it must only grow, be one for all, and hold what it says.

State is the last checkpoint that was checked and every leaf under it. Nothing is believed but
one's own policy: a forged, shrunk or split history is an alarm, whatever the centre answers.
"""

from pathlib import Path

import httpx
import msgspec

from trading.kernel.errors import Broken, CheckpointBroken, EntryBroken
from trading.kernel.files import durable_write
from trading.ledger.checkpoint import Checkpoint, verify_log_signature
from trading.ledger.entry import PERSONAL, leaf_data, leaf_hash
from trading.ledger.note import Note
from trading.ledger.policy import Policy, Witnessed
from trading.ledger.tree import Tree

__all__ = ["Monitor", "Watched"]

_PAGE = 1000
_LEAF = 33  # bytes of leaf data
_LEAVES, _CHECKPOINT, _EVIDENCE = "leaves", "checkpoint", "evidence"


class Watched(msgspec.Struct, frozen=True):
    """What one look found."""

    size: int
    fresh: int
    disclosed: int


class _Item(msgspec.Struct, frozen=True):
    """`entry` keeps its very bytes: the leaf commits to them."""

    index: int
    leaf: str
    salt: str
    entry: msgspec.Raw


class _Feed(msgspec.Struct, frozen=True):
    items: list[_Item]


_FEED = msgspec.json.Decoder(_Feed)


class Monitor:
    """`witnesses`: addresses where witnesses tell what they cosigned last (optional)."""

    def __init__(self, folder: Path, policy: Policy, url: str, witnesses: list[str]) -> None:
        self._folder, self._policy, self._witnesses = folder, policy, witnesses
        self._http = httpx.Client(base_url=url, timeout=60)
        folder.mkdir(parents=True, exist_ok=True)
        self._tree = self._load()

    def look(self) -> Watched:
        """One look. Broken (kept as evidence) is the alarm; httpx errors mean nothing was seen."""
        text = self._get("/checkpoint")
        try:
            return self._check(text)
        except Broken:
            self._keep_evidence(text)
            raise
        except (msgspec.MsgspecError, ValueError) as error:
            self._keep_evidence(text)
            raise Broken(problem=f"无法读懂 / nonsense: {error!r}") from error

    def _keep_evidence(self, text: str) -> None:
        """What was shown, as it was shown."""
        path = self._folder / _EVIDENCE / f"{self._tree.size}.note"
        durable_write(path, [text.encode("utf-8", "backslashreplace")])

    def _check(self, text: str) -> Watched:
        # (1) signed by the log, cosigned by the quorum of my own policy
        witnessed = self._policy.check(text)
        size = witnessed.checkpoint.size
        # (2) never smaller than what I have seen
        if size < self._tree.size:
            raise CheckpointBroken(size=size, problem=f"小于我所见 / shrunk from {self._tree.size}")
        # (3) every entry in its place, the disclosed ones true to their leaf
        before = self._tree.size
        leaves, disclosed = self._read(before, size)
        for leaf in leaves:
            self._tree.append(leaf_hash(leaf))
        # (4) my own leaves and the new ones give exactly that root
        if self._tree.root() != witnessed.checkpoint.root:
            self._tree.cut(before)
            raise CheckpointBroken(size=size, problem="历史被改写或分叉 / rewritten or split")
        self._keep(leaves, text)
        # (5) what the witnesses saw is the same ledger
        self._compare(witnessed)
        return Watched(size, size - before, disclosed)

    def _read(self, start: int, end: int) -> tuple[list[bytes], int]:
        """The leaves between, and how many of their entries are shown."""
        leaves: list[bytes] = []
        disclosed = 0
        while start + len(leaves) < end:
            cursor = start + len(leaves)
            query = {"cursor": cursor, "limit": min(_PAGE, end - cursor)}
            page = self._http.get("/v1/feed", params=query)
            page.raise_for_status()
            items = _FEED.decode(page.content).items
            if not items:
                raise CheckpointBroken(size=end, problem=f"缺 {cursor} 起的记录 / entries missing")
            for index, item in enumerate(items, cursor):
                leaves.append(_checked_leaf(item, index))
            disclosed += sum(bytes(item.entry) != b"null" for item in items)
        return leaves, disclosed

    def _compare(self, witnessed: Witnessed) -> None:
        """A head that a witness cosigned and that is none of our states is a split view."""
        origin = witnessed.checkpoint.origin
        for url in self._witnesses:
            answer = httpx.get(f"{url}/latest", params={"origin": origin}, timeout=10)
            if answer.status_code == 200 and answer.text:
                seen = verify_log_signature(Note.parse(answer.text), list(self._policy.logs))
                self._check_seen(seen, url)

    def _check_seen(self, seen: Checkpoint, url: str) -> None:
        """A witness may be ahead of the checkpoint I was shown, never beside it."""
        size = self._tree.size
        ahead = self._read(size, seen.size)[0] if seen.size > size else []
        for leaf in ahead:
            self._tree.append(leaf_hash(leaf))
        root = self._tree.root(seen.size)
        self._tree.cut(size)
        if root != seen.root:
            raise CheckpointBroken(size=seen.size, problem=f"{url} 所见不同 / saw another root")

    def _get(self, path: str) -> str:
        answer = self._http.get(path)
        answer.raise_for_status()
        return answer.text

    def _load(self) -> Tree:
        tree, path = Tree(), self._folder / _LEAVES
        note = self._folder / _CHECKPOINT
        if not note.exists():
            return tree
        size = self._policy.check(note.read_text("utf-8")).checkpoint.size
        stored = path.read_bytes() if path.exists() else b""
        for start in range(0, size * _LEAF, _LEAF):
            tree.append(leaf_hash(stored[start : start + _LEAF]))
        if tree.root() != self._policy.check(note.read_text("utf-8")).checkpoint.root:
            raise CheckpointBroken(size=size, problem="我的记录已损坏 / my own record is damaged")
        return tree

    def _keep(self, leaves: list[bytes], text: str) -> None:
        """Leaves first: a crash between leaves more than the checkpoint covers, never fewer."""
        path = self._folder / _LEAVES
        kept = (self._tree.size - len(leaves)) * _LEAF
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.truncate(kept)
            file.seek(kept)
            file.writelines(leaves)
        durable_write(self._folder / _CHECKPOINT, [text.encode()])

    def close(self) -> None:
        self._http.close()


def _checked_leaf(item: _Item, index: int) -> bytes:
    """EntryBroken if it stands elsewhere, or shows what its leaf does not commit to."""
    leaf, raw = bytes.fromhex(item.leaf), bytes(item.entry)
    if item.index != index or len(leaf) != _LEAF:
        raise EntryBroken(index=index, problem="顺序或长度有误 / out of order, or no leaf")
    if raw != b"null":
        salt, personal = bytes.fromhex(item.salt), leaf[0] == PERSONAL
        if leaf_data(salt, raw, personal=personal) != leaf:
            raise EntryBroken(index=index, problem="与叶子不符 / differs from its leaf")
    return leaf
