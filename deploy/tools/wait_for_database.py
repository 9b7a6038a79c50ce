"""`wait_for_database.py URL`: until one of the URL's hosts takes writes.

A node refuses to start without its database; this waits before it, after a power cut for example.
"""
# ruff: noqa: INP001  a script, not a package

import asyncio
import sys

from trading.ledger.postgres import GONE, connect


async def wait(url: str) -> None:
    while True:
        try:
            connection = await connect(url)
        except GONE:
            await asyncio.sleep(1)
            continue
        await connection.close()
        return


if __name__ == "__main__":
    asyncio.run(wait(sys.argv[1]))
