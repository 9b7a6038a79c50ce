"""The peer of the sealing endpoint: what FastAPI and the SQLAlchemy ORM do when well set up.

One INSERT and one durable COMMIT a request. `python -m bench.peer` serves it, set up by PEER_*.
"""

import asyncio
import base64
import hashlib
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Self
from uuid import UUID

import msgspec
import uvicorn
from bench.load import post
from bench.processes import free_port, running, wait_until_up
from fastapi import FastAPI, HTTPException
from pydantic import Base64Bytes, BaseModel, Field
from sqlalchemy import BigInteger, Integer, LargeBinary, String, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from trading.kernel.ids import SystemIds
from trading.kernel.instant import SystemClock

__all__ = ["PeerServer", "application", "seal_requests"]

_SIZE = 418
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000")
_POOLS = {"sqlite": 1, "postgresql": 16}  # SQLite has one writer; a second would only wait


class Tables(DeclarativeBase):
    pass


class Seal(Tables):
    __tablename__ = "seal"

    index: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(unique=True)
    tender: Mapped[str] = mapped_column(String(64))
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[int] = mapped_column(BigInteger)


class Sealing(BaseModel):
    id: UUID
    envelope: Annotated[Base64Bytes, Field(min_length=_SIZE, max_length=_SIZE)]


class Sealed(BaseModel):
    id: UUID
    index: int
    digest: str


def _settings() -> tuple[str, int]:
    url = os.environ["PEER_DATABASE"]
    return url, int(os.environ.get("PEER_POOL", _POOLS[url.partition("+")[0]]))


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _engine(url: str, size: int) -> AsyncEngine:
    # Every session ends its transaction itself: no rollback when its connection goes back.
    engine = create_async_engine(url, pool_size=size, max_overflow=0, pool_reset_on_return=None)
    if url.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def application() -> FastAPI:
    url, size = _settings()
    sessions = async_sessionmaker(_engine(url, size), expire_on_commit=False)
    turn = asyncio.Semaphore(size)  # first come, first served, which the pool itself is not
    app = FastAPI(openapi_url=None)

    @app.post("/v1/tenders/{tender}/seals", status_code=201)
    async def seal(tender: str, given: Sealing) -> Sealed:
        digest = hashlib.sha256(given.envelope)
        row = Seal(
            id=given.id,
            tender=tender,
            envelope=given.envelope,
            digest=digest.digest(),
            at=time.time_ns(),
        )
        try:
            async with turn, sessions.begin() as session:
                session.add(row)
        except IntegrityError:
            raise HTTPException(409, "this id was sealed before") from None
        return Sealed(id=given.id, index=row.index, digest=digest.hexdigest())

    return app


async def _make_tables() -> None:
    engine = _engine(*_settings())
    async with engine.begin() as connection:
        await connection.run_sync(Tables.metadata.create_all)
    await engine.dispose()


def main() -> None:
    asyncio.run(_make_tables())
    uvicorn.run(
        "bench.peer:application",
        factory=True,
        host="127.0.0.1",
        port=int(os.environ["PEER_PORT"]),
        workers=int(os.environ.get("PEER_WORKERS", "1")),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
    )


class PeerServer:
    """`database` is an SQLAlchemy URL, `folder` takes the log; `pid` is the root of its tree."""

    def __init__(self, database: str, folder: Path, workers: int = 1, pool: int = 0) -> None:
        self.port = free_port()
        self.pid = 0
        self._log = folder / "peer.log"
        self._env = {
            "PEER_DATABASE": database,
            "PEER_PORT": str(self.port),
            "PEER_WORKERS": str(workers),
        }
        if pool:
            self._env["PEER_POOL"] = str(pool)
        self._stack = ExitStack()

    @classmethod
    def on_sqlite(cls, folder: Path, workers: int = 1, pool: int = 0) -> "PeerServer":
        return cls(f"sqlite+aiosqlite:///{folder / 'peer.db'}", folder, workers, pool)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            command = ["-m", "bench.peer"]
            child = stack.enter_context(running(command, self._log, self._env))
            wait_until_up(self.port, child)
            self.pid = child.pid
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_gone: object) -> None:
        self._stack.close()


def seal_requests(count: int, tender: str = "t-1") -> list[bytes]:
    """Prepared requests, each with its own id and envelope."""
    ids, path = SystemIds(SystemClock()), f"/v1/tenders/{tender}/seals"
    made = []
    for _ in range(count):
        envelope = base64.b64encode(os.urandom(_SIZE)).decode()
        made.append(post(path, msgspec.json.encode({"id": ids.mint(), "envelope": envelope})))
    return made


if __name__ == "__main__":
    main()
