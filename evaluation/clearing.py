"""清标 checks of priced bills: arithmetic, what was changed against the owner's bill, prices out of
balance; and the corrections that the law prescribes. Pure; every finding says where it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import msgspec

from evaluation.bill import Bill, BillLine, Section
from trading.kernel.errors import AmountUnreadable
from trading.kernel.money import Money, Rounding

__all__ = ["Correction", "Finding", "Thresholds", "check_bills", "corrected"]

Basis = Literal["mean", "lowest", "second-lowest", "ceiling", "named"]
_CENT = Decimal("0.01")
_HUNDRED = 100
_WHOLE = "总价 total"

_Lines = dict[tuple[str, str], tuple[str, BillLine]]  # by section and code


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit price is out of balance against a basis when it is off by more than `percent`, and its
    line by more than `amount` yuan. `mean` leaves `drop_high` and `drop_low` out where enough bids
    remain; `named` compares with one bidder's bill.
    """

    bases: tuple[Basis, ...] = ("mean",)
    percent: Decimal = Decimal(10)
    amount: Decimal = Decimal(1000)
    drop_high: int = 1
    drop_low: int = 1
    named: str = ""


class Finding(msgspec.Struct, frozen=True):
    """`expected` and `found` as text; `row` in the bidder's own sheet, 0 for JSON."""

    kind: str
    bidder: str
    section: str
    row: int
    code: str
    expected: str
    found: str
    text: str


class Correction(msgspec.Struct, frozen=True):
    """A total as stated and as it counts, with the rule."""

    stated: Decimal
    counts: Decimal
    text: str


def check_bills(
    bills: Sequence[Bill],
    reference: Bill | None = None,
    thresholds: Thresholds | None = None,
) -> list[Finding]:
    """`reference`: the owner's bill, whose prices are the ceilings."""
    thresholds = thresholds or Thresholds()
    found: list[Finding] = []
    lines = {bill.bidder: _by_code(bill) for bill in bills}
    wanted = _by_code(reference) if reference else {}
    for bill in bills:
        found += _arithmetic(bill)
        if reference:
            found += _changes(bill.bidder, lines[bill.bidder], wanted)
    return found + _imbalances(lines, wanted, thresholds)


def corrected(bill: Bill) -> Correction:
    """修正: unit prices stand against totals, words against figures (七部委 12号令 第十九条 [mem]).

    Without a stated total the sum counts.
    """
    amounts = (line.price * line.quantity for section in bill.sections for line in section.lines)
    counts = sum((_cents(amount) for amount in amounts), Decimal(0))
    stated = bill.total if bill.total is not None else counts
    try:
        words = _words(bill)
    except AmountUnreadable:
        return Correction(stated, counts, f"大写 {bill.words} 无法读取 / cannot be read")
    if words is not None and words != stated:
        return Correction(stated, words, f"大写 {bill.words} 为准 / words stand against figures")
    text = "一致 / agrees" if counts == stated else "单价 × 数量为准 / unit prices stand"
    return Correction(stated, counts, text)


def _words(bill: Bill) -> Decimal | None:
    return Money.of_capital(bill.words).decimal if bill.words else None


def _arithmetic(bill: Bill) -> Iterator[Finding]:
    for section in bill.sections:
        seen: set[str] = set()
        for line in section.lines:
            yield from _line_faults(bill.bidder, section.name, line)
            if line.code in seen:
                text = f"{line.code} {line.name} 重复 / twice"
                yield _At(bill.bidder, section.name, line).fault("repeated", "", line.code, text)
            seen.add(line.code)
        total = sum((line.amount for line in section.lines), Decimal(0))
        if section.total is not None and section.total != total:
            yield _sum_fault(bill.bidder, section, total)
    yield from _whole_faults(bill)


def _line_faults(bidder: str, section: str, line: BillLine) -> Iterator[Finding]:
    at = _At(bidder, section, line)
    product = _cents(line.price * line.quantity)
    if product != _cents(line.amount):
        text = f"{line.price} × {line.quantity} = {product}，填 {line.amount} / product differs"
        yield at.fault("product", product, line.amount, text)
    if line.parts:
        parts = sum(line.parts.values(), Decimal(0))
        if _cents(parts) != _cents(line.price):
            text = f"组成合计 {parts}，单价 {line.price} / parts of the unit price"
            yield at.fault("parts", parts, line.price, text)
    for name, value in (("price", line.price), ("quantity", line.quantity)):
        if value <= 0:
            kind = f"negative-{name}" if value < 0 else f"zero-{name}"
            yield at.fault(kind, "> 0", value, f"{name} {value}")


class _At(msgspec.Struct, frozen=True):
    """Where a line stands."""

    bidder: str
    section: str
    line: BillLine

    def fault(self, kind: str, expected: object, found: object, text: str) -> Finding:
        line = self.line
        return Finding(
            kind, self.bidder, self.section, line.row, line.code, f"{expected}", f"{found}", text
        )


