"""The command as a process, and one finished demo for all tests that only read it."""

from pathlib import Path

import pytest
from commands import kaifeng


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "demo"
    done = kaifeng("demo", "--once", "--out", out, "--day", 100)
    assert done.returncode == 0, done.stderr
    (out / "said.txt").write_text(done.stdout)
    return out
