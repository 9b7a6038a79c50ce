"""Durable files: written whole or not at all, and content-addressed objects on top of them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from trading.kernel.errors import FileUnreadable

__all__ = ["CHUNK", "Objects", "durable_write", "read_chunks", "read_text", "write_secret"]

CHUNK = 1 << 20


def durable_write(path: Path, chunks: Iterable[bytes], mode: int = 0o644) -> None:
    """Temporary file, fsync, rename, fsync of the folder; an fsync error is never retried."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}.tmp")
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
    folder = os.open(path.parent, os.O_RDONLY)
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


class Objects:
    """Envelopes by their id. Writing the same id again changes nothing."""

    def __init__(self, folder: Path, suffix: str = ".kfe") -> None:
        self._folder, self._suffix = folder, suffix

    def path(self, name: str) -> Path:
        return self._folder / f"{name}{self._suffix}"

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        if not self.path(name).exists():
            durable_write(self.path(name), chunks)

    def __contains__(self, name: str) -> bool:
        return self.path(name).exists()

    def names(self) -> list[str]:
        return sorted(path.name.removesuffix(self._suffix) for path in self._folder.glob("*"))
