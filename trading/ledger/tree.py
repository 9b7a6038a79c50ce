"""The RFC 6962 Merkle tree: one array of hashes for each level, and the proofs over it."""

import hashlib

from trading.kernel.errors import ProofBroken

__all__ = ["EMPTY_ROOT", "Tree", "check_consistency", "check_inclusion"]

EMPTY_ROOT = hashlib.sha256(b"").digest()
_HASH = 32


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(width: int) -> int:
    """The largest power of two below `width` (RFC 6962's k)."""
    return 1 << ((width - 1).bit_length() - 1)


class Tree:
    """Keeps the hashes of all complete subtrees: 64 bytes a leaf, any past root in O(log n)."""

    def __init__(self) -> None:
        self._levels = [bytearray()]
        self.size = 0

    def append(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        levels = self._levels
        levels[0] += leaf
        self.size += 1
        level, width = 0, self.size
        while not width & 1:
            if len(levels) == level + 1:
                levels.append(bytearray())
            levels[level + 1] += hashlib.sha256(b"\x01" + levels[level][-64:]).digest()
            level, width = level + 1, width >> 1

    def cut(self, size: int) -> None:
        """Forget the leaves from `size` on: a batch that was not committed."""
        self.size = size
        for level, hashes in enumerate(self._levels):
            del hashes[(size >> level) * _HASH :]

    def leaf(self, index: int) -> bytes:
        return bytes(self._levels[0][index * _HASH : (index + 1) * _HASH])

    def hashes(self, level: int, start: int, end: int) -> bytes:
        """The concatenated hashes of complete subtrees of 2**level leaves."""
        return bytes(self._levels[level][start * _HASH : end * _HASH])

    def root(self, size: int | None = None) -> bytes:
        size = self.size if size is None else size
        return self._range(0, size) if size else EMPTY_ROOT

    def _range(self, low: int, high: int) -> bytes:
        width = high - low
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            start = (low >> level) * _HASH
            return bytes(self._levels[level][start : start + _HASH])
        middle = low + _split(width)
        return _node(self._range(low, middle), self._range(middle, high))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The audit path of RFC 6962 section 2.1.1."""
        if not 0 <= index < size <= self.size:
            raise ProofBroken(
                problem=f"{size} 片叶的树中没有第 {index} 片 / no leaf {index} in a tree of {size}"
            )
        low, high, path = 0, size, []
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The consistency proof of RFC 6962 section 2.1.2; empty from an empty or equal tree."""
        if not 0 <= old <= new <= self.size:
            raise ProofBroken(
                problem=f"没有从 {old} 到 {new} 的证明 / no proof from {old} to {new}"
            )
        if old in (0, new):
            return []
        low, high, path, complete = 0, new, [], True
        while old != high:
            middle = low + _split(high - low)
            if old <= middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low, complete = middle, False
        if not complete:
            path.append(self._range(low, high))
        return path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2; ProofBroken unless the path leads from the leaf to the root."""
    if not 0 <= index < size or any(len(item) != _HASH for item in [leaf, root, *path]):
        raise ProofBroken(problem="序号或散列长度 / index or hash length")
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofBroken(problem="路径过长 / the path is too long")
        if place & 1 or place == last:
            node = _node(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = _node(node, sibling)
        place, last = place >> 1, last >> 1
    if last or node != root:
        raise ProofBroken(problem="路径不通向根 / the path does not lead to the root")


def check_consistency(old: int, new: int, path: list[bytes], first: bytes, second: bytes) -> None:
    """RFC 9162 section 2.1.4.2; ProofBroken unless `second` extends `first`.

    From an empty tree there is nothing to prove: callers decide what an old size of 0 means.
    """
    if not 0 < old <= new:
        raise ProofBroken(problem="大小不符 / sizes")
    if old == new:
        if path or first != second:
            raise ProofBroken(problem="同一大小有两个根 / two roots for one size")
        return
    if not path or any(len(item) != _HASH for item in [first, second, *path]):
        raise ProofBroken(
            problem="证明为空或散列长度有误 / the proof is empty, or a hash has a wrong length"
        )
    _walk_consistency(old, new, [first, *path] if old & (old - 1) == 0 else path, (first, second))


def _walk_consistency(old: int, new: int, path: list[bytes], roots: tuple[bytes, bytes]) -> None:
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for item in path[1:]:
        if last == 0:
            raise ProofBroken(problem="证明过长 / the proof is too long")
        if place & 1 or place == last:
            before, after = _node(item, before), _node(item, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = _node(after, item)
        place, last = place >> 1, last >> 1
    if last or (before, after) != roots:
        raise ProofBroken(problem="新树不是旧树的延续 / the new tree does not extend the old one")
