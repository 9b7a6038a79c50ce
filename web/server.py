"""Running applications: uvicorn on one address, ended by a signal or by a writer that stopped."""

import asyncio
import gc
import os
import socket
from collections.abc import Callable

import uvicorn
import uvloop
from litestar.types import ASGIApp

__all__ = ["WITH_PARENT", "serve"]

WITH_PARENT = "_KAIFENG_WITH_PARENT"  # set by who starts servers for itself: they end when it does

_BACKLOG = 4096
_GRACE = 10
_TICK = 0.1
_DOORS = 16
_YOUNG = 20_000  # new objects between two searches for cycles


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
    config = _config(app, host, port)
    server = uvicorn.Server(config)
    parent = os.getppid() if os.environ.get(WITH_PARENT) else None

    def orphaned() -> bool:
        return parent is not None and os.getppid() != parent

    async def watch() -> BaseException | None:
        running = asyncio.create_task(server.serve(_doors(config)))
        told = False
        while not running.done():
            if server.started and not told:
                started(server.servers[0].sockets[0].getsockname()[1])
                told = True
            if broken() or orphaned():
                server.should_exit = True
            await asyncio.wait({running}, timeout=_TICK)
        await running
        return broken()

    _collect_less()
    return uvloop.run(watch())


def _collect_less() -> None:
    """Nearly nothing here is cyclic, and what is kept in memory need not be searched at each step:
    a search of everything is a pause in the middle of a rush.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 100)


def _doors(config: uvicorn.Config) -> list[socket.socket]:
    """One address, heard at several times: the loop lets one connection in through each door a
    turn, and in a rush, when its turns are long, somebody would stand outside for seconds.
    """
    first = config.bind_socket()
    return [first, *(first.dup() for _ in range(_DOORS - 1))]


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
