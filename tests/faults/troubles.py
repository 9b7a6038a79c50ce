"""What befalls a live centre: institutions that are absent, silent or lie, twins, full disks."""

import copy
import json
import os
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
from pair import wait_until

from trading.desks.trustee import Shared, Trustee, TrusteeRequest
from trading.kernel.instant import SystemClock
from trading.keys import schnorr
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.entry import leaf_hash
from trading.ledger.note import Note
from trading.ledger.tree import Tree
from trading.opening import share_message
from web.rehearsal import Program, Rehearsal

__all__ = [
    "Liar",
    "Twin",
    "absent",
    "ballast",
    "feed_of",
    "head_of",
    "history_of",
    "log_of",
    "port_of",
    "revive",
    "settle",
    "silent",
]

_PAGE = 1000


def settle(centre: Rehearsal) -> None:
    """Until every opening has been looked at, and the witnesses have cosigned all there is."""
    client = centre.client()
    wait_until(lambda: not unseen(centre), "every opening has its warning")

    def is_settled() -> bool:
        size = client.get("/v1/feed", limit=1)["size"]
        return head_of(client.text("/checkpoint"))[0] == int(size)

    wait_until(is_settled, "all is cosigned")


def unseen(centre: Rehearsal) -> int:
    """Openings that nobody has looked at yet: a warning comes some seconds later."""
    sql = "SELECT count(*) FROM entry WHERE instr(raw, ?)"
    place = f"file:{centre.data}/ledger.db?mode=ro"
    with closing(sqlite3.connect(place, uri=True)) as ledger:
        kinds = (b"opening.recorded/1", b"warning.recorded/1")
        opened, looked = (ledger.execute(sql, [kind]).fetchone()[0] for kind in kinds)
    return int(opened - looked)


def head_of(note: str) -> tuple[int, bytes]:
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    return checkpoint.size, checkpoint.root


def log_of(centre: Rehearsal, name: str = "server-one") -> list[dict[str, Any]]:
    text = (centre.folder / "logs" / f"{name}.log").read_text()
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@contextmanager
def absent(centre: Rehearsal, *names: str) -> Iterator[None]:
    """Their programs have ended."""
    for name in names:
        centre.trustees[name].process.kill()
        centre.trustees[name].process.wait()
    try:
        yield
    finally:
        for name in names:
            revive(centre, name)


@contextmanager
def silent(centre: Rehearsal, *names: str) -> Iterator[None]:
    """Their programs are there, take every question, and answer none."""
    pids = [centre.trustees[name].process.pid for name in names]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def revive(centre: Rehearsal, name: str) -> None:
    """Once more where it was."""
    program = centre.trustees[name]
    if program.process.poll() is None:
        return
    command: list[Any] = list(program.process.args)  # type: ignore[arg-type]
    command[command.index("--port") + 1] = str(port_of(program))
    program.stop()
    centre.trustees[name] = centre._start(f"trustee-{name}", command)
    centre.trustees[name].wait()


def port_of(program: Program) -> int:
    return int(program.url.rpartition(":")[2])


class Liar(ThreadingHTTPServer):
    """In the place of a trustee's program, with its key: asked for its share it answers the points
    in another order, under a signature that holds or one that does not.
    """

    def __init__(self, centre: Rehearsal, name: str, *, signs: bool) -> None:
        self.trustee, self._signs = Trustee(centre.folder / f"trustee-{name}", SystemClock()), signs
        super().__init__(("127.0.0.1", port_of(centre.trustees[name])), Lies)

    def answer(self, question: TrusteeRequest) -> Any:
        given = self.trustee.answer(question)
        if not isinstance(given, Shared):
            return given
        share = msgspec.structs.replace(given.share, points=given.share.points[::-1])
        if not self._signs:
            return Shared(share, given.signature)
        bind = self.trustee._tender(question.tender).opening_bind(question.stage)
        return Shared(share, schnorr.sign(self.trustee._secret, share_message(bind, share)))

    @contextmanager
    def served(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class Lies(BaseHTTPRequestHandler):
    server: Liar

    def do_GET(self) -> None:
        self._say({"size": self.server.trustee.size})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._say(self.server.answer(msgspec.json.decode(body, type=TrusteeRequest)))

    def _say(self, answer: Any) -> None:
        body = msgspec.json.encode(answer)
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Twin:
    """The same centre once more, from a copy of its folder, as if its machine had been cloned."""

    def __init__(self, centre: Rehearsal, folder: Path) -> None:
        settle(centre)
        node = centre.nodes["one"].process.pid
        os.kill(node, signal.SIGSTOP)
        wait_until(lambda: stands_still(node), "it stands still")
        shutil.copytree(centre.data, folder)
        os.kill(node, signal.SIGCONT)
        self.centre = copy.copy(centre)
        self.centre.data, self.centre.nodes = folder, {}

    def __enter__(self) -> Rehearsal:
        self._program = self.centre.start_node("twin")
        return self.centre

    def __exit__(self, *_: object) -> None:
        self._program.stop()


def stands_still(process: int) -> bool:
    """Every thread of it: a signal to stop takes effect a moment after it was sent."""
    threads = Path(f"/proc/{process}/task").iterdir()
    states = [(one / "stat").read_text().rpartition(")")[2].split()[0] for one in threads]
    return set(states) == {"T"}


def history_of(centre: Rehearsal) -> tuple[int, bytes]:
    """Size and root, by what it shows to everybody."""
    tree = Tree()
    for item in feed_of(centre):
        tree.append(leaf_hash(bytes.fromhex(item["leaf"])))
    return tree.size, tree.root()


def feed_of(centre: Rehearsal) -> list[dict[str, Any]]:
    found, client = list[dict[str, Any]](), centre.client()
    while items := client.get("/v1/feed", cursor=len(found), limit=_PAGE)["items"]:
        found += items
    return found


@contextmanager
def ballast(place: Path) -> Iterator[None]:
    """To the last byte."""
    file = place / "ballast"
    with file.open("wb", buffering=0) as written:
        for size in (65_536, 512):
            with suppress(OSError):
                while written.write(b"x" * size):
                    continue
    yield
    file.unlink()
