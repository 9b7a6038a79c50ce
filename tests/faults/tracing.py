"""Processes under strace: their writing calls are counted, refused, or the moment of their death.

strace counts the calls of each thread apart. So a point is a call of one thread: until a process
is ready it has one that writes, and from then on strace holds on to the thread that is meant.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from history import go_without

__all__ = ["PATIENCE", "Point", "Run", "check_tracing", "chosen", "traced"]

PATIENCE = 100  # seconds until a process that does nothing is given up
# every point instead of a sample; taken away, for our programs would think it a setting of theirs
EVERY = os.environ.pop("KAIFENG_EVERY_KILL", "") == "1"
_ROOMS = Path(__file__).parents[1], Path(__file__).parents[2]
START, MAIN = "start", "MainThread"
_CALL = re.compile(r"(?m)^(\d+) +(\w+)\((.*)$")
_SAID = re.compile(r'1<[^>]*>, "(\w+)')
_NOBODY_READS = re.compile(r'\d+<([^>]*\.tmp#\d+|anon_inode:\[eventfd\])>|"[^"]*", "[^"]*\.tmp"')


def check_tracing() -> None:
    if not shutil.which("strace"):
        go_without("strace")
    if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode:
        go_without("the permission to trace")


class Point(NamedTuple):
    """A thread's n-th call of that name; `word` is what was said last."""

    thread: str
    call: str
    number: int
    word: str

    def __str__(self) -> str:
        return f"{self.call} {self.number} of {self.thread} after “{self.word}”"

    @property
    def inject(self) -> str:
        return f"{self.call}:signal=KILL:when={self.number}"


@contextmanager
def traced(number: int, *options: str) -> Iterator[None]:
    """A process or a thread, from here on."""
    command = ["strace", "-p", str(number), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        try:
            assert any("attached" in line for line in tracer.stderr)
            yield
        finally:
            tracer.terminate()


class Run:
    """A program in a folder of its own, and the paths (all if none) where its calls count."""

    def __init__(
        self, folder: Path, command: Sequence[object], calls: str, paths: Sequence[Path] = ()
    ) -> None:
        self.folder, self._command = folder, [sys.executable, *map(str, command)]
        self._calls, self._paths = calls, [*paths, self._file("log")] if paths else []
        self._before = self.log_size

    def run(self, inject: str = "") -> int:
        """All threads, from the beginning to the end."""
        trace = ["strace", "-f", "-y", "-qq", "-o", str(self._file("trace"))]
        with self._start([*trace, *self._options(inject), *self._command]) as process:
            return process.wait(PATIENCE)

    def kill_at(self, point: Point) -> int:
        if point.thread == START:
            return self.run(point.inject)
        with self._start(self._command, subprocess.PIPE) as process:
            thread = self._thread(point.thread, process)
            trace = "-o", str(self._file("trace"))
            with traced(thread, *trace, *self._options(point.inject)):
                process.stdin.write(b"\n")
                process.stdin.close()
                return process.wait(PATIENCE)

    def _options(self, inject: str) -> list[str]:
        options = ["-e", f"trace={self._calls}", *(["-e", f"inject={inject}"] * bool(inject))]
        return options + [word for path in self._paths for word in ("-P", str(path))]

    @contextmanager
    def _start(
        self, command: list[str], stdin: int = subprocess.DEVNULL
    ) -> Iterator["subprocess.Popen[bytes]"]:
        environment = os.environ | {
            "PYTHONDONTWRITEBYTECODE": "1",  # imports write nothing
            "PYTHONPATH": os.pathsep.join(map(str, _ROOMS)),
        }
        self._before = self.log_size
        with self._file("log").open("ab") as out, self._file("stderr").open("wb") as err:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=out,
                stderr=err,
                env=environment,
                start_new_session=True,
            )
        with process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def _thread(self, name: str, process: "subprocess.Popen[bytes]") -> int:
        give_up = time.monotonic() + PATIENCE
        while "\nready" not in self.log_of_run:
            assert process.poll() is None, self.stderr
            assert time.monotonic() < give_up
            time.sleep(0.002)
        return {name: number for number, name in self._threads().items()}[name]

    def _threads(self) -> dict[int, str]:
        found = re.findall(r"(?m)^thread (\S+) (\d+)$", self.log_of_run)
        return {int(number): name for name, number in found}

    # -- what was seen ------------------------------------------------------------------------

    @property
    def log(self) -> str:
        return self._file("log").read_text()

    @property
    def log_of_run(self) -> str:
        return self._file("log").read_bytes()[self._before :].decode()

    @property
    def log_size(self) -> int:
        return self._file("log").stat().st_size if self._file("log").exists() else 0

    @property
    def stderr(self) -> str:
        return self._file("stderr").read_text()

    @property
    def last_word(self) -> str:
        """Of the last run; a line that was torn off says nothing."""
        words = [line.split()[0] for line in self.log_of_run.splitlines()]
        return next((word for word in reversed(words) if word != "thread"), "")

    def calls(self) -> Counter[str]:
        trace = self._file("trace").read_text(errors="replace")
        return Counter(call for _, call, _ in _CALL.findall(trace))

    def points(self) -> list[Point]:
        """Of the last run, in the order of time. The object store writes on threads of its own,
        into names that nobody reads; that they become names that count is a call of ours.
        """
        names, counts, word = self._threads(), Counter[tuple[str, str]](), ""
        found = []
        for number, call, rest in _CALL.findall(self._file("trace").read_text(errors="replace")):
            thread = names.get(int(number), "")
            if not word:
                assert thread == MAIN
                thread = START
            if not thread:
                assert _NOBODY_READS.match(rest), rest
                continue
            counts[thread, call] += 1
            found.append(Point(thread, call, counts[thread, call], word))
            said = _SAID.match(rest) if call == "write" else None
            word = said[1] if said and said[1] != "thread" else word
        return found

    def _file(self, name: str) -> Path:
        return self.folder / name


def chosen(points: list[Point], most: int) -> list[Point]:
    """Spread evenly over the time, and at least one of each thread after each word."""
    if EVERY or len(points) <= most:
        return points
    kept = {k * len(points) // most for k in range(most)}
    seen = {(points[k].thread, points[k].word) for k in kept}
    for k, point in enumerate(points):
        if (point.thread, point.word) not in seen:
            seen.add((point.thread, point.word))
            kept.add(k)
    return [points[k] for k in sorted(kept)]
