"""日志 the log: a JSON object a line on standard error. Nothing logs a body, a token or a price."""

import io
import logging
import sys
from typing import TYPE_CHECKING

import prometheus_client
import structlog

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["Forgiving", "set_up_logs"]

_LOST = prometheus_client.Counter(
    "kaifeng_log_lines_lost", "Writes to the log that found no room, or nobody"
)


def set_up_logs() -> None:
    sys.stderr = io.TextIOWrapper(
        Forgiving(sys.stderr.fileno(), "w", closefd=False),
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )
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


class Forgiving(io.FileIO):
    """A log that is full or gone loses a line and counts it: whoever wrote it has a duty to do, and
    most has to be said just when a disk is full.
    """

    _torn = False

    def write(self, line: "ReadableBuffer", /) -> int:
        size = memoryview(line).nbytes
        rest = memoryview(b"\n" * self._torn + bytes(line))
        try:
            while rest:
                rest = rest[self._some(rest) :]
            self._torn = False
        except OSError:
            self._torn = len(rest) != size
            _LOST.inc()
        return size

    def _some(self, rest: memoryview) -> int:
        written = super().write(rest)
        if not written:
            raise BlockingIOError
        return written
