"""档案筛查 the same screens over a whole archive, by SQL that an inspector can read and run.

One text for every engine: moments are written out, because engines differ in what they call
skewness. What it gives equals `analytics.screens`, bid by bid.
"""

from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np

from analytics.market import LEAST, MOST, NO_BIDS, Floats
from trading.kernel.errors import InputUnusable

__all__ = ["ARCHIVE_SCREENS", "SQL", "DuckDbEngine", "Engine"]

ARCHIVE_SCREENS = ("size", "cv", "spd", "diffp", "rd", "skew", "kurt", "ks")

SQL = f"""
WITH given AS (
  SELECT auction_id, CAST(bid AS DOUBLE) AS bid FROM bids
  WHERE CAST(bid AS DOUBLE) BETWEEN {LEAST} AND {MOST:g} AND CAST(auction_id AS STRING) <> ''
), placed AS (
  SELECT auction_id, bid,
         row_number() OVER (PARTITION BY auction_id ORDER BY bid) AS place,
         count(*) OVER (PARTITION BY auction_id) AS size,
         avg(bid) OVER (PARTITION BY auction_id) AS mean,
         min(bid) OVER (PARTITION BY auction_id) AS low,
         max(bid) OVER (PARTITION BY auction_id) AS high
  FROM given
), summed AS (
  SELECT auction_id, max(size) AS size, max(mean) AS mean, max(low) AS low, max(high) AS high,
         max(CASE WHEN place = 2 THEN bid END) AS second,
         avg((bid - mean) * (bid - mean)) AS m2,
         avg((bid - mean) * (bid - mean) * (bid - mean)) AS m3,
         avg((bid - mean) * (bid - mean) * (bid - mean) * (bid - mean)) AS m4,
         stddev_samp(CASE WHEN place > 1 THEN bid END) AS losers,
         max(abs(CASE WHEN high > low THEN (bid - low) / (high - low) ELSE 0 END
                 - place / (size + 1.0))) AS distance
  FROM placed GROUP BY auction_id
)
SELECT auction_id, CAST(size AS DOUBLE) AS size,
  CASE WHEN size >= 2 THEN sqrt(m2 * size / (size - 1)) / mean END AS cv,
  CASE WHEN size >= 2 THEN high / low - 1 END AS spd,
  CASE WHEN size >= 2 THEN second / low - 1 END AS diffp,
  CASE WHEN size >= 3 THEN (second - low) / greatest(losers, 1e-12 * mean) END AS rd,
  CASE WHEN size >= 3 THEN CASE WHEN m2 > 0 THEN m3 / power(m2, 1.5)
    * sqrt(CAST(size AS DOUBLE) * (size - 1)) / (size - 2) ELSE 0 END END AS skew,
  CASE WHEN size >= 4 THEN CASE WHEN m2 > 0 THEN ((size + 1) * (m4 / power(m2, 2) - 3) + 6)
    * (size - 1.0) / ((size - 2) * (size - 3)) ELSE 0 END END AS kurt,
  CASE WHEN size >= 3 THEN distance END AS ks
FROM summed ORDER BY auction_id
"""  # noqa: S608  our own two bounds, those of analytics/market.py


class Engine(Protocol):
    """Runs `SQL` over files with the columns auction_id and bid, in whatever number of parts."""

    def screens(self, files: str) -> tuple[list[str], dict[str, Floats]]:
        """Auctions ascending, and a column for each of `ARCHIVE_SCREENS`; nan where unknown. A line
        a bid: what can be no price, or belongs to no auction, is left out; InputUnusable where
        nothing remains.
        """
        ...


class DuckDbEngine:
    """In this process; memory is bounded, what does not fit goes to disk."""

    def __init__(self, memory: str = "4GB", threads: int = 2) -> None:
        self._memory, self._threads = memory, threads

    def screens(self, files: str) -> tuple[list[str], dict[str, Floats]]:
        """`files`: Parquet or CSV, a glob is many; InputUnusable if they cannot be read."""
        with duckdb.connect() as database:
            database.execute(f"SET memory_limit = '{self._memory}'; SET threads = {self._threads}")
            try:
                is_parquet = files.endswith(".parquet")
                given = database.read_parquet(files) if is_parquet else database.read_csv(files)
                given.create_view("bids")
                found = database.execute(SQL).fetchnumpy()
            except duckdb.Error as error:
                raise InputUnusable(path=Path(files), problem=error) from error
        if not len(found["auction_id"]):
            raise InputUnusable(path=Path(files), problem=NO_BIDS)
        names = list(map(str, found["auction_id"].tolist()))
        return names, {code: _filled(found[code]) for code in ARCHIVE_SCREENS}


def _filled(column: Any) -> Floats:
    """What is null there is nan here."""
    return np.asarray(np.ma.filled(column.astype(np.float64), np.nan))
