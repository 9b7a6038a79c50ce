"""公开读取 the hot way of readers: checkpoint, tiles and feed, the same for everyone."""

import asyncio
import re

import msgspec
from litestar.types import Receive, Scope, Send

from trading.kernel.errors import NothingHere
from trading.ledger.publish import Publisher
from web.feed import PAGE
from web.hot import Reply, refused, send_reply
from web.ports import Ports
from web.tiles import Tiles

__all__ = ["CHECKPOINT", "FOREVER", "TEXT", "ReadLane", "newest_checkpoint", "tile"]

TEXT = "text/plain; charset=utf-8"
FOREVER = ("Cache-Control", "public, max-age=31536000, immutable")
CHECKPOINT = ("Cache-Control", "max-age=1")
_QUERY = re.compile(r"(?:cursor=(\d{1,15}))?&?(?:limit=([1-9]\d{0,3}))?")
_ROUTES = {"feed": "/v1/feed", "tile": "/tile/{place}", "checkpoint": "/checkpoint"}
_USUAL = 100
_ENCODE = msgspec.json.Encoder().encode


def newest_checkpoint(publisher: Publisher) -> str:
    """The newest one that a quorum of witnesses has cosigned."""
    newest = publisher.newest()
    if newest is None:
        raise NothingHere(what="联署检查点 / cosigned checkpoint yet")
    return newest.note


def tile(tiles: Tiles, place: str) -> bytes:
    place = place.lstrip("/")
    content = tiles.at(place)
    if content is None:
        raise NothingHere(what=f"瓦片 tile/{place[:60]}")
    return content


class ReadLane:
    """Takes requests in their plain form; any other, and what is wrong, is the application's."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def takes(self, scope: Scope) -> str:
        path = scope["path"] if scope.get("method") == "GET" else ""
        if path == "/v1/feed":
            asked = _QUERY.fullmatch(scope["query_string"].decode("latin-1"))
            fits = asked and int(asked[2] or _USUAL) <= PAGE
            return f"feed {asked[1] or 0} {asked[2] or _USUAL}" if asked and fits else ""
        if scope["query_string"]:
            return ""
        if path.startswith("/tile/"):
            return f"tile {path.removeprefix('/tile/')}"
        return "checkpoint" if path == "/checkpoint" else ""

    async def answer(self, taken: str, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        what, _, rest = taken.partition(" ")
        try:
            reply = await self._reply(what, rest)
        except Exception as error:  # noqa: BLE001  told by its code, or as a failure of ours
            reply = refused(error, _ROUTES[what], scope)
        await send_reply(send, reply)

    async def _reply(self, what: str, rest: str) -> Reply:
        ports = self._ports
        if what == "feed":
            cursor, limit = rest.split()
            page = await asyncio.to_thread(ports.feed.page, int(cursor), int(limit))
            return Reply(_ENCODE(page))
        if what == "tile":
            if rest.startswith("entries/"):  # read from the database; hashes are in memory
                content = await asyncio.to_thread(tile, ports.tiles, rest)
            else:
                content = tile(ports.tiles, rest)
            return Reply(content, "application/octet-stream", headers=[FOREVER])
        note = await asyncio.to_thread(newest_checkpoint, ports.office.publisher)
        return Reply(note.encode(), TEXT, headers=[CHECKPOINT])
