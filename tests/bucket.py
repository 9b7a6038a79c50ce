"""A service that speaks S3, in a process of its own: it can be away, and back as it was."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from trading.kernel.objects import Objects, open_objects

__all__ = ["Bucket", "bucket"]

_ACCESS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_ALLOW_HTTP": "true"}
_SERVICE = """
import sys, boto3
from moto.server import ThreadedMotoServer

def started(port):
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    return server

server = started(0)
port = server.get_host_and_port()[1]
url = f"http://127.0.0.1:{port}"
boto3.client("s3", "us-east-1", endpoint_url=url).create_bucket(Bucket="kaifeng")
print(url, flush=True)
for word in sys.stdin:
    if word == "away\\n":
        server.stop()
    else:
        server = started(port)
    print(word, end="", flush=True)
"""


class Bucket:
    """`url` is the bucket's; whoever starts while this lives finds it by the environment."""

    url = "s3://kaifeng"

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody answers at its port; then it is back, with all it held."""
        self._say("away")
        try:
            yield
        finally:
            self._say("back")

    def under(self, prefix: str) -> Objects:
        return open_objects(f"{self.url}/{prefix}")

    def _say(self, word: str) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == f"{word}\n"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    """Moto; the environment leads there."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVICE],
        env=os.environ | _ACCESS,
        stdin=subprocess.PIPE,  # its end ends the service, even if these tests are killed
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        with pytest.MonkeyPatch.context() as patch:
            for key, value in _ACCESS.items():
                patch.setenv(key, value)
            patch.setenv("AWS_ENDPOINT_URL", process.stdout.readline().strip())
            yield Bucket(process)
        process.stdin.close()
