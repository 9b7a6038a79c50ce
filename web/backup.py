"""备份与恢复 online back-up, and a restore that proves what it brings back.

The copy is a data folder like any other, in the embedded format whatever the store was: entries,
heads, claims, envelopes, policy and charter. Keys are secrets and have a back-up of their own.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from analytics.recheck import Warned
from evaluation.recheck import Evaluations
from trading.audit import Audit, Step
from trading.kernel.errors import Usage
from trading.kernel.files import durable_folder, durable_write, read_chunks, sync_folder
from trading.kernel.objects import Objects, open_objects
from trading.ledger.archive import open_archive
from trading.ledger.carry import from_postgres, into_postgres
from web.migrate import migrate

__all__ = ["back_up", "restore"]

_DATABASE = "ledger.db"
_TEXTS = ("policy.txt", "charter.txt")
_PAGES = 2_000
_COPY = "envelopes"


def back_up(
    data: Path, objects: Objects, out: Path, told: Callable[[str, int], None], database: str = ""
) -> int:
    """While the centre goes on writing: one consistent state, and every envelope it speaks of."""
    if out.exists() and any(out.iterdir()):
        raise Usage(problem=f"{out}: 目录非空 / not empty")
    durable_folder(out)
    size = from_postgres(database, out / _DATABASE) if database else _copied(data, out, told)
    for name in _TEXTS:
        durable_write(out / name, read_chunks(data / name))
    for number, name in enumerate(objects.names(), 1):
        durable_write(out / _COPY / f"{name}.kfe", objects.chunks(name))
        told("envelopes", number)
    sync_folder(out)
    return size


def _copied(data: Path, out: Path, told: Callable[[str, int], None]) -> int:
    source = sqlite3.connect(f"file:{data / _DATABASE}?mode=ro", uri=True)
    target = sqlite3.connect(out / _DATABASE)
    with source, target:
        source.backup(target, pages=_PAGES, progress=lambda _, left, __: told("pages", left))
    size: int = target.execute("SELECT count(*) FROM entry").fetchone()[0]
    target.execute("PRAGMA journal_mode=DELETE")
    for connection in (source, target):
        connection.close()
    return size


def restore(
    copy: Path,
    data: Path,
    report: Callable[[Step], None],
    database: str = "",
    objects: str = "",
) -> None:
    """Into an empty folder (an empty database, the store of envelopes), verified before it is
    there; Broken if the copy is not whole.
    """
    if data.exists() and any(_ledger_files(data)):
        raise Usage(problem=f"{data}: 已有账本，不会覆盖 / has a ledger, and is never overwritten")
    with open_archive(copy) as archive:
        Audit(archive, rooms=[Evaluations(), Warned()]).run(report)
    durable_folder(data)
    if database:
        migrate(database)
        into_postgres(copy / _DATABASE, database)
    store = open_objects(objects) if objects else None
    for path in sorted(copy.rglob("*")):
        target = data / path.relative_to(copy)
        if not path.is_file() or (database and path.name == _DATABASE):
            continue
        if store and path.parent.name == _COPY:
            store.put(path.stem, read_chunks(path))
        else:
            durable_write(target, read_chunks(path))


def _ledger_files(data: Path) -> Iterator[Path]:
    yield from data.glob("ledger.db*")
