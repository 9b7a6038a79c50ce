"""制作记录 what a bid was made on: machine, disk, network card and pricing dongle, each hashed with
the tender's id, so that bids of one tender can be compared and nothing else can be learnt.

It is written into the bidder's own folder, in sight, and sealed with the rest.
"""

import hashlib
import json
import uuid
from pathlib import Path

import msgspec

from trading.kernel.errors import InputUnusable

__all__ = ["RECORD", "write_record"]

RECORD = "maker.json"
_MACHINE = Path("/etc/machine-id")
_DISKS = Path("/sys/block")


def write_record(folder: Path, tender: str, dongle: str) -> None:
    """Beside what the bidder has written there (payer, staff); InputUnusable if that is no record.
    Facts that cannot be read are left out: an empty one equals nothing.
    """
    known = {"machine": _machine(), "mac": _card(), "disk": _disk(), "dongle": dongle}
    path = folder / RECORD
    record = _written(path) | {
        name: _hashed(tender, name, value) for name, value in known.items() if value
    }
    text = json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(f"{text}\n", "utf-8")


def _written(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise InputUnusable(path=path, problem=error) from error


def _hashed(tender: str, name: str, value: str) -> str:
    message = f"kaifeng maker v1\n{tender}\n{name}\n{value}".encode()
    return hashlib.sha256(message).hexdigest()


def _machine() -> str:
    return _MACHINE.read_text("utf-8").strip() if _MACHINE.exists() else ""


def _card() -> str:
    """A number made up for want of a card has its multicast bit set (RFC 9562)."""
    number = uuid.getnode()
    return "" if number >> 40 & 1 else f"{number:012x}"


def _disk() -> str:
    for path in sorted(_DISKS.glob("*/device/serial")):
        serial = path.read_text("utf-8", "replace").strip()
        if serial:
            return serial
    return ""
