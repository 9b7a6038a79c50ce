"""Real tenders as cases to be replayed: from OCDS releases, records and packages, and bid tables.

A case keeps what the record says, faults included: a bid that cannot be read is reported, the
others go on.
"""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from trading.kernel.errors import AmountUnreadable, BidUnreadable, RecordUnreadable, Refusal
from trading.kernel.money import Money, Rounding

__all__ = ["Bid", "Case", "LotCase", "read_cases"]

Json = dict[str, Any]
_NOT_BIDS = {"withdrawn", "invited", "draft", "deleted"}
_DISQUALIFIED = {"disqualified", "not-qualified", "unsuccessful", "invalid", "cancelled"}


class Bid(msgspec.Struct, frozen=True):
    id: str
    bidder_id: str
    bidder_name: str
    lot: str
    price: Money | None
    disqualified: str  # why, in the record's words; empty if it was not
    aliases: frozenset[str] = frozenset()


class LotCase(msgspec.Struct, frozen=True):
    """`winner` is the bidder id of the record's active award; `award_names` name it."""

    key: str
    title: str
    winner: str = ""
    winner_name: str = ""
    winning_price: Money | None = None


class Case(msgspec.Struct, frozen=True):
    """One tender that has bids. `faults` are refusals met while reading it."""

    name: str
    title: str
    buyer: str
    method: str
    status: str
    currency: str
    estimate: Money | None
    lots: tuple[LotCase, ...]
    bids: tuple[Bid, ...]
    faults: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """A file's cases and how many of its tenders have no bids."""

    cases: tuple[Case, ...]
    without_bids: int


def read_cases(path: Path) -> Reading:
    """RecordUnreadable (KF-800) for a file that is neither OCDS nor a bid table."""
    try:
        if path.name.endswith((".csv", ".csv.gz")):
            return _read_table(path)
        whole = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError, EOFError, RecursionError, csv.Error) as error:
        raise RecordUnreadable(path=path, problem=error) from error
    found = list(_tenders(whole))
    if not found:
        raise RecordUnreadable(
            path=path, problem="没有 releases 或 records / no releases, no records"
        )
    cases = [case for compiled in found if (case := _case(compiled))]
    return Reading(tuple(cases), len(found) - len(cases))


def _tenders(whole: Any) -> Iterator[Json]:
    """One compiled release for each contracting process."""
    if isinstance(whole, list):
        for item in whole:
            yield from _tenders(item)
    if not isinstance(whole, dict):
        return
    if isinstance(whole.get("compiledRelease"), dict):
        yield whole["compiledRelease"]
    elif isinstance(whole.get("records"), list):
        for record in whole["records"]:
            yield from _tenders(record)
    elif isinstance(whole.get("releases"), list):
        yield from _merged(item for item in whole["releases"] if isinstance(item, dict))
    elif "ocid" in whole and ("tender" in whole or "bids" in whole):
        yield whole


def _merged(releases: Iterable[Json]) -> Iterator[Json]:
    """Releases of one process in order: later ones add to earlier ones, by id in lists."""
    processes: dict[str, Json] = {}
    for release in releases:
        name = str(release.get("ocid"))
        processes[name] = _merge(processes[name], release) if name in processes else release
    yield from processes.values()


def _merge(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _merge(old.get(key), value) for key, value in new.items()}
    if _has_ids(old) and _has_ids(new):
        merged = {str(item["id"]): item for item in old}
        for item in new:
            merged[str(item["id"])] = _merge(merged.get(str(item["id"])), item)
        return list(merged.values())
    return new


def _has_ids(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "id" in item for item in value)
    )


def _section(raw: Any, key: str) -> Json:
    """The object under the key, or an empty one: records hold anything."""
    value = raw.get(key) if isinstance(raw, dict) else None
    return value if isinstance(value, dict) else {}


def _objects(raw: Any, key: str) -> list[Json]:
    """The objects of the list under the key."""
    value = raw.get(key) if isinstance(raw, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _case(release: Json) -> Case | None:
    bids_section = release.get("bids")
    details = bids_section.get("details") if isinstance(bids_section, dict) else bids_section
    if not isinstance(details, list) or not details:
        return None
    tender = _section(release, "tender")
    rejected = _unsuccessful(release)
    bids, faults = [], []
    for number, raw in enumerate(details, 1):
        try:
            bid = _bid(raw, number, rejected)
        except Refusal as refusal:
            faults.append(str(refusal))
            continue
        if bid:
            bids.append(bid)
    value = _section(tender, "value")
    currencies = [_section(raw, "value").get("currency") for raw in details]
    currency = value.get("currency") or next(filter(None, currencies), None) or "CNY"
    return Case(
        name=str(release.get("ocid")),
        title=str(tender.get("title") or tender.get("description") or release.get("ocid"))[:200],
        buyer=str(_section(release, "buyer").get("name") or "—"),
        method=str(tender.get("procurementMethod") or ""),
        status=str(tender.get("status") or ""),
        currency=str(currency),
        estimate=_estimate(value),
        lots=tuple(_lots(release, tender, bids)),
        bids=tuple(bids),
        faults=tuple(faults),
    )


def _bid(raw: Any, number: int, rejected: dict[str, str]) -> Bid | None:
    if not isinstance(raw, dict):
        raise BidUnreadable(path="", bid=number, problem="不是对象 / not an object")
    status = str(raw.get("status") or "")
    if status in _NOT_BIDS:
        return None
    name = str(raw.get("id") or number)
    first = next(iter(_objects(raw, "tenderers")), {})
    bidder = _organization_id(first) or f"bidder-{name}"
    reasons = [rejected[alias] for alias in sorted(_aliases(first)) if alias in rejected]
    if status in _DISQUALIFIED:
        reasons.append(f"bid: {status}")
    return Bid(
        id=name,
        bidder_id=bidder,
        bidder_name=str(first.get("name") or bidder).strip(),
        lot=next(iter(_lot_keys(raw)), ""),
        price=_price(_section(raw, "value"), name),
        disqualified=next(iter(reasons), ""),
        aliases=_aliases(first),
    )


def _price(value: Json, name: str) -> Money | None:
    amount = value.get("amount")
    if amount is None:
        return None
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
        raise BidUnreadable(path="", bid=name, problem=f"amount = {amount!r}")
    try:
        return Money.yuan(amount, Rounding.HALF_UP)
    except AmountUnreadable as error:
        raise BidUnreadable(path="", bid=name, problem=error.text("en")) from error


def _estimate(value: Json) -> Money | None:
    amount = value.get("amount")
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)) or amount <= 0:
        return None
    try:
        return Money.yuan(amount, Rounding.HALF_UP)
    except AmountUnreadable:
        return None


