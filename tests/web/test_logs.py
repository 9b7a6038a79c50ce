"""The log of a server whose disk is full: a line is lost, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from web.logs import Forgiving

_FULL = Path("/dev/full")  # takes no byte: full(4)
_PROGRAM = """
log = structlog.get_logger("kaifeng.test")
log.error("follower.troubled", problem="存储空间已满")
log.error("once more", exc_info=OSError(28, "full"))
logging.getLogger("uvicorn").error("and what a library says")
print("to nobody", file=sys.stderr)
print("went on")
"""
_OURS = "import logging, sys, structlog; from web.logs import set_up_logs; set_up_logs()"
_PLAIN = (
    "import logging, sys, structlog;"
    "structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))"
)


@pytest.mark.parametrize(("logs", "goes_on"), [(_OURS, True), (_PLAIN, False)])
def test_who_writes_to_a_full_log_goes_on(logs: str, goes_on: bool) -> None:
    """Not so with a log that is only printed, for which this is here."""
    with _FULL.open("wb") as full:
        command = [sys.executable, "-c", f"{logs}\n{_PROGRAM}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, check=False)
    assert (done.stdout == b"went on\n") is goes_on


def test_a_torn_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    """A file that may grow to ten bytes, and then is given more room."""
    log = tmp_path / "log"
    program = f"""
import resource, signal
from web.logs import Forgiving
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = Forgiving({str(log)!r}, "w")
for room, line in ((10, b"one\\n"), (10, b"two, torn\\n"), (10, b"lost\\n"), (99, b"three\\n")):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, -1))
    assert log.write(line) == len(line)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert log.read_bytes() == b"one\ntwo, t\nthree\n"


def test_a_pipe_nobody_empties_loses_lines_and_does_not_wait() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb") as pipe:
        with Forgiving(writing, "w") as log:
            assert {log.write(b"x" * 999 + b"\n") for _ in range(100)} == {1000}
        assert set(pipe.read().splitlines()) == {b"x" * 999}
