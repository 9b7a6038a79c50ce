"""The other side of the edge: a party or a bidder that talks to a centre.

Nothing a centre answers is believed here without its proof; what a centre asks to have signed is
signed only if it is the fact that was meant.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

from trading.envelope.layout import PREFIX
from trading.envelope.token import blind, finish
from trading.kernel.canonical import canonical
from trading.kernel.errors import BodyMissing, NothingHere, Refusal
from trading.kernel.ids import SystemIds
from trading.kernel.instant import SystemClock
from trading.kernel.party import Signs
from trading.ledger.fact import fact_types
from web.signing import RequestSigner

__all__ = ["Client", "Refused", "act_id", "hand_in"]

_CHUNK = 4 << 20
_TRIES = 30
_PAUSE = 0.5
# Which fact each act is, by the end of its path, and what of it the centre alone can compute.
_MEANT = {
    "tenders": "tender.drafted/1",
    "publication": "tender.published/1",
    "corrections": "notice.corrected/1",
    "answers": "question.answered/1",
    "cancellation": "tender.cancelled/1",
    "recommendation": "candidates.recommended/1",
    "publicity": "candidates.published/1",
    "awards": "award.decided/1",
    "award-notice": "award.noticed/1",
    "contracts": "contract.signed/1",
    "suspension-request": "suspension.asked/1",
    "suspension": "tender.suspended/1",
    "resumption-request": "resumption.asked/1",
    "resumption": "tender.resumed/1",
    "cover-promises": "covers.promised/1",
    "cover-revelations": "covers.revealed/1",
}
_COMPUTED = {
    "tender.drafted/1": ("token_key", "pace"),
    "candidates.recommended/1": ("method", "ranking", "rejections", "failed"),
    "contract.signed/1": ("number", "supplier_id", "supplier_name", "amount", "digest"),
}
_TUS = {"Tus-Resumable": "1.0.0"}
_BUSY = b'"KF-126"'


class Refused(Refusal):
    """What the centre answered, in its own words."""

    code = "KF-129"
    zh = "中心拒绝（{status} {code}）：{title}"
    en = "The centre refuses ({status} {code}): {detail}"


class _Patient(httpx.HTTPTransport):
    """A centre that is too busy is asked again: what we send may be sent twice."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(_TRIES):
            answer = super().handle_request(request)
            if answer.status_code != 503 or "Retry-After" not in answer.headers:
                break
            body = answer.read()
            if _BUSY not in body or not isinstance(request.stream, httpx.ByteStream):
                break
            time.sleep(_PAUSE)
        return answer


def _client(url: str, signer: RequestSigner | None) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=120, auth=signer, transport=_Patient())


class Client:
    """`key` signs requests and acts; without one only what anyone may do is possible."""

    def __init__(self, url: str, party: str = "", key: Signs | None = None) -> None:
        self._party, self._key = party, key
        signer = RequestSigner(party, key) if key else None
        self._http = _client(url, signer)
        self._open = _client(url, None)  # says nothing of who asks

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._open.close()

    def get(self, path: str, **query: Any) -> Any:
        return _read(self._open.get(path, params=query))

    def text(self, path: str, **query: Any) -> str:
        answer = self._open.get(path, params=query)
        if answer.status_code != 200:
            _read(answer)
        said: str = answer.text
        return said

    def post(self, path: str, body: Any) -> Any:
        """Signed as a request."""
        return _read(self._http.post(path, content=canonical(body), headers=_JSON))

    def anonymous(self, path: str, body: Any) -> Any:
        return _read(self._open.post(path, content=canonical(body), headers=_JSON))

    def act(self, path: str, body: dict[str, Any]) -> Any:
        """An act of this party: asked what to sign, signed if it says what was meant."""
        if self._key is None:
            raise NothingHere(what="签名密钥 / signing key")
        act = {"id": act_id(), **body}
        first = self._http.post(path, content=canonical(act), headers=_JSON)
        problem = first.json() if first.status_code == 422 else {}
        if problem.get("code") != "KF-127":
            return _read(first)
        message = str(problem["message"])
        _check_meant(message, path, act, self._party)
        act["sig"] = self._key.sign(message.encode()).hex()
        return self.post(path, act)

    def token(self, tender: str, public: bytes) -> bytes:
        """领取: the right to hand in one envelope; the centre cannot tell which it will be."""
        blinding = blind(public)
        answer = self.post(f"/v1/tenders/{tender}/tokens", {"blinded": blinding.blinded})
        signature = msgspec.convert(answer["signature"], bytes)
        return finish(public, blinding, signature)

    def upload(self, tender: str, envelope: Path, token: bytes) -> str:
        """Resumable: called again after a break, it goes on where the bytes end. The eid."""
        headers = {**_TUS, "Upload-Length": str(envelope.stat().st_size)}
        if token:
            headers["Upload-Token"] = token.hex()
        made = self._open.post(f"/v1/tenders/{tender}/uploads", headers=headers)
        if made.status_code != 201:
            _read(made)
        place, eid = made.headers["Location"], made.headers.get("Upload-Envelope", "")
        offset = int(made.headers["Upload-Offset"])
        while not eid:
            answer = self._patch(place, envelope, offset)
            if answer.status_code != 204:
                _read(answer)
            offset = int(answer.headers["Upload-Offset"])
            eid = answer.headers.get("Upload-Envelope", "")
        return str(eid)

    def _patch(self, place: str, envelope: Path, offset: int) -> httpx.Response:
        headers = {
            **_TUS,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
        }
        return self._open.patch(place, content=_from(envelope, offset), headers=headers)


