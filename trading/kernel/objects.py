"""Immutable objects by their digest, in a folder or in an S3 bucket. What is in them, nobody here
knows or checks: whoever reads compares the digest.
"""

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, S3Store

from trading.kernel.errors import FileUnreadable, SettingUnreadable, StoreFull, StoreUnreachable
from trading.kernel.files import durable_folder, read_chunks

__all__ = ["LocalObjects", "Objects", "RemoteObjects", "open_objects"]

PART = 8 << 20
_PARALLEL = 2  # parts under way at once: they are what a put holds in memory
_PATIENCE = timedelta(seconds=30)  # a bidder waits for the answer, and may safely ask again
_DIGEST = re.compile(r"[0-9a-f]{32,128}")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Objects(Protocol):
    """Bytes under the hex digest that names them.

    Durable: once `put` or `adopt` returns, the object is whole and outlives a power cut; before,
    and after a crash or an iterator that raised, nothing is seen under the name.
    Create-only: a name that is taken keeps its bytes, and the call returns without reading
    `chunks`, once what is there is durable.
    Any number of threads and processes may call at once. Memory is bounded by a few parts of
    8 MiB, however large the object. `chunks` must not come out of another store of this kind:
    the library cannot read and write within one call.
    Every method refuses a name that is no digest with FileUnreadable. StoreFull: nothing was
    accepted, a retry may succeed. StoreUnreachable: the outcome is unknown, a retry is harmless.
    """

    is_local: bool  # asking whether something is there costs no network

    def put(self, name: str, chunks: Iterable[bytes]) -> None: ...

    def adopt(self, name: str, path: Path) -> None:
        """`put` of a local file that nobody writes any more; it is gone on return, and the same
        call again succeeds without it.
        """

    def chunks(self, name: str) -> Iterator[bytes]:
        """FileUnreadable by the call itself if absent, and later if deleted while it is read."""

    def __contains__(self, name: str) -> bool: ...

    def names(self) -> list[str]: ...

    def delete(self, name: str) -> None:
        """For what was superseded: gone for good on return; an absent name is no error."""


class _Stored(Objects):
    """What a folder and a bucket have in common; each says what the errors of its store mean."""

    _asking: Callable[[], AbstractContextManager[None]]
    _piece: int  # bytes that one request reads

    def __init__(self, store: LocalStore | S3Store, suffix: str = ".kfe") -> None:
        self._store, self._suffix = store, suffix

    def adopt(self, name: str, path: Path) -> None:
        if not path.exists() and name not in self:
            raise _absent(path)
        self.put(name, read_chunks(path))
        path.unlink(missing_ok=True)

    def chunks(self, name: str) -> Iterator[bytes]:
        size = self._size(name)
        if size is None:
            raise _absent(name)
        return self._ranges(name, size)

    def __contains__(self, name: str) -> bool:
        return self._size(name) is not None

    def names(self) -> list[str]:
        with self._asking():
            keys = [meta["path"] for meta in self._store.list_with_delimiter()["objects"]]
        names = [key.removesuffix(self._suffix) for key in keys if key.endswith(self._suffix)]
        return sorted(name for name in names if _DIGEST.fullmatch(name))

    def delete(self, name: str) -> None:
        with self._asking(), suppress(FileNotFoundError):
            self._store.delete(self._key(name))

    def _key(self, name: str) -> str:
        if not _DIGEST.fullmatch(name):
            raise FileUnreadable(path=repr(name), problem="名称不是摘要 / the name is no digest")
        return f"{name}{self._suffix}"

    def _size(self, name: str) -> int | None:
        key = self._key(name)
        with self._asking(), suppress(FileNotFoundError):
            return self._store.head(key)["size"]
        return None

    def _ranges(self, name: str, size: int) -> Iterator[bytes]:
        """By ranges: the time limit of one long answer would also run while the reader works."""
        for start in range(0, size, self._piece):
            yield self._range(name, start, min(self._piece, size - start))

    def _range(self, name: str, start: int, length: int) -> bytes:
        """The library's own copy is free again before the reader has this one."""
        with self._asking():
            try:
                return bytes(self._store.get_range(self._key(name), start=start, length=length))
            except FileNotFoundError as error:
                raise _absent(name) from error


