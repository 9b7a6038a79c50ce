"""One edge a test, and one finished demo for all tests that only read it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import kaifeng
from edge import TestEdge


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[TestEdge]:
    """In this process; at the end its whole ledger verifies."""
    made = TestEdge(tmp_path)
    yield made
    made.centre.verify_everything()
    made.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "demo"
    done = kaifeng("demo", "--once", "--out", out, "--day", 100)
    assert done.returncode == 0, done.stderr
    (out / "said.txt").write_text(done.stdout)
    return out
