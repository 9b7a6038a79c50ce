"""Servers that somebody starts for itself, and what a trustee reads from whom."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from centre import TestCentre

from trading.ledger.signature import ActorKey
from web.daemons import trustee_app
from web.signing import Message, RequestSigner

BODY = b'{"type":"nonsense"}'
HOST = "trustee.example"
PATIENCE = 20.0


def _asked(folder: Path, headers: dict[str, str], centre: str) -> tuple[int, int]:
    """The status of POST /ask, and how often the body was asked for."""
    app, reads, statuses = trustee_app(folder, centre), list[int](), list[int]()

    async def receive() -> Any:
        reads.append(1)
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/ask",
        "raw_path": b"/ask",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": (HOST, 80),
    }
    asyncio.run(app(scope, receive, send))
    return statuses[0], len(reads)


def _signed(party: str, key: ActorKey) -> dict[str, str]:
    message = Message("POST", f"http://{HOST}/ask", {"host": HOST})
    RequestSigner(party, key).sign(message, BODY)
    return message.headers


def test_a_trustee_reads_no_body_that_the_centre_has_not_signed(tmp_path: Path) -> None:
    """It takes a whole ledger at once, so a stranger could fill its memory."""
    centre, stranger = ActorKey.generate(), ActorKey.generate()
    known, folder = centre.public.hex(), TestCentre(tmp_path).trustees[0].folder
    assert _asked(folder, {"host": HOST}, known) == (401, 0)
    assert _asked(folder, _signed("centre", stranger), known) == (401, 0)
    assert _asked(folder, _signed("somebody", centre), known) == (401, 0)
    status, reads = _asked(folder, _signed("centre", centre), known)
    assert status == 400  # it was read, and is nonsense
    assert reads >= 1


STARTER = """
import sys
from pathlib import Path
from web.pipes import kaifeng
from web.rehearsal import Program
folder = Path(sys.argv[1])
command = kaifeng("serve", "--data", str(folder / "data"), "--port", "0")
program = Program("server", command, folder / "log", dict(__import__("os").environ))
print(program.wait(), program.process.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("ending", ["killed", "alive"])
def test_who_starts_servers_for_itself_leaves_none_behind(tmp_path: Path, ending: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdin
    assert starter.stdout
    with starter.stdout:
        server = int(starter.stdout.readline().split()[1])
    try:
        if ending == "killed":
            starter.kill()
            starter.wait()
        assert _ends(server, PATIENCE if ending == "killed" else 1.0) == (ending == "killed")
    finally:
        starter.kill()
        starter.communicate()
    assert _ends(server, PATIENCE)


def _ends(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False
