"""Talking to programs of other institutions over a pipe: one JSON message a line, each answered.

`ssh notary kaifeng witness serve DIR` is such a program just as well as a local one.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import msgspec

from trading.desks.trustee import TrusteeAnswer, TrusteeRequest
from trading.kernel.errors import TrusteeRefuses, WitnessRefuses
from trading.ledger.witness import Answer

__all__ = ["Child", "Service", "TrusteeProcess", "WitnessProcess", "kaifeng", "serve_lines"]


def kaifeng(*arguments: str) -> list[str]:
    """Our own command in this very environment."""
    return [sys.executable, "-m", "web.cli", *arguments]


class Service(msgspec.Struct, frozen=True):
    """`make` (re)builds what answers requests; `refuse` puts an unexpected failure into words."""

    request: Any
    make: Callable[[], Callable[[Any], object]]
    refuse: Callable[[Exception], object]


def serve_lines(source: BinaryIO, sink: BinaryIO, service: Service) -> None:
    """Answer line after line until the other side closes the pipe.

    No line ends the program: nonsense is answered, and after an unexpected failure the state is
    read anew from disk.
    """
    decoder, answer = msgspec.json.Decoder(service.request), service.make()
    for line in source:
        try:
            given = answer(decoder.decode(line))
        except Exception as error:  # noqa: BLE001  whatever a stranger sends, the program goes on
            given, answer = service.refuse(error), service.make()
        sink.write(msgspec.json.encode(given) + b"\n")
        sink.flush()


class Child:
    """A program on the other end of a pipe; it ends when the pipe is closed."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, message: object) -> bytes:
        """The answer's line; empty if the program is gone."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return b""
        try:
            stdin.write(msgspec.json.encode(message) + b"\n")
            stdin.flush()
        except (BrokenPipeError, ValueError):
            return b""
        return stdout.readline()

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait(timeout=30)


class WitnessProcess:
    """A witness behind a pipe."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.child = Child(command)

    def ask(self, request: str) -> Answer:
        line = self.child.ask(request)
        if not line:
            raise WitnessRefuses(witness=self.name, status=0, problem="程序已退出 / not running")
        return msgspec.json.decode(line, type=Answer)


class TrusteeProcess:
    """A trustee behind a pipe; `key` is its long-term public key."""

    def __init__(self, name: str, key: bytes, command: Sequence[str]) -> None:
        self.name, self.key = name, key
        self.synced = 0
        self.child = Child(command)

    def ask(self, request: TrusteeRequest) -> TrusteeAnswer:
        line = self.child.ask(request)
        if not line:
            raise TrusteeRefuses(problem=f"{self.name}: 程序已退出 / not running")
        answer: TrusteeAnswer = msgspec.json.decode(line, type=TrusteeAnswer)
        return answer
