"""清单规律 prices of two bills that follow each other: equal, in one ratio, at one distance; slips
that both made; totals in equal steps, or in a cluster (条例 第四十条（四）).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations, pairwise

import numpy as np

from analytics.average_bid import cluster
from analytics.finding import CLUE, HARD, Finding
from evaluation.bill import Bill, BillLine

__all__ = ["bill_likeness", "totals_in_cluster", "totals_in_steps"]

_ARTICLE = "条例 第四十条（四）"
_FEWEST = 20  # lines in common, for a pattern to mean something
_SHARE = Decimal("0.6")
_RATIO, _CENT, _ROUGH = Decimal("0.0001"), Decimal("0.01"), Decimal("0.001")
_BLUR = Decimal("0.00002")
_STEP = Decimal("0.00005")  # of the mean step
_SHOWN = 3
_SLIPS = 2
_RARE = 0.01  # of chance

Key = tuple[str, str]  # section and code
Lines = Mapping[Key, BillLine]


def bill_likeness(bills: Sequence[Bill]) -> Iterator[Finding]:
    lines = {bill.bidder: _lines(bill) for bill in bills}
    usual = _usual(list(lines.values()))
    for first, second in combinations(lines, 2):
        keys = [key for key in lines[first] if key in lines[second]]
        yield from _slips(first, second, lines[first], lines[second], keys)
        own = [key for key in keys if key not in usual]
        if len(own) >= _FEWEST:
            yield from _prices(first, second, lines[first], lines[second], own)


def _lines(bill: Bill) -> dict[Key, BillLine]:
    return {
        (section.name, line.code): line
        for section in bill.sections
        for line in section.lines
        if line.price > 0
    }


def _usual(bills: Sequence[Lines]) -> set[Key]:
    """Lines that more than half price alike: set by the owner, or by a public price list."""
    prices: dict[Key, Counter[Decimal]] = {}
    for lines in bills:
        for key, line in lines.items():
            prices.setdefault(key, Counter())[line.price] += 1
    return {
        key
        for key, counts in prices.items()
        if len(bills) > 2 and max(counts.values()) * 2 > len(bills)
    }


def _prices(
    first: str, second: str, one: Lines, other: Lines, keys: Sequence[Key]
) -> Iterator[Finding]:
    """The commonest ratio and distance; equal prices are the ratio of one."""
    ratio = _ratio(one, other, keys)
    alike = [key for key in keys if _follows(one[key].price, other[key].price, ratio)]
    share = Decimal(len(alike)) / len(keys)
    offsets = {key: _to(other[key].price - one[key].price, _CENT) for key in keys}
    offset, offset_share = _commonest(offsets)
    if share >= _SHARE and share >= offset_share:
        if _to(ratio, _RATIO) == 1:
            zh, en = f"{share:.0%} 的综合单价完全相同", f"{share:.0%} of unit prices are equal"
            yield _found("equal-prices", first, second, one, other, alike, zh, en)
        else:
            zh = f"{share:.0%} 的综合单价成同一比例 {_to(ratio, _RATIO)}"
            en = f"{share:.0%} of unit prices in one ratio, {_to(ratio, _RATIO)}"
            yield _found("equal-ratio", first, second, one, other, alike, zh, en)
    elif offset_share >= _SHARE:
        alike = [key for key in keys if offsets[key] == offset]
        zh = f"{offset_share:.0%} 的综合单价相差同一金额 {offset} 元"
        en = f"{offset_share:.0%} of unit prices at one distance, {offset} yuan"
        yield _found("equal-offset", first, second, one, other, alike, zh, en)


def _ratio(one: Lines, other: Lines, keys: Sequence[Key]) -> Decimal:
    """The middle of the commonest ratios, which rounding to the cent blurs in small prices."""
    ratios = {key: other[key].price / one[key].price for key in keys}
    rough, _ = _commonest({key: _to(ratio, _ROUGH) for key, ratio in ratios.items()})
    near = sorted(ratio for ratio in ratios.values() if abs(ratio - rough) <= _ROUGH)
    return near[len(near) // 2]


def _follows(price: Decimal, other: Decimal, ratio: Decimal) -> bool:
    return abs(other - ratio * price) <= _CENT + _BLUR * price


def _slips(
    first: str, second: str, one: Lines, other: Lines, keys: Sequence[Key]
) -> Iterator[Finding]:
    """The same wrong product in the same lines: nobody miscalculates alike by chance."""
    alike = [key for key in keys if _slip(one[key]) and _slip(one[key]) == _slip(other[key])]
    if len(alike) >= _SLIPS:
        zh = f"{len(alike)} 处相同的算术错误"
        en = f"{len(alike)} arithmetic slips in common"
        yield _found("shared-slips", first, second, one, other, alike, zh, en, HARD)


def _slip(line: BillLine) -> Decimal:
    return line.amount - _to(line.price * line.quantity, _CENT)


def _found(  # noqa: PLR0913  two sides of everything
    kind: str,
    first: str,
    second: str,
    one: Lines,
    other: Lines,
    alike: Sequence[Key],
    zh: str,
    en: str,
    grade: str = CLUE,
) -> Finding:
    sides = [
        "；".join(
            f"{section} {code}: {lines[section, code].price}" for section, code in alike[:_SHOWN]
        )
        for lines in (one, other)
    ]
    return Finding(kind, grade, first, second, sides[0], sides[1], zh, en, _ARTICLE)


def totals_in_steps(bills: Sequence[Bill]) -> Iterator[Finding]:
    """Three totals or more at equal distances."""
    totals = sorted((bill.total, bill.bidder) for bill in bills if bill.total)
    for size in range(len(totals), 2, -1):
        for start in range(len(totals) - size + 1):
            run = totals[start : start + size]
            steps = [after - before for (before, _), (after, _) in pairwise(run)]
            mean = sum(steps, Decimal(0)) / len(steps)
            if mean > 0 and all(abs(step - mean) <= _STEP * mean for step in steps):
                yield _stepped(run, mean)
                return


def totals_in_cluster(bills: Sequence[Bill]) -> Iterator[Finding]:
    """Three totals of eight or more closer together than independent ones lie: around a benchmark,
    or a coefficient, that they were not to know.
    """
    known = [(bill.total, bill.bidder) for bill in bills if bill.total]
    found = cluster(np.array([float(total) for total, _ in known]))
    if found and found.chance <= _RARE:
        close = [known[place] for place in found.places]
        said = "、".join(f"{bidder} {total}" for total, bidder in close)
        zh = f"总价成簇：{said}，相差 {found.span:.3%}，偶然如此的概率约 {found.likelihood}"
        en = f"totals in a cluster, {found.span:.3%} apart; by chance about {found.likelihood}"
        (low, first), (high, second) = close[0], close[-1]
        yield Finding(
            "clustered-totals", CLUE, first, second, f"{low}", f"{high}", zh, en, _ARTICLE
        )


def _stepped(run: Sequence[tuple[Decimal, str]], step: Decimal) -> Finding:
    said = "、".join(f"{bidder} {total}" for total, bidder in run)
    zh, en = (
        f"总价成等差：{said}，公差 {_to(step, _CENT)}",
        f"totals in equal steps of {_to(step, _CENT)}",
    )
    (low, first), (high, second) = run[0], run[-1]
    return Finding("stepped-totals", CLUE, first, second, f"{low}", f"{high}", zh, en, _ARTICLE)


def _commonest(values: Mapping[Key, Decimal]) -> tuple[Decimal, Decimal]:
    value, count = Counter(values.values()).most_common(1)[0]
    return value, Decimal(count) / len(values)


def _to(value: Decimal, places: Decimal) -> Decimal:
    return value.quantize(places, ROUND_HALF_UP)
