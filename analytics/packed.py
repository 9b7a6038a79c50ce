"""压缩 files from outside, packed by gzip or not, whatever their names say."""

import gzip
from io import BufferedIOBase
from pathlib import Path

__all__ = ["opened"]

_MARK = b"\x1f\x8b"  # RFC 1952, section 2.3.1


def opened(path: Path) -> BufferedIOBase:
    """OSError, and in reading EOFError or zlib.error, for what is broken."""
    with path.open("rb") as file:
        is_packed = file.read(len(_MARK)) == _MARK
    return gzip.open(path) if is_packed else path.open("rb")
