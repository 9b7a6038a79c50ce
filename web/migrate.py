"""Bringing a PostgreSQL database to the schema of this release; safe to run from many processes."""

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from trading.kernel.errors import StoreUnreachable
from trading.ledger.postgres import GONE, connect

__all__ = ["migrate"]

_LOCK = 0x6B666E67  # one migration at a time; any number will do


def migrate(url: str) -> None:
    """StoreUnreachable if no host answers that takes writes."""
    try:
        asyncio.run(_migrate(url))
    except GONE as error:
        raise StoreUnreachable(problem=error or type(error).__name__) from error


async def _migrate(url: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(url),
    )
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)
    await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
