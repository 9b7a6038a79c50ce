"""Running applications: uvicorn on one address, ended by a signal or by a writer that stopped."""

import asyncio
import logging
import sys
from collections.abc import Callable

import structlog
import uvicorn
import uvloop
from litestar.types import ASGIApp

__all__ = ["serve", "set_up_logs"]

_BACKLOG = 4096
_GRACE = 10
_TICK = 0.1


def set_up_logs() -> None:
    """One JSON object a line on standard error. Nothing logs a body, a token or a price."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    started: Callable[[int], None],
    broken: Callable[[], BaseException | None] = lambda: None,
) -> BaseException | None:
    """Until a signal, or until `broken` names a reason: then it is returned, and the process ends.

    `started` learns the port, which may have been 0.
    """
    server = uvicorn.Server(_config(app, host, port))

    async def watch() -> BaseException | None:
        running = asyncio.create_task(server.serve())
        told = False
        while not running.done():
            if server.started and not told:
                started(server.servers[0].sockets[0].getsockname()[1])
                told = True
            if broken():
                server.should_exit = True
            await asyncio.wait({running}, timeout=_TICK)
        await running
        return broken()

    return uvloop.run(watch())


def _config(app: ASGIApp, host: str, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        http="httptools",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=75,
        lifespan="on",
    )
