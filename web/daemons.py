"""Trustees and witnesses as daemons: their own programs behind a small HTTP application each.

They import no desk and know no centre but by its key: whatever is asked, they decide by their own
copy of the ledger, their own policy and their own clock.
"""

import asyncio
import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from litestar import Litestar, Request, Response, get, post

from trading.desks.trustee import Refused, Trustee, TrusteeRequest
from trading.kernel.errors import RequestMalformed
from trading.kernel.instant import SystemClock
from trading.ledger.witness import Witness
from web.logs import set_up_logs
from web.problems import HANDLERS
from web.server import serve
from web.signing import Message, check_head

__all__ = ["serve_trustee", "serve_witness", "trustee_app", "witness_app"]

_LARGEST_SYNC = 1 << 30  # bytes of a ledger that a trustee takes at once
_CENTRE = "centre"
_Calls = Request[Any, Any, Any]


class _Nonces:
    """Names used once, as empty files: created exclusively, so also across processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def first_use(self, name: str, until: datetime) -> bool:
        self._forget(until)
        path = self._folder / hashlib.sha256(name.encode()).hexdigest()
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        os.utime(path, (until.timestamp(), until.timestamp()))
        return True

    def _forget(self, until: datetime) -> None:
        for path in self._folder.iterdir():
            if path.stat().st_mtime < until.timestamp() - 3600:
                path.unlink(missing_ok=True)


class _Standing:
    """A trustee that answers one question at a time; after the unexpected it reads all anew."""

    def __init__(self, folder: Path, centre: str) -> None:
        self._folder, self._clock = folder, SystemClock()
        self._keys = {_CENTRE: bytes.fromhex(centre)} if centre else {}
        self._nonces, self._lock = _Nonces(folder / "nonces"), asyncio.Lock()
        self.trustee = Trustee(folder, self._clock)

    async def check(self, request: _Calls) -> bytes:
        """The body, if the centre's key signed the request (where one is known); from anybody else
        it is not even read.
        """
        if not self._keys:
            return await request.body()
        message = Message(request.method, str(request.url), dict(request.headers))
        signed = check_head(message, self._keys)
        body = await request.body()
        signed.check(body, self._nonces, self._clock)
        return body

    async def answer(self, question: TrusteeRequest) -> object:
        async with self._lock:
            return await asyncio.to_thread(self._answer, question)

    def _answer(self, question: TrusteeRequest) -> object:
        try:
            return self.trustee.answer(question)
        except Exception as error:  # noqa: BLE001  after the unexpected, read everything anew
            self.trustee = Trustee(self._folder, self._clock)
            return Refused("KF-400", f"无法处理：{error!r}", f"cannot be handled: {error!r}")


def trustee_app(folder: Path, centre: str) -> Litestar:
    """Questions from the centre's key alone, if one is given (hex)."""
    standing = _Standing(folder, centre)
    decoder = msgspec.json.Decoder(TrusteeRequest)

    @get("/size")
    async def size(request: _Calls) -> dict[str, int]:
        await standing.check(request)
        return {"size": standing.trustee.size}

    @post("/ask", status_code=200)
    async def ask(request: _Calls) -> Response[bytes]:
        try:
            question = decoder.decode(await standing.check(request))
        except msgspec.MsgspecError as error:
            raise RequestMalformed(problem=error) from error
        given = await standing.answer(question)
        return Response(msgspec.json.encode(given), media_type="application/json")

    return Litestar(
        [size, ask],
        exception_handlers=HANDLERS,
        request_max_body_size=_LARGEST_SYNC,
        openapi_config=None,
        logging_config=None,
    )


def witness_app(witness: Witness) -> Litestar:
    """c2sp.org/tlog-witness v1.0.0; anyone may ask, the log's signature decides."""

    @post("/add-checkpoint", status_code=200, media_type="text/plain")
    async def add_checkpoint(request: _Calls) -> Response[str]:
        body = (await request.body()).decode("utf-8", "replace")
        answer = await asyncio.to_thread(witness.add_checkpoint, body)
        kind = "text/x.tlog.size" if answer.status == 409 else "text/plain; charset=utf-8"
        return Response(answer.body, status_code=answer.status, media_type=kind)

    @get("/latest", media_type="text/plain", sync_to_thread=True)
    def latest(origin: str) -> str:
        """What it last cosigned for a log: a centre asks at its start, a monitor at any time."""
        return witness.latest(origin)

    return Litestar(
        [add_checkpoint, latest],
        exception_handlers=HANDLERS,
        request_max_body_size=1 << 20,
        openapi_config=None,
        logging_config=None,
    )


def serve_trustee(folder: Path, host: str, port: int, centre: str) -> None:
    set_up_logs()
    serve(trustee_app(folder, centre), host, port, _tell("受托人 trustee"))


def serve_witness(witness: Witness, host: str, port: int) -> None:
    set_up_logs()
    serve(witness_app(witness), host, port, _tell("见证人 witness"))


def _tell(who: str) -> Any:
    return lambda port: click.echo(f"✓ {who} http://127.0.0.1:{port}")
