"""Refusals as problem details (RFC 9457), Chinese first: the only place that knows their status."""

from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from trading.kernel import errors
from trading.kernel.errors import Internal, NothingHere, Refusal, RequestMalformed

__all__ = [
    "HANDLERS",
    "PROBLEM",
    "CarefulRequest",
    "log_failure",
    "log_refusal",
    "problem",
    "status_of",
]

PROBLEM = "application/problem+json; charset=utf-8"
_RETRY_SECONDS = 1
_LOG = structlog.get_logger("kaifeng.edge")

# The nearest ancestor decides.
_STATUS: dict[type[Refusal], int] = {
    Refusal: 422,
    errors.Usage: 400,
    errors.InputUnusable: 400,
    errors.RequestMalformed: 400,
    errors.Unauthenticated: 401,
    errors.AccessDenied: 403,
    errors.RoleMissing: 403,
    errors.NothingHere: 404,
    errors.StreamUnknown: 404,
    errors.QuestionUnknown: 404,
    errors.UnknownPlugin: 422,
    errors.UploadUnknown: 404,
    errors.IllegalTransition: 409,
    errors.LostRace: 409,
    errors.KeyReused: 409,
    errors.TooLate: 409,
    errors.TooEarly: 409,
    errors.EnvelopeRepeated: 409,
    errors.UploadOffset: 409,
    errors.BodyMissing: 409,
    errors.Oversized: 413,
    errors.RequestTooSlow: 413,
    errors.Overloaded: 503,
    errors.StoreFull: 503,
    errors.StoreUnreachable: 503,
    errors.WriterStopped: 503,
    errors.Fatal: 503,
    errors.QuorumMissing: 503,
    errors.WitnessRefuses: 503,
    errors.TrusteeRefuses: 503,
    errors.ClockUntrusted: 503,
    errors.Internal: 500,
}

_INWARD = (errors.StoreUnreachable, errors.StoreFull, errors.WriterStopped, errors.Fatal)


class CarefulRequest(Request[Any, Any, Any]):
    """What the decoder does not refuse by itself: nested too deeply, or not UTF-8."""

    async def json(self) -> Any:
        try:
            return await super().json()
        except (RecursionError, UnicodeDecodeError) as error:
            raise RequestMalformed(problem=type(error).__name__) from error


def status_of(refusal: Refusal) -> int:
    return next(_STATUS[kind] for kind in type(refusal).__mro__ if kind in _STATUS)


def problem(refusal: Refusal) -> Response[dict[str, Any]]:
    """Both languages, the code, and what the refusal names where a program may want it."""
    status, refusal = status_of(refusal), _outward(refusal)
    body: dict[str, Any] = {
        "type": f"urn:kaifeng:{refusal.code}",
        "title": refusal.text("zh"),
        "status": status,
        "detail": refusal.text("en"),
        "code": refusal.code,
    }
    for name in ("message", "expected"):
        if name in refusal.facts:
            body[name] = str(refusal.facts[name])
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = str(refusal.facts.get("seconds", _RETRY_SECONDS))
    if status == 401:
        headers["WWW-Authenticate"] = 'Signature realm="kaifeng"'
    return Response(body, status_code=status, media_type=PROBLEM, headers=headers)


def _outward(refusal: Refusal) -> Refusal:
    """Where our disks and databases are, and what they said, is for the log alone."""
    if isinstance(refusal, _INWARD):
        return type(refusal)(**dict.fromkeys(refusal.facts, "…"))
    return refusal


def _refused(request: Request[Any, Any, Any], refusal: Refusal) -> Response[dict[str, Any]]:
    scope = request.scope
    log_refusal(refusal, str(scope.get("path_template", "")), str(scope.get("request_id", "")))
    return problem(refusal)


def log_refusal(refusal: Refusal, route: str, request: str) -> None:
    """The code and the route, never what was sent; and of our own stores what they said."""
    if isinstance(refusal, _INWARD):
        _LOG.warning(
            "refused", code=refusal.code, route=route, request=request, problem=refusal.text("en")
        )
    else:
        _LOG.info("refused", code=refusal.code, route=route, request=request)


def log_failure(error: Exception, request: str) -> None:
    _LOG.error("failed", request=request, kind=type(error).__name__, exc_info=error)


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """What the framework refuses before a handler is reached."""
    if error.status_code == 404:
        refusal: Refusal = NothingHere(what=request.scope["path"][:200])
    elif error.status_code >= 500:
        return _failed(request, error)
    else:
        refusal = RequestMalformed(problem=error.detail[:300])
    answer = _refused(request, refusal)
    answer.status_code = error.status_code
    answer.content["status"] = error.status_code
    answer.headers.update(
        {name: value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    )
    return answer


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """A bug of ours: logged under the request's name, told without its inside."""
    name = str(request.scope.get("request_id", ""))
    log_failure(error, name)
    return problem(Internal(request=name))


HANDLERS: dict[int | type[Exception], Any] = {
    Refusal: _refused,
    HTTPException: _http,
    Exception: _failed,
}
