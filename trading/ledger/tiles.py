"""The static layout of a log (c2sp.org/tlog-tiles v0.1.0): tiles of 256 hashes, entry bundles."""

from collections.abc import Iterator

from trading.ledger.tree import Tree

__all__ = ["WIDTH", "bundle", "entries_path", "split_bundle", "tile_files", "tile_path"]

WIDTH = 256
_HEIGHT = 8


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]`, N in groups of three digits, all but the last with an x."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    suffix = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(reversed(groups))}{suffix}"


def entries_path(index: int, width: int = WIDTH) -> str:
    return tile_path("entries", index, width)


def tile_files(tree: Tree) -> Iterator[tuple[str, bytes]]:
    """Every tile of the tree as it stands, with its path."""
    level, count = 0, tree.size
    while count:
        for index in range((count + WIDTH - 1) // WIDTH):
            start, end = index * WIDTH, min(count, (index + 1) * WIDTH)
            hashes = tree.hashes(level * _HEIGHT, start, end)
            yield tile_path(level, index, end - start), hashes
        level, count = level + 1, count // WIDTH


def bundle(entries: list[bytes]) -> bytes:
    """Entries (here: leaf data), each after its length as a big-endian u16."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def split_bundle(data: bytes) -> list[bytes]:
    entries, offset = [], 0
    while offset < len(data):
        length = int.from_bytes(data[offset : offset + 2], "big")
        entries.append(data[offset + 2 : offset + 2 + length])
        offset += 2 + length
    return entries
