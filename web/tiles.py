"""The ledger's tiles as anyone fetches them: computed once, the same for ever after."""

import re
from functools import lru_cache

from trading.ledger.port import Ledger
from trading.ledger.tiles import WIDTH, bundle

__all__ = ["Tiles"]

_HEIGHT = 8
_PATH = re.compile(
    r"(?P<level>\d{1,2}|entries)/(?P<groups>(x\d{3}/)*\d{3})(\.p/(?P<width>\d{1,3}))?"
)
_KEPT = 4096  # full tiles in memory: 8 KiB each


class Tiles:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._full = lru_cache(_KEPT)(self._content)

    def at(self, place: str) -> bytes | None:
        """None if the path is no tile's, or the tree is not that large yet."""
        found = _PATH.fullmatch(place)
        if found is None or len(found["groups"]) > 40:
            return None
        number = int(found["groups"].replace("x", "").replace("/", ""))
        width = int(found["width"] or WIDTH)
        if not 1 <= width <= WIDTH or (found["width"] and width == WIDTH):
            return None
        level = found["level"]
        shift = 0 if level == "entries" else int(level) * _HEIGHT
        if (number * WIDTH + width) << shift > self._ledger.size():
            return None
        content = self._full if width == WIDTH else self._content
        return content(level, number, width)

    def _content(self, level: str, number: int, width: int) -> bytes:
        start, end = number * WIDTH, number * WIDTH + width
        if level == "entries":
            return bundle([record.leaf for record in self._ledger.records(start, end)])
        return self._ledger.hashes(int(level) * _HEIGHT, start, end)
