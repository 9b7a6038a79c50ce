"""Resumable uploads (tus 1.0) of sealed envelopes: bytes travel early, the seal counts later.

A part file grows by what arrives; its length is the offset, so a crash costs nothing but the tail
that was not on the disk yet. Memory is bounded by one chunk of a connection. What is complete is
checked against the digest in its own prefix, then moved to the envelopes under its id.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from trading.envelope.admit import check_body
from trading.envelope.layout import PREFIX, Prefix, check_size, split_prefix
from trading.kernel.errors import StoreFull, UploadOffset, UploadRefusal, UploadUnknown
from trading.kernel.files import durable_write, healing, read_chunks
from trading.kernel.instant import Clock
from trading.kernel.objects import Objects

__all__ = ["Upload", "Uploads"]

Admit = Callable[[Prefix], None]

_KEPT = timedelta(days=30)
_FLUSH = 1 << 20
_REMEMBERED = 100_000
_SILENCE = 30.0  # seconds


async def _impatient(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Until a connection has said nothing for too long: then it is gone, and what came is kept."""
    chunks = aiter(body)
    while True:
        try:
            async with asyncio.timeout(_SILENCE):
                chunk = await anext(chunks)
        except (StopAsyncIteration, TimeoutError):
            return
        yield chunk


class Upload(msgspec.Struct, frozen=True):
    """`token` (hex) is what the envelope will be sealed with; kept so that nobody else goes on."""

    id: str
    tender: str
    length: int
    expires: datetime
    token: str = ""
    eid: str = ""  # once it is complete


class Uploads:
    """State below `folder`: `ID.json` and `ID.part`. Several processes may share it. Sizes are in
    bytes; `reserve` is what uploads leave free on the disk.
    """

    def __init__(
        self, folder: Path, objects: Objects, clock: Clock, limit: int, reserve: int = 0
    ) -> None:
        self._folder, self._objects, self._clock = folder, objects, clock
        self._limit, self._reserve = limit, reserve
        folder.mkdir(parents=True, exist_ok=True)
        self._busy: set[str] = set()
        self._stored: set[str] = set()

    def abilities(self) -> dict[str, str]:
        """What tus calls them."""
        return {
            "Tus-Version": "1.0.0",
            "Tus-Max-Size": str(self._limit),
            "Tus-Extension": "creation,termination,expiration",
        }

    def create(self, tender: str, length: int, token: bytes, fresh: str) -> Upload:
        """The token's own upload if it has one: whoever lost the answer asks again."""
        check_size(length, self._limit)
        if shutil.disk_usage(self._folder).free < length + self._reserve:
            raise StoreFull(path=self._folder)  # the ledger keeps room to write
        if length < PREFIX:
            raise UploadRefusal(problem=f"{length} 字节，短于信封前缀 / shorter than a prefix")
        name = hashlib.sha256(token).hexdigest()[:32] if token else fresh.replace("-", "")
        known = self._folder / f"{name}.json"
        if known.exists():
            upload = self.find(name)
            if (upload.tender, upload.length) == (tender, length) or upload.eid:
                return upload
            self.drop(name, lambda _: False)
        expires = self._clock.read().at + _KEPT
        upload = Upload(name, tender, length, expires, token.hex())
        with healing(self._folder):
            self._part(name).touch(mode=0o600)
        self._write(upload)
        return upload

    def find(self, name: str) -> Upload:
        path = self._folder / f"{name}.json"
        if not name.isalnum() or not path.exists():
            raise UploadUnknown(upload=name[:40])
        return msgspec.json.decode(path.read_bytes(), type=Upload)

    def offset(self, upload: Upload) -> int:
        part = self._part(upload.id)
        if upload.eid:
            return upload.length
        return part.stat().st_size if part.exists() else 0

    def drop(self, name: str, is_sealed: Callable[[Upload], bool]) -> None:
        """Gone: the bytes, unless they have become a bid."""
        upload = self.find(name)
        if upload.eid and not is_sealed(upload):
            self._stored.discard(upload.eid)
            self._objects.delete(upload.eid)
        self._part(name).unlink(missing_ok=True)
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def is_stored(self, eid: str) -> bool:
        """Whether the whole envelope is there; what was once there stays there while it counts."""
        if eid not in self._stored and eid in self._objects:
            self._remember(eid)
        return eid in self._stored

    async def has(self, eid: str) -> bool:
        """`is_stored` for an event loop: a store behind a network is asked on a thread."""
        if eid in self._stored or self._objects.is_local:
            return self.is_stored(eid)
        return await asyncio.to_thread(self.is_stored, eid)

    def _remember(self, eid: str) -> None:
        if len(self._stored) >= _REMEMBERED:
            self._stored.pop()
        self._stored.add(eid)

    async def append(
        self, upload: Upload, offset: int, body: AsyncIterator[bytes], admit: Admit
    ) -> Upload:
        """What arrives before a break is kept; what is complete is kept if `admit` lets it pass.
        UploadOffset if somebody was faster.
        """
        if upload.id in self._busy:
            raise UploadOffset(expected=self.offset(upload), given=offset)
        self._busy.add(upload.id)
        try:
            expected = self.offset(upload)
            if offset != expected:
                raise UploadOffset(expected=expected, given=offset)
            if not upload.eid:
                await self._receive(upload, offset, body)
                if self.offset(upload) == upload.length:
                    return await asyncio.to_thread(self._complete, upload, admit)
            return upload
        finally:
            self._busy.discard(upload.id)

    async def _receive(self, upload: Upload, offset: int, body: AsyncIterator[bytes]) -> None:
        left = upload.length - offset
        place = self._part(upload.id)
        with healing(place), place.open("ab", buffering=_FLUSH) as part:
            async for chunk in _impatient(body):
                left -= len(chunk)
                if left < 0:
                    part.truncate(offset)
                    problem = f"超出声明的 {upload.length} 字节 / more than declared"
                    raise UploadRefusal(problem=problem)
                part.write(chunk)

    def _complete(self, upload: Upload, admit: Admit) -> Upload:
        """Whole and sound, or gone: a damaged upload must be made again from its beginning."""
        part = self._part(upload.id)
        first, body = split_prefix(read_chunks(part))
        try:
            prefix = Prefix.parse(first)
            admit(prefix)
            check_body(prefix, body)
        except BaseException:
            os.truncate(part, 0)
            raise
        self._objects.adopt(prefix.eid, part)
        self._remember(prefix.eid)
        done = msgspec.structs.replace(upload, eid=prefix.eid)
        self._write(done)
        return done

    def sweep(self, is_sealed: Callable[[Upload], bool]) -> int:
        """Drop what has expired; how many."""
        now, dropped = self._clock.read().at, 0
        for path in self._folder.glob("*.json"):
            if self.find(path.stem).expires < now:
                self.drop(path.stem, is_sealed)
                dropped += 1
        return dropped

    def _part(self, name: str) -> Path:
        return self._folder / f"{name}.part"

    def _write(self, upload: Upload) -> None:
        durable_write(self._folder / f"{upload.id}.json", [msgspec.json.encode(upload)], 0o600)
