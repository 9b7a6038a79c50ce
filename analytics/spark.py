"""全国档案 the same SQL on Spark: for an archive over many machines, in partitions of Parquet.

Up to where one machine is enough stands in docs/explanation/measurements.md; nothing here is needed
before that.
"""

from pathlib import Path

import numpy as np
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from analytics.archive import ARCHIVE_SCREENS, SQL
from analytics.market import NO_BIDS, Floats
from trading.kernel.errors import InputUnusable

__all__ = ["SparkEngine"]


class SparkEngine:
    """`master`: local[2], or a cluster's address; one session a process."""

    def __init__(self, master: str = "local[2]") -> None:
        self._session = (
            SparkSession.builder.master(master)
            .appName("kaifeng screens")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()
        )

    def screens(self, files: str) -> tuple[list[str], dict[str, Floats]]:
        """`files`: Parquet or CSV, a folder or a glob is many; InputUnusable if they cannot be
        read.
        """
        try:
            reader = self._session.read
            is_csv = files.endswith((".csv", ".csv.gz"))
            given = reader.csv(files, header=True) if is_csv else reader.parquet(files)
            given.createOrReplaceTempView("bids")
            rows = self._session.sql(SQL).collect()
        except (PySparkException, Py4JError) as error:
            raise InputUnusable(path=Path(files), problem=str(error).splitlines()[0]) from error
        if not rows:
            raise InputUnusable(path=Path(files), problem=NO_BIDS)
        columns = {code: np.array([row[code] for row in rows], float) for code in ARCHIVE_SCREENS}
        return [str(row["auction_id"]) for row in rows], columns

    def close(self) -> None:
        self._session.stop()
