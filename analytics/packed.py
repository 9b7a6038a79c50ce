"""压缩与编码 files from outside, packed by gzip or not, in UTF-8 or as Chinese spreadsheets write
text, whatever their names say.
"""

import gzip
from io import BufferedIOBase
from pathlib import Path

__all__ = ["decoded", "opened"]

_MARK = b"\x1f\x8b"  # RFC 1952, section 2.3.1


def opened(path: Path) -> BufferedIOBase:
    """OSError, and in reading EOFError or zlib.error, for what is broken."""
    with path.open("rb") as file:
        is_packed = file.read(len(_MARK)) == _MARK
    return gzip.open(path) if is_packed else path.open("rb")


def decoded(content: bytes) -> str:
    """UTF-8, or else GB 18030; UnicodeDecodeError for what is neither."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return content.decode("gb18030")
        except UnicodeDecodeError:
            pass
        raise