class LocalObjects(_Stored):
    """One folder on a file system with hard links.

    LocalStore flushes nothing itself, so each object is written under a hidden name, fsynced here,
    and only then linked to its own; the link, unlike a rename, never replaces. A crash may leave
    hidden files `.*.tmp*`, which are never read and may go while nobody writes. After an OSError
    that is no StoreFull the process must end: a second fsync would falsely succeed.
    """

    is_local = True
    _piece = 1 << 20  # no network to save, and each of the library's threads keeps what it freed

    def __init__(self, folder: Path, suffix: str = ".kfe") -> None:
        self._folder = folder.absolute()
        durable_folder(self._folder)
        super().__init__(LocalStore(self._folder), suffix)

    def __contains__(self, name: str) -> bool:
        return os.access(f"{self._folder}/{self._key(name)}", os.F_OK)

    def path(self, name: str) -> Path:
        return self._folder / self._key(name)

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        if name in self:
            _sync(self._folder)  # another's link may not be on the disk yet
            return
        staged = f".{name}.{os.urandom(8).hex()}.tmp"
        with self._asking():
            self._store.put(
                staged, chunks, use_multipart=True, chunk_size=PART, max_concurrency=_PARALLEL
            )
        try:
            self._take(self._folder / staged, name)
        finally:
            (self._folder / staged).unlink(missing_ok=True)

    def adopt(self, name: str, path: Path) -> None:
        try:
            self._take(path, name)
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.ENOENT}:
                raise
            super().adopt(name, path)  # from another file system, or adopted before

    def delete(self, name: str) -> None:
        super().delete(name)
        _sync(self._folder)

    def _take(self, source: Path, name: str) -> None:
        with self._asking():
            _sync(source)
            with suppress(FileExistsError):
                os.link(source, self.path(name))
            source.unlink()
            _sync(self._folder)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (OSError, BaseError) as error:
            # obstore keeps the number of the system's error only in its text
            number = getattr(error, "errno", None)
            if any(number == full or f"(os error {full})" in str(error) for full in _FULL):
                raise StoreFull(path=self._folder) from error
            raise


class RemoteObjects(_Stored):
    """One prefix of a bucket, whose service must be durable itself and know `If-None-Match`.

    Below one part the service refuses a second object under the name. Larger ones appear whole
    when their last part is complete; of two such puts at the same time the later one stays, which
    by the same digest has the same bytes. Parts of a put that crashed stay hidden and cost money:
    let a lifecycle rule of the bucket abort them.
    """

    is_local = False
    _piece = PART

    def put(self, name: str, chunks: Iterable[bytes]) -> None:
        if name in self:
            return
        rest, first = iter(chunks), bytearray()
        for chunk in rest:
            first += chunk
            if len(first) >= PART:
                break
        is_small = len(first) < PART
        with self._asking(), suppress(AlreadyExistsError):
            self._store.put(
                self._key(name),
                first if is_small else chain([bytes(first)], rest),
                mode="create" if is_small else "overwrite",
                use_multipart=not is_small,
                chunk_size=PART,
                max_concurrency=_PARALLEL,
            )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError) as error:  # the latter: there is no such bucket
            raise StoreUnreachable(problem=str(error).partition("\n")[0]) from error


def open_objects(url: str, suffix: str = ".kfe") -> Objects:
    """A path or `file:///…` opens a folder, `s3://bucket/prefix` a bucket; its endpoint, region and
    credentials come from the environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, …).
    """
    parts = urlsplit(url)
    if "://" not in url:
        return LocalObjects(Path(url), suffix)
    if parts.scheme == "file" and parts.path and parts.netloc in {"", "localhost"}:
        return LocalObjects(Path(unquote(parts.path)), suffix)
    if parts.scheme == "s3" and parts.netloc:
        store = S3Store.from_url(url, retry_config={"retry_timeout": _PATIENCE})
        return RemoteObjects(store, suffix)
    raise SettingUnreadable(key="objects", problem=url)


def _absent(what: object) -> FileUnreadable:
    return FileUnreadable(path=what, problem="不存在 / absent")


def _sync(path: Path) -> None:
    """A file or a folder, whoever wrote it: an error nobody was told yet is reported here too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
