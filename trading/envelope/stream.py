"""Bodies pass by in pieces: hashed while they are written, decrypted without being held."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO

__all__ = ["HashingSink"]

_WORTH_A_THREAD = 1 << 16


class HashingSink:
    """Writes and hashes; large pieces are hashed on a second core while the next is encrypted."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self._pool: ThreadPoolExecutor | None = None
        self._pending: Future[None] | None = None

    def write(self, piece: bytes) -> None:
        if len(piece) >= _WORTH_A_THREAD:
            self._wait()
            self._pool = self._pool or ThreadPoolExecutor(1)
            self._pending = self._pool.submit(self._hash.update, piece)
        else:
            self._wait()
            self._hash.update(piece)
        self._out.write(piece)

    def digest(self) -> bytes:
        self._wait()
        if self._pool:
            self._pool.shutdown()
            self._pool = None
        return self._hash.digest()

    def _wait(self) -> None:
        if self._pending:
            self._pending.result()
            self._pending = None