def _sum_fault(bidder: str, section: Section, total: Decimal) -> Finding:
    text = f"{section.name} 合计 {section.total}，各项之和 {total} / sum differs"
    return Finding(
        "sum", bidder, section.name, section.row, "", f"{total}", f"{section.total}", text
    )


def _whole_faults(bill: Bill) -> Iterator[Finding]:
    if bill.total is None:
        return
    totals = (
        section.total
        if section.total is not None
        else sum((line.amount for line in section.lines), Decimal(0))
        for section in bill.sections
    )
    total = sum(totals, Decimal(0))
    if total != bill.total:
        text = f"总价 {bill.total}，各表之和 {total} / total differs"
        yield Finding("total", bill.bidder, _WHOLE, 0, "", f"{total}", f"{bill.total}", text)
    try:
        words = _words(bill)
    except AmountUnreadable:
        words = Decimal(-1)
    if words is not None and words != bill.total:
        capital = Money.yuan(max(bill.total, Decimal(0)), Rounding.HALF_UP).capital()
        text = f"大写 {bill.words}，小写 {bill.total} / words and figures differ"
        yield Finding("words", bill.bidder, _WHOLE, 0, "", capital, bill.words, text)


def _changes(bidder: str, given: _Lines, wanted: _Lines) -> Iterator[Finding]:
    """The owner's list is not the bidder's to change."""
    for key, (section, line) in wanted.items():
        own = given.get(key)
        if own is None:
            text = f"{line.code} {line.name} 漏项 / missing"
            yield Finding("missing", bidder, section, 0, line.code, line.code, "", text)
            continue
        for name in ("name", "unit", "quantity"):
            expected, found = getattr(line, name), getattr(own[1], name)
            if expected != found:
                text = f"{line.code} {name}：{expected} 改为 {found} / changed"
                at = _At(bidder, *own)
                yield at.fault(f"changed-{name}", expected, found, text)
    for key, (section, line) in given.items():
        if key not in wanted:
            text = f"{line.code} {line.name} 多出 / not in the list"
            yield _At(bidder, section, line).fault("extra", "", line.code, text)


def _by_code(bill: Bill) -> _Lines:
    return {
        (section.name, line.code): (section.name, line)
        for section in bill.sections
        for line in section.lines
    }


def _imbalances(
    by_bidder: Mapping[str, _Lines], ceilings: _Lines, thresholds: Thresholds
) -> list[Finding]:
    prices: dict[tuple[str, str], list[Decimal]] = {}
    for lines in by_bidder.values():
        for key, (_, line) in lines.items():
            prices.setdefault(key, []).append(line.price)
    named = by_bidder.get(thresholds.named, {})
    bases = {
        key: _bases(sorted(found), ceilings.get(key), named.get(key), thresholds)
        for key, found in prices.items()
    }
    return [
        finding
        for bidder, lines in by_bidder.items()
        for key, (section, line) in lines.items()
        for basis, price in bases[key].items()
        if (finding := _imbalance(_At(bidder, section, line), basis, price, thresholds))
    ]


def _bases(
    prices: Sequence[Decimal],
    ceiling: tuple[str, BillLine] | None,
    named: tuple[str, BillLine] | None,
    thresholds: Thresholds,
) -> Mapping[str, Decimal]:
    """What one line's unit price is held against; a basis that does not exist is left out."""
    found: dict[str, Decimal] = {}
    for basis in thresholds.bases:
        if basis == "mean" and len(prices) > 1:
            found[basis] = _mean(prices, thresholds)
        elif basis == "lowest" and len(prices) > 1:
            found[basis] = prices[0]
        elif basis == "second-lowest" and len(prices) > 1:
            found[basis] = prices[1]
        elif basis == "ceiling" and ceiling:
            found[basis] = ceiling[1].price
        elif basis == "named" and named:
            found[basis] = named[1].price
    return found


def _mean(prices: Sequence[Decimal], thresholds: Thresholds) -> Decimal:
    high, low = thresholds.drop_high, thresholds.drop_low
    kept = prices[low : len(prices) - high] if len(prices) > high + low else prices
    return sum(kept, Decimal(0)) / len(kept)


def _imbalance(at: _At, basis: str, price: Decimal, thresholds: Thresholds) -> Finding | None:
    line = at.line
    if price <= 0 or abs(line.price - price) * _HUNDRED <= thresholds.percent * price:
        return None
    if abs(line.price - price) * line.quantity <= thresholds.amount:
        return None
    expected = _cents(price)
    off = ((line.price - price) * _HUNDRED / price).quantize(_CENT, ROUND_HALF_UP)
    text = f"{line.code} 单价 {line.price}，{basis} {expected}，偏离 {off}% / unbalanced"
    return at.fault(f"unbalanced-{basis}", expected, line.price, text)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
