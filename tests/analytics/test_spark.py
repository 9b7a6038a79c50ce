"""One SQL text, two engines: what Spark says of 100,000 auctions is what DuckDB says."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from analytics.archive import ARCHIVE_SCREENS, DuckDbEngine
from trading.kernel.errors import InputUnusable

AUCTIONS, PARTS = 100_000, 4
HERE = Path(__file__).parent


def skip_unless_there() -> None:
    is_there = importlib.util.find_spec("pyspark") and shutil.which("java")
    if not is_there and not os.environ.get("REQUIRE_SHARED"):
        pytest.skip("pyspark or java is absent")


def written(folder: Path) -> str:
    """Auctions of one to seven bids in partitions, equal bids and odd names among them."""
    with duckdb.connect() as database:
        for part in range(PARTS):
            path = folder / f"part-{part}.parquet"
            database.execute(
                "COPY (SELECT '场 ' || auction AS auction_id, "
                "CASE WHEN auction % 50 = 0 THEN 77.5 "
                "ELSE 1000 + (hash(auction * 100 + bid) % 100000) / 7.0 END AS bid "
                "FROM (SELECT range AS auction FROM range(?)), (SELECT range AS bid FROM range(7)) "
                "WHERE auction % ? = ? AND bid <= auction % 7) TO ? (FORMAT parquet)",
                [AUCTIONS, PARTS, part, str(path)],
            )
    return str(folder / "*.parquet")


def test_spark_equals_duckdb_on_a_hundred_thousand_auctions(tmp_path: Path) -> None:
    skip_unless_there()
    files, out = written(tmp_path), tmp_path / "spark.npy"
    done = subprocess.run(
        [sys.executable, HERE / "on_spark.py", files, out],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(HERE.parents[1])},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == InputUnusable.code  # of a file that is not there
    names, ours = DuckDbEngine().screens(files)
    theirs = np.load(out)
    assert len(names) == AUCTIONS
    assert out.with_suffix(".txt").read_text("utf-8").split("\n") == names
    for code, column in zip(ARCHIVE_SCREENS, theirs, strict=True):
        np.testing.assert_allclose(column, ours[code], rtol=1e-9, atol=1e-9, err_msg=code)
