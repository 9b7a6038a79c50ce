"""Rules of law as data: value, article, effective dates, and how sure we are of the text."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from trading.kernel.calendar import BEIJING, Period

__all__ = ["Article", "Articles", "Mark", "Rule", "Statute"]


class Mark(StrEnum):
    SEEN = "seen"  # read in the legal text
    SECONDARY = "sec"  # a secondary source
    MEMORY = "mem"  # recalled, not verified
    NONE = "none"  # no law of this country


class Rule(msgspec.Struct, frozen=True):
    value: Period | int
    article: str
    since: date
    mark: Mark

    @property
    def number(self) -> int:
        return self.value.amount if isinstance(self.value, Period) else self.value

    @property
    def period(self) -> Period:
        return self.value if isinstance(self.value, Period) else Period(self.value)


class Article(msgspec.Struct, frozen=True):
    """An article that carries no number; printed with its mark unless the text was seen."""

    text: str
    mark: Mark

    def __str__(self) -> str:
        return self.text if self.mark is Mark.SEEN else f"{self.text} [{self.mark}]"


class Articles(msgspec.Struct, frozen=True, kw_only=True):
    """What one law says, where the law itself is the answer: refusals and rejections."""

    late: Article  # 逾期送达、未密封：拒收
    opening: Article  # 开标时间
    withdrawal: Article  # 撤回、修改
    correction: Article  # 更正、澄清
    undecrypted: Article  # 投标人原因未解密
    unsigned: Article  # 未签章
    unqualified: Article  # 不具备资格
    twice: Article  # 两个以上报价
    over_ceiling: Article  # 高于最高限价
    unresponsive: Article  # 未实质响应
    all_rejected: Article  # 全部否决


class Statute(msgspec.Struct, frozen=True):
    """One duty through time: its versions, oldest first."""

    code: str
    zh: str
    en: str
    versions: tuple[Rule, ...]

    def at(self, moment: datetime) -> Rule:
        """The version in force on that day in China; before the first one, the first."""
        day = moment.astimezone(BEIJING).date()
        for rule in reversed(self.versions):
            if rule.since <= day:
                return rule
        return self.versions[0]
