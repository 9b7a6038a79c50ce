"""Durable files: written whole or not at all."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trading.kernel.errors import FileUnreadable, StoreFull

__all__ = [
    "CHUNK",
    "durable_folder",
    "durable_write",
    "healing",
    "read_chunks",
    "read_text",
    "sync_folder",
    "write_secret",
]

CHUNK = 1 << 20


def durable_write(path: Path, chunks: Iterable[bytes], mode: int = 0o644) -> None:
    """Temporary file, fsync, rename, fsync of the folder; an fsync error is never retried.

    StoreFull: nothing was written, and a retry may succeed.
    """
    durable_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
    with healing(path):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)


@contextmanager
def healing(path: Path) -> Iterator[None]:
    """A full disk heals once there is room again: StoreFull. Any other failure passes through."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(path=path.parent) from error
        raise


def durable_folder(path: Path) -> None:
    """Make the folder, and its name durable in its parent, also if a crash left it half made."""
    path = path.absolute()
    if not path.exists():
        durable_folder(path.parent)
        path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_secret(path: Path, secret: bytes) -> None:
    durable_write(path, [secret], mode=0o600)


def read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def read_text(path: Path) -> str:
    """UTF-8 text that somebody gave by name; FileUnreadable otherwise."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(path=path, problem=error) from error
