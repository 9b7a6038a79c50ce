"""Runs beside the tests: Spark talks to its machine by sockets, which tests may not open."""

import sys
from pathlib import Path

import numpy as np

from analytics.archive import ARCHIVE_SCREENS
from analytics.spark import SparkEngine
from trading.kernel.errors import InputUnusable


def main(files: str, out: Path) -> None:
    engine = SparkEngine()
    try:
        names, columns = engine.screens(files)
        np.save(out, np.stack([columns[code] for code in ARCHIVE_SCREENS]))
        out.with_suffix(".txt").write_text("\n".join(names), "utf-8")
        try:
            engine.screens(f"{out}.absent.parquet")
        except InputUnusable as refusal:
            sys.stdout.write(refusal.code)
    finally:
        engine.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
