"""雷同 what two bids have in common that independent work would not have (条例 第四十条).

Each finding says where, in both; 认定级 names what the law itself deems collusion, 线索级 what
people should look into. Nothing here rejects a bid.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

import msgspec

from analytics.bill_likeness import bill_likeness, totals_in_steps
from analytics.dossier import Dossier, Maker, Passage
from analytics.finding import CLUE, HARD, Finding
from analytics.text_likeness import text_likeness

__all__ = ["Rule", "likeness"]


class Rule(msgspec.Struct, frozen=True):
    """One field of the maker's record that two bidders should not share."""

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
_HALF = 2


def likeness(dossiers: Sequence[Dossier], background: Sequence[Passage]) -> list[Finding]:
    """Of every pair, the gravest first."""
    found = [
        *(finding for rule in _RULES for finding in _equal(rule, dossiers)),
        *_staff(dossiers),
        *bill_likeness([one.bill for one in dossiers if one.bill]),
        *totals_in_steps([one.bill for one in dossiers if one.bill]),
        *text_likeness(dossiers, background),
    ]
    return sorted(found, key=lambda one: (one.grade != HARD, one.first, one.second, one.kind))


def _equal(rule: Rule, dossiers: Sequence[Dossier]) -> Iterator[Finding]:
    """What more than half share comes from a place that they all went to, an agent's office."""
    values: dict[str, list[str]] = {}
    for one in dossiers:
        value = getattr(one.maker, rule.field)
        if value:
            values.setdefault(value, []).append(one.bidder)
    for bidders in values.values():
        is_many = len(bidders) > _HALF and len(bidders) * _HALF > len(dossiers)
        is_place = rule.grade == CLUE and is_many
        for first, second in combinations(bidders, 2) if not is_place else ():
            yield _maker_finding(rule, first, second)


def _maker_finding(rule: Rule, first: str, second: str) -> Finding:
    where = f"maker.json {rule.field}"
    return Finding(
        rule.field, rule.grade, first, second, where, where, rule.zh, rule.en, rule.article
    )


def _staff(dossiers: Sequence[Dossier]) -> Iterator[Finding]:
    for first, second in combinations(dossiers, 2):
        shared = _shared(first.maker, second.maker)
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


def _shared(first: Maker, second: Maker) -> list[str]:
    return sorted(set(first.staff) & set(second.staff) - {""})