def _organization_id(party: Json) -> str:
    inner = _section(party, "identifier").get("id")
    return str(party.get("id") or inner or party.get("name") or "").strip()


def _aliases(party: Json) -> frozenset[str]:
    """All the ways one record may name an organization."""
    identifier = _section(party, "identifier")
    scheme, inner = identifier.get("scheme"), identifier.get("id")
    names = [party.get("id"), inner, f"{scheme}-{inner}" if scheme else None, party.get("name")]
    return frozenset(str(name).strip() for name in names if name)


def _lot_keys(raw: Json) -> list[str]:
    """Lots are named in several ways: relatedLots of strings or objects, relatedLot, by items."""
    related = raw.get("relatedLots")
    if not isinstance(related, list):
        related = [raw.get("relatedLot") or raw.get("lotID")]
    keys = [item.get("lotId") if isinstance(item, dict) else item for item in related]
    items = [item.get("relatedLot") for item in _objects(raw, "items")]
    return [str(key) for key in (*keys, *items) if key]


def _unsuccessful(release: Json) -> dict[str, str]:
    """Bidders whose award the record calls unsuccessful or cancelled, and who got no active one;
    with the record's own words for it.
    """
    lost: dict[str, str] = {}
    won: set[str] = set()
    for award in _objects(release, "awards"):
        names = {name for party in _objects(award, "suppliers") for name in _aliases(party)}
        status = str(award.get("status"))
        if status == "active":
            won |= names
        elif status in _DISQUALIFIED:
            said = str(award.get("description") or award.get("title") or "").strip()
            lost |= dict.fromkeys(names, said or f"award: {status}")
    return {name: reason for name, reason in lost.items() if name not in won}


def _lots(release: Json, tender: Json, bids: list[Bid]) -> Iterator[LotCase]:
    """The lots that have bids; a tender without lots is one lot."""
    titles = {
        str(lot.get("id")): str(lot.get("title") or lot.get("id"))
        for lot in _objects(tender, "lots")
    }
    keys = list(dict.fromkeys(bid.lot for bid in bids)) or [""]
    awards = [a for a in _objects(release, "awards") if a.get("status") == "active"]
    for key in keys:
        award = _award_of(key, awards, bids, single=len(keys) == 1)
        supplier = next(iter(_objects(award, "suppliers")), {})
        named = [
            bid.bidder_id for bid in bids if bid.lot == key and bid.aliases & _aliases(supplier)
        ]
        yield LotCase(
            key=key,
            title=titles.get(key) or "全部 / all",
            winner=named[0] if named else _organization_id(supplier),
            winner_name=str(supplier.get("name") or "").strip(),
            winning_price=_estimate(_section(award, "value")),
        )


def _award_of(key: str, awards: list[Json], bids: list[Bid], *, single: bool) -> Json | None:
    for award in awards:
        if key in _lot_keys(award) or (single and not _lot_keys(award)):
            return award
    ids = {bid.id for bid in bids if bid.lot == key}
    prices = {bid.price for bid in bids if bid.lot == key}
    for award in awards:  # an award without a lot: by its bid, or by its amount
        if not _lot_keys(award) and award.get("relatedBid", award.get("bidID")) in ids:
            return award
    for award in awards:
        if not _lot_keys(award) and _estimate(_section(award, "value")) in prices - {None}:
            return award
    return awards[0] if single and awards else None


def _read_table(path: Path) -> Reading:
    """A bid table: auction_id, bid, winner, and perhaps bidder_id and control_price."""
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if not {"auction_id", "bid", "winner"} <= set(rows.fieldnames or ()):
            raise RecordUnreadable(path=path, problem="auction_id, bid, winner?")
        auctions: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            auctions.setdefault(row["auction_id"], []).append(row)
    return Reading(tuple(_auction(name, rows) for name, rows in auctions.items()), 0)


def _auction(name: str, rows: list[dict[str, str]]) -> Case:
    bids, faults, winner = [], [], ""
    for number, row in enumerate(rows, 1):
        bidder = row.get("bidder_id") or f"{name}-bidder-{number}"
        try:
            price = Money.yuan(row["bid"], Rounding.HALF_UP)
        except AmountUnreadable as error:
            faults.append(str(BidUnreadable(path="", bid=number, problem=error.text("en"))))
            continue
        bids.append(Bid(str(number), bidder, bidder, "", price, disqualified=""))
        if row["winner"] in ("1", "1.0", "True", "true"):
            winner = bidder
    control = rows[0].get("control_price") or ""
    estimate = Money.yuan(control, Rounding.HALF_UP) if control else None
    lot = LotCase("", "全部 / all", winner, winner)
    return Case(name, name, "—", "open", "", "CNY", estimate, (lot,), tuple(bids), tuple(faults))
