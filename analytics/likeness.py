"""雷同 what two bids have in common that independent work would not have (条例 第四十条).

Each finding says where, in both; 认定级 names what the law itself deems collusion, 线索级 what
people should look into. Nothing here rejects a bid.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import msgspec

from analytics.bill_likeness import bill_likeness, totals_in_cluster, totals_in_steps
from analytics.dossier import Dossier, Seen
from analytics.finding import CLUE, HARD, Finding
from analytics.rare_likeness import rare_likeness
from analytics.text_likeness import text_likeness

__all__ = ["Rule", "likeness"]


class Rule(msgspec.Struct, frozen=True):
    """One field, of the maker's record or of a file, that two bidders should not share."""

    field: str
    grade: str
    zh: str
    en: str
    article: str


_RULES = (
    Rule("machine", HARD, "同一台计算机", "one machine", "条例 第四十条（一）"),
    Rule("disk", HARD, "同一块硬盘", "one disk", "条例 第四十条（一）"),
    Rule("dongle", HARD, "同一把计价软件加密锁", "one pricing dongle", "条例 第四十条（一）"),
    Rule("mac", CLUE, "同一网卡地址", "one network address", "条例 第四十条（一）"),
    Rule("author", CLUE, "同一文件作者", "one author", "条例 第四十条（一）"),
    Rule("saved_by", CLUE, "同一最后保存者", "one last saver", "条例 第四十条（一）"),
    Rule(
        "payer", HARD, "保证金由同一账户转出", "one account paid the bonds", "条例 第四十条（六）"
    ),
)
_PROPERTIES = (
    Rule("company", CLUE, "同一编制单位", "one company as the maker", "条例 第四十条（一）"),
    Rule("created", CLUE, "文件在同一秒创建", "made in the same second", "条例 第四十条（一）"),
    Rule("identifier", CLUE, "同一 PDF 文件标识", "one PDF identifier", "条例 第四十条（四）"),
)
_PICTURE = Rule("picture", CLUE, "同一张图片", "one picture", "条例 第四十条（四）")
_HALF = 2


def likeness(dossiers: Sequence[Dossier], background: Dossier) -> list[Finding]:
    """Of every pair, the gravest first; `background`: what the tender itself gave everybody."""
    bills = [one.bill for one in dossiers if one.bill]
    stepped = list(totals_in_steps(bills))
    found = [
        *(finding for rule in _RULES for finding in _equal(rule, dossiers)),
        *_in_files(dossiers, background),
        *_staff(dossiers),
        *bill_likeness(bills),
        *(stepped or totals_in_cluster(bills)),
        *text_likeness(dossiers, background.passages),
        *rare_likeness(dossiers, background.passages),
    ]
    return sorted(found, key=lambda one: (one.grade != HARD, one.first, one.second, one.kind))


def _equal(rule: Rule, dossiers: Sequence[Dossier]) -> Iterator[Finding]:
    """What more than half share comes from a place that they all went to, an agent's office."""
    values: dict[str, list[str]] = {}
    for one in dossiers:
        for value in sorted({getattr(maker, rule.field) for maker in one.makers} - {""}):
            values.setdefault(value, []).append(one.bidder)
    pairs: dict[tuple[str, str], None] = {}
    for bidders in values.values():
        if rule.grade == HARD or not _are_most(bidders, dossiers):
            pairs |= dict.fromkeys(combinations(bidders, 2))
    for first, second in pairs:
        where = f"maker.json {rule.field}"
        yield _finding(rule, first, second, where, where)


def _are_most(bidders: Sequence[str], dossiers: Sequence[Dossier]) -> bool:
    return len(bidders) > _HALF and len(bidders) * _HALF > len(dossiers)


def _in_files(dossiers: Sequence[Dossier], background: Dossier) -> Iterator[Finding]:
    for rule in _PROPERTIES:
        yield from _seen_twice(rule, dossiers, background, _property(rule.field))
    yield from _seen_twice(_PICTURE, dossiers, background, lambda one: one.pictures)


def _property(field: str) -> Callable[[Dossier], Sequence[Seen]]:
    return lambda one: [seen for seen in one.properties if seen.place == field]


def _seen_twice(
    rule: Rule,
    dossiers: Sequence[Dossier],
    background: Dossier,
    of: Callable[[Dossier], Sequence[Seen]],
) -> Iterator[Finding]:
    """What the tender gave, or most bidders have, is a template's; one finding for each pair."""
    given = {seen.value for seen in of(background)}
    holders: dict[str, dict[str, Seen]] = {}
    for one in dossiers:
        for seen in of(one):
            if seen.value not in given:
                holders.setdefault(seen.value, {}).setdefault(one.bidder, seen)
    told: set[tuple[str, str]] = set()
    for held in holders.values():
        for first, second in combinations(held, 2) if not _are_most([*held], dossiers) else ():
            if (first, second) not in told:
                told.add((first, second))
                where = [f"{held[name].file} {held[name].place}" for name in (first, second)]
                yield _finding(rule, first, second, where[0], where[1])


def _finding(rule: Rule, first: str, second: str, where: str, where_second: str) -> Finding:
    return Finding(
        rule.field,
        rule.grade,
        first,
        second,
        where,
        where_second,
        rule.zh,
        rule.en,
        rule.article,
    )


def _staff(dossiers: Sequence[Dossier]) -> Iterator[Finding]:
    for first, second in combinations(dossiers, 2):
        shared = _shared(first, second)
        if shared:
            where, names = "maker.json staff", "、".join(shared)
            yield Finding(
                "staff",
                HARD,
                first.bidder,
                second.bidder,
                where,
                where,
                f"项目管理成员为同一人：{names}",
                f"one person in both teams: {names}",
                "条例 第四十条（三）",
            )


def _shared(first: Dossier, second: Dossier) -> list[str]:
    one, other = ({who for maker in each.makers for who in maker.staff} for each in (first, second))
    return sorted(one & other - {""})