_JSON = {"content-type": "application/json"}


def hand_in(client: Client, tender: str, envelope: Path, token: bytes, act: str) -> dict[str, Any]:
    """上传并封存 bytes first, then the seal that counts. Under one `act` it may be called again
    whenever an answer was lost: what is done stays done once.
    """
    with envelope.open("rb") as file:
        prefix = file.read(PREFIX)
    path = f"/v1/tenders/{tender}/seals"
    body = {"id": act, "envelope": prefix, "token": token}
    try:
        answer: dict[str, Any] = client.anonymous(path, body)
    except Refused as refused:
        if refused.facts["code"] != BodyMissing.code:
            raise
        client.upload(tender, envelope, token)
        answer = client.anonymous(path, body)
    return answer


def act_id() -> str:
    """A fresh idempotency key: keep it until the answer is in."""
    return SystemIds(SystemClock()).mint()


def _from(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(_CHUNK):
            yield chunk


def _check_meant(message: str, path: str, act: dict[str, Any], party: str) -> None:
    """The very act: its kind, its tender, our id and name; each field as we sent it, or at its
    default, or one that only the centre can compute.
    """
    head, _, text = message.partition("\n")
    said = msgspec.json.decode(text)
    sent = msgspec.json.decode(canonical(act))
    fact, tag = said.get("fact", {}), _MEANT.get(path.rpartition("/")[2], "")
    stream = f"tender:{act['tender'] if tag == 'tender.drafted/1' else path.split('/')[3]}"
    wrong = [name for name, value in fact.items() if not _is_meant(name, value, sent, tag)]
    place = (said["id"], said["actor"], said["stream"], fact.get("type"))
    if head != "kaifeng act v1" or place != (act["id"], party, stream, tag) or wrong:
        title = f"要签的内容不符 {wrong}"
        raise Refused(status=0, code="", title=title, detail="not what was meant")


def _is_meant(name: str, value: Any, sent: dict[str, Any], tag: str) -> bool:
    if name == "type" or name in _COMPUTED.get(tag, ()):
        return True
    if name in sent:
        return _within(sent[name], value)
    fields = {field.name: field for field in msgspec.structs.fields(fact_types()[tag])}
    default = fields[name].default if name in fields else msgspec.NODEFAULT
    if default is msgspec.NODEFAULT and name in fields:
        factory = fields[name].default_factory
        default = factory() if callable(factory) else msgspec.NODEFAULT
    return default is not msgspec.NODEFAULT and value == msgspec.json.decode(canonical(default))


def _within(sent: Any, said: Any) -> bool:
    """What we sent stands there; what we left out has its default."""
    if isinstance(sent, dict) and isinstance(said, dict):
        return all(name in said and _within(value, said[name]) for name, value in sent.items())
    if isinstance(sent, list) and isinstance(said, list):
        return len(sent) == len(said) and all(map(_within, sent, said))
    return bool(sent == said)


def _read(answer: httpx.Response) -> Any:
    if answer.status_code < 400:
        return answer.json() if answer.content else {}
    try:
        said = answer.json()
    except ValueError:
        said = {}
    raise Refused(
        status=answer.status_code,
        code=said.get("code", ""),
        title=said.get("title", answer.text[:200]),
        detail=said.get("detail", ""),
    )
