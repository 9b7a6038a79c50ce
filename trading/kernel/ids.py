"""Identifiers: UUIDv7 (RFC 9562) as text, minted through a port so that tests can repeat them."""

import os
import uuid
from typing import NewType, Protocol

from trading.kernel.instant import Clock

__all__ = ["Ids", "PartyId", "SystemIds", "TenderId", "TenderNumber"]

TenderId = NewType("TenderId", str)
PartyId = NewType("PartyId", str)
TenderNumber = NewType("TenderNumber", str)  # 招标编号, the public number; given, never minted


class Ids(Protocol):
    """Must never return the same id twice; ids of one process sort by time."""

    def mint(self) -> str: ...


class SystemIds:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def mint(self) -> str:
        millis = int(self._clock.read().at.timestamp() * 1000)
        bits = int.from_bytes(millis.to_bytes(6, "big") + os.urandom(10), "big")
        bits = bits & ~(0xF << 76) | 0x7 << 76  # version 7
        bits = bits & ~(0x3 << 62) | 0x2 << 62  # RFC 9562 variant
        return str(uuid.UUID(int=bits))
