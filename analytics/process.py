"""一次采购 one contracting process as OCDS writes it: what flags read of a compiled release.

A field of another type than the standard's counts as missing, and nothing here ever fails: files
come from anywhere. Lots are not read.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

__all__ = ["Bid", "Process", "items_of", "text"]

_NOT_SUBMITTED = ("invited", "withdrawn")
_SETTLED = ("cancelled", "unsuccessful")

Money = tuple[float, str]  # amount, currency


def text(holder: Any, name: str) -> str | None:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else None


def items_of(holder: Any, name: str) -> list[Any] | None:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else None


def _ids(holder: Any, name: str) -> list[str] | None:
    """The text ids of a list of organizations; None if there is no list."""
    found = items_of(holder, name)
    if found is None:
        return None
    return [known for known in (text(item, "id") for item in found) if known is not None]


class Bid:
    """One entry of `bids.details`."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self._entry = entry
        self.status = text(entry, "status")
        self.date = text(entry, "date")
        self.tenderers = _ids(entry, "tenderers")

    @property
    def is_submitted(self) -> bool:
        return self.status is not None and self.status not in _NOT_SUBMITTED

    @property
    def tenderer(self) -> str | None:
        """Of a bid by exactly one tenderer."""
        listed = items_of(self._entry, "tenderers") or []
        return self.tenderers[0] if len(listed) == 1 and self.tenderers else None

    @property
    def money(self) -> Money | None:
        value = self._entry.get("value")
        amount = value.get("amount") if isinstance(value, dict) else None
        currency = text(value, "currency")
        is_number = isinstance(amount, (int, float)) and not isinstance(amount, bool)
        if not is_number or currency is None:
            return None
        try:
            number = float(amount)  # type: ignore[arg-type]
        except OverflowError:
            return None
        return (number, currency) if math.isfinite(number) else None


class Process:
    """`ocid` names it; the release behind it is JSON of any shape."""

    def __init__(self, ocid: str, release: dict[str, Any]) -> None:
        self.ocid, self.release = ocid, release
        tender = release.get("tender")
        self.tender: dict[str, Any] = tender if isinstance(tender, dict) else {}
        self.details = text(self.tender, "procurementMethodDetails")

    @property
    def is_cancelled(self) -> bool:
        return self.tender.get("status") == "cancelled"

    def period(self, name: str) -> str | None:
        return text(self.tender.get("tenderPeriod"), name)

    @cached_property
    def bids(self) -> list[Bid] | None:
        found = items_of(self.release.get("bids"), "details")
        if found is None:
            return None
        return [Bid(entry) for entry in found if isinstance(entry, dict)]

    @property
    def submitted(self) -> list[Bid]:
        return [bid for bid in self.bids or [] if bid.is_submitted]

    @property
    def valid(self) -> list[Bid]:
        return [bid for bid in self.bids or [] if bid.status == "valid"]

    @property
    def awards(self) -> list[dict[str, Any]] | None:
        found = items_of(self.release, "awards")
        return None if found is None else [one for one in found if isinstance(one, dict)]

    @property
    def active(self) -> list[dict[str, Any]]:
        return [award for award in self.awards or [] if award.get("status") == "active"]

    @property
    def final(self) -> list[dict[str, Any]] | None:
        """The active awards, once no other can still change; None until then, or without bids."""
        if self.awards is None or self.bids is None:
            return None
        statuses = [text(award, "status") for award in self.awards]
        open_ones = [s for s in statuses if s is not None and s not in ("active", *_SETTLED)]
        return None if open_ones else self.active

    @property
    def winner(self) -> str | None:
        """Of the only active award, with its only supplier."""
        final = self.final or []
        return sole_supplier(final[0]) if len(final) == 1 else None

    def organization(self, holder: str) -> str | None:
        """`buyer`, or `procuringEntity` of the tender."""
        place = self.release if holder == "buyer" else self.tender
        return text(place.get(holder), "id")


def suppliers(award: dict[str, Any]) -> list[str]:
    return _ids(award, "suppliers") or []


def sole_supplier(award: dict[str, Any]) -> str | None:
    listed = items_of(award, "suppliers") or []
    return text(listed[0], "id") if len(listed) == 1 else None


def by_tenderers(bids: list[Bid]) -> Iterator[str]:
    for bid in bids:
        yield from bid.tenderers or []
