"""Chance in portions: it is drawn for many at once, since each drawing lets other threads in."""

import os
from collections.abc import Iterator

__all__ = ["portions"]


def portions(size: int, together: int) -> Iterator[bytes]:
    """Random bytes from the system, `size` at a time, without end. For one thread alone."""
    while True:
        drawn = os.urandom(size * together)
        for start in range(0, len(drawn), size):
            yield drawn[start : start + size]
