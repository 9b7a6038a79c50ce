"""The programs of other institutions as the centre reaches them: over HTTP, signed by the centre.

Witnesses speak c2sp.org/tlog-witness; trustees take one signed question and give one answer. What
they answer is believed for its own signatures alone, never for the line it came over.
"""

import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from trading.desks.trustee import TrusteeAnswer, TrusteeRequest
from trading.kernel.errors import SettingUnreadable, TrusteeRefuses, WitnessRefuses
from trading.kernel.files import read_text
from trading.ledger.signature import VerifierKey
from trading.ledger.witness import Answer
from web.signing import RequestSigner

__all__ = ["HttpTrustee", "HttpWitness", "read_trustees", "read_witnesses"]

_WITNESS_SECONDS = 5.0
_TRUSTEE_SECONDS = 60  # it may have a long ledger to read first
_GREETING_SECONDS = 5
_LEFT_ALONE = 30.0  # whoever said nothing is not waited for again so soon, by any tender


class HttpWitness:
    def __init__(self, name: str, key: VerifierKey, url: str) -> None:
        self.name, self.key = name, key
        self._client = httpx.Client(base_url=url, timeout=_WITNESS_SECONDS)

    def ask(self, request: str) -> Answer:
        try:
            answer = self._client.post("/add-checkpoint", content=request.encode())
        except httpx.HTTPError as error:
            raise WitnessRefuses(witness=self.name, status=0, problem=repr(error)) from error
        return Answer(answer.status_code, answer.text)

    def latest(self, origin: str) -> str:
        """The last checkpoint it cosigned for the log, or an empty string."""
        try:
            answer = self._client.get("/latest", params={"origin": origin})
        except httpx.HTTPError as error:
            raise WitnessRefuses(witness=self.name, status=0, problem=repr(error)) from error
        return answer.text if answer.status_code == 200 else ""

    def close(self) -> None:
        self._client.close()


class HttpTrustee:
    """`synced` is asked of the trustee itself, so that a restart does not send everything again. It
    is also the greeting: a trustee that hangs is found out by it, and others are asked instead.
    """

    def __init__(self, name: str, key: bytes, url: str, signer: RequestSigner) -> None:
        self.name, self.key = name, key
        self._client = httpx.Client(base_url=url, auth=signer)
        self._silent_since = -_LEFT_ALONE

    @property
    def synced(self) -> int:
        return int(self._say("GET", "/size", b"", _GREETING_SECONDS).json()["size"])

    @synced.setter
    def synced(self, size: int) -> None:
        """It knows best itself."""

    def ask(self, request: TrusteeRequest) -> TrusteeAnswer:
        body = msgspec.json.encode(request)
        answer = self._say("POST", "/ask", body, _TRUSTEE_SECONDS)
        try:
            given: TrusteeAnswer = msgspec.json.decode(answer.content, type=TrusteeAnswer)
        except msgspec.MsgspecError as error:
            problem = f"{self.name}: {answer.status_code} {answer.text[:200]}"
            raise TrusteeRefuses(problem=problem) from error
        return given

    def _say(self, method: str, path: str, body: bytes, patience: int) -> httpx.Response:
        headers = {"content-type": "application/json"}
        if time.monotonic() - self._silent_since < _LEFT_ALONE:
            raise TrusteeRefuses(problem=f"{self.name}: 刚才没有应答 / was silent a moment ago")
        try:
            return self._client.request(
                method, path, content=body, headers=headers, timeout=patience
            )
        except httpx.HTTPError as error:
            if isinstance(error, httpx.TimeoutException):
                self._silent_since = time.monotonic()
            problem = f"{self.name}: 无法连接 / unreachable: {error!r}"
            raise TrusteeRefuses(problem=problem) from error

    def close(self) -> None:
        self._client.close()


def read_witnesses(path: Path) -> list[HttpWitness]:
    return [HttpWitness(name, VerifierKey.parse(key), url) for name, key, url in _lines(path)]


def read_trustees(path: Path, signer: RequestSigner) -> list[HttpTrustee]:
    return [HttpTrustee(name, bytes.fromhex(key), url, signer) for name, key, url in _lines(path)]


def _lines(path: Path) -> list[tuple[str, str, str]]:
    found: list[Any] = [line.split() for line in read_text(path).splitlines() if line.strip()]
    for words in found:
        if len(words) != 3:
            raise SettingUnreadable(key=str(path), problem="NAME KEY URL")
    return [tuple(words) for words in found]
