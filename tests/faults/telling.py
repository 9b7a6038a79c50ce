"""What a process that will be killed says of itself, line by line, on its standard output."""

import os
import sys
import threading

__all__ = ["await_go", "say"]


def say(*words: str) -> None:
    """One write, so that a line is in the log or is not."""
    os.write(1, f"{' '.join(words)}\n".encode())


def await_go() -> None:
    """Which threads there are; then nothing, until whoever wants one of them has hold of it."""
    for thread in threading.enumerate():
        say("thread", thread.name, str(thread.native_id))
    say("ready")
    sys.stdin.readline()
