"""Reaching PostgreSQL: the host that takes writes, and which failures are those of the line."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

__all__ = ["GONE", "connect"]

_CONNECT_TIMEOUT = 2.0  # seconds a host may stay silent before the next one is tried

GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the connection was cut between two questions
    asyncpg.OperatorInterventionError,  # shut down, starting up, cancelled
    asyncpg.TransactionRollbackError,  # deadlock, serialization: the batch is tried again
    asyncpg.ReadOnlySQLTransactionError,  # a standby answers: the primary is being replaced
    asyncpg.TooManyConnectionsError,
    OSError,
    TimeoutError,
)


async def connect(url: str, **options: Any) -> asyncpg.Connection:
    """To the first host that takes writes; a silent one costs its share of time, not all of it."""
    problem: BaseException = ConnectionError("no host")
    for host, port in _hosts(url):
        try:
            return await asyncpg.connect(
                url,
                host=host,
                port=port,
                timeout=_CONNECT_TIMEOUT,
                target_session_attrs="read-write",
                **options,
            )
        except GONE as error:
            problem = error
    raise problem


def _hosts(url: str) -> list[tuple[str | None, int | None]]:
    """Each host of a URL that names several, in the authority or as `?host=a,b&port=1,2`."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    named = query["host"][0] if "host" in query else parts.netloc.rpartition("@")[2]
    ports = query["port"][0].split(",") if "port" in query else []
    found: list[tuple[str | None, int | None]] = []
    for number, name in enumerate(named.split(",")):
        host, _, port = name.rpartition(":") if ":" in name and "/" not in name else (name, "", "")
        port = port or (ports[min(number, len(ports) - 1)] if ports else "")
        found.append((unquote(host) or None, int(port) if port else None))
    return found
