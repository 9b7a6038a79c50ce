"""Requests signed by key (RFC 9421 with RFC 9530): who sends, this very request, once.

Covered are method, authority, path, query and body digest; `nonce` makes each request unique and
`created` bounds how long a nonce must be remembered. This is about the sender of a request only:
an act that goes into the ledger carries its own signature.
"""

import base64
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import http_message_signatures as rfc9421
import httpx
import msgspec
from http_message_signatures import algorithms

from trading.kernel.errors import RequestReplayed, Unauthenticated
from trading.kernel.instant import Clock
from trading.kernel.party import Signs

__all__ = ["Message", "RequestSigner", "SignedHead", "check_head", "check_signature"]

TAG = "kaifeng"
WINDOW = timedelta(minutes=5)
_NEVER = 2**60
_COVERED = ("@method", "@authority", "@path", "@query")
_SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410


class Message(msgspec.Struct):
    """A request as the signature sees it; `headers` are changed by signing."""

    method: str
    url: str
    headers: dict[str, str]


class Once(Protocol):
    def first_use(self, name: str, until: datetime) -> bool: ...


class RequestSigner(httpx.Auth):
    """Signs each request of an httpx client with a party's key."""

    requires_request_body = True

    def __init__(self, party: str, key: Signs) -> None:
        self._party, self._key = party, key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        message = Message(request.method, str(request.url), dict(request.headers))
        self.sign(message, request.content)
        request.headers.update(message.headers)
        yield request

    def sign(self, message: Message, body: bytes) -> None:
        signer = rfc9421.HTTPMessageSigner(signature_algorithm=algorithms.ED25519)
        prepared = signer.prepare(
            message,
            key_id=self._party,
            nonce=secrets.token_urlsafe(18),
            tag=TAG,
            covered_component_ids=_COVERED,
            body=body,
        )
        signer.apply(message, prepared, self._key.sign(prepared.signature_base))


class _Key(rfc9421.HTTPSignatureKeyResolver):
    def __init__(self, public: bytes) -> None:
        self._public = public

    def resolve_public_key(self, key_id: str) -> bytes:
        text = base64.encodebytes(_SPKI_ED25519 + self._public).decode()
        return f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n".encode()


class _Verifier(rfc9421.HTTPMessageVerifier):
    """Leaves the time to us: the library would ask a clock that anybody may set."""

    max_clock_skew = timedelta(days=36_500)


def check_signature(
    message: Message, body: bytes, keys: dict[str, bytes], once: Once, clock: Clock
) -> str:
    """The party that signed the request; Unauthenticated, or RequestReplayed the second time."""
    return check_head(message, keys).check(body, once, clock)


class SignedHead(msgspec.Struct, frozen=True):
    """A request whose head is signed by the party; the body, still to come, must fit its digest."""

    party: str
    message: Message
    verifier: rfc9421.HTTPMessageVerifier
    found: list[rfc9421.VerifyResult]

    def check(self, body: bytes, once: Once, clock: Clock) -> str:
        """The party, once the rest of the request fits as well."""
        with _told():
            self.verifier.verify_body(self.message, self.found, body)
        _use_once(self.party, self.found[0].parameters, once, clock)
        return self.party


def check_head(message: Message, keys: dict[str, bytes]) -> SignedHead:
    """Before a body is read that nobody enrolled has sent."""
    party = _claimed(message)
    if party not in keys:
        raise Unauthenticated(problem=f"未登记 {party} / {party} is not enrolled")
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_Key(keys[party]))
    with _told():
        found = verifier.verify(message, max_age=None, expect_tag=TAG, require_components=_COVERED)
    return SignedHead(party, message, verifier, found)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (rfc9421.HTTPMessageSignaturesException, ValueError, KeyError) as error:
        raise Unauthenticated(problem=error) from error


def _claimed(message: Message) -> str:
    """The key id, still unproven."""
    given = {name.lower(): value for name, value in message.headers.items()}
    field = given.get("signature-input", "")
    _, found, rest = field.partition(';keyid="')
    if not found:
        raise Unauthenticated(problem="缺少签名 / no signature")
    return rest.partition('"')[0]


def _use_once(party: str, parameters: dict[str, Any], once: Once, clock: Clock) -> None:
    nonce, created = parameters.get("nonce"), parameters.get("created")
    if not nonce or created is None or parameters.get("keyid") != party:
        raise Unauthenticated(problem="缺少 nonce 或 created / no nonce or created")
    signed_at, now = datetime.fromtimestamp(int(created), UTC), clock.read().at
    good_until = min(
        signed_at.timestamp() + WINDOW.total_seconds(), parameters.get("expires", _NEVER)
    )
    if signed_at - now > WINDOW or now.timestamp() > good_until:
        raise Unauthenticated(problem="签名时间不在允许范围 / signed too long ago, or ahead")
    if len(str(nonce)) > 64 or not once.first_use(f"{party}:{nonce}", signed_at + 2 * WINDOW):
        raise RequestReplayed
