"""评标委员会组成 what a panel must look like by law: odd, large enough, two thirds experts."""

from datetime import date, datetime

import msgspec

from trading.facts.draw import Group
from trading.kernel.errors import DrawRefusal
from trading.kernel.rule import Mark, Rule, Statute

__all__ = ["PANEL_SIZE", "PANEL_SIZE_WATER", "Composition", "check_composition"]

_LAW = date(2000, 1, 1)
PANEL_SIZE = Statute(
    "panel-size",
    "评标委员会最少人数",
    "fewest members of a panel",
    (Rule(5, "招标投标法 第三十七条", _LAW, Mark.SEEN),),
)
PANEL_SIZE_WATER = Statute(
    "panel-size-water",
    "水利项目评标委员会最少人数",
    "fewest members of a panel for water works",
    (Rule(7, "水利工程建设项目招标投标管理规定（CTS B-022）", date(2002, 1, 1), Mark.SECONDARY),),
)
_EXPERTS, _OF = 2, 3  # 技术、经济等方面的专家不得少于三分之二


class Composition(msgspec.Struct, frozen=True):
    """`experts`: drawn, by speciality; `owners`: seats of the owner's own representatives;
    `away`: at least so many experts from another region, for 远程异地评标.
    """

    experts: tuple[tuple[str, int], ...]
    owners: int = 0
    away: int = 0

    @property
    def size(self) -> int:
        return self.owners + sum(count for _, count in self.experts)

    def groups(self) -> tuple[Group, ...]:
        """As the draw takes them; the quota from elsewhere is filled from the first on."""
        groups, left = [], self.away
        for speciality, count in self.experts:
            groups.append(Group(speciality, count, speciality, min(left, count)))
            left -= min(left, count)
        return tuple(groups)


def check_composition(
    wanted: Composition, published: datetime, least: Statute = PANEL_SIZE
) -> None:
    """DrawRefusal with the article that it breaks."""
    rule = least.at(published)
    experts = wanted.size - wanted.owners
    problems = [
        (wanted.size < rule.number, f"至少 {rule.number} 人 / at least {rule.number}"),
        (wanted.size % 2 == 0, f"{wanted.size} 人，须为单数 / must be odd"),
        (experts * _OF < wanted.size * _EXPERTS, "专家不足三分之二 / experts under two thirds"),
        (wanted.owners < 0 or any(n < 1 for _, n in wanted.experts), "人数 / counts"),
        (not 0 <= wanted.away <= experts, "异地专家人数 / experts from elsewhere"),
    ]
    for holds, problem in problems:
        if holds:
            raise DrawRefusal(problem=f"{problem}（{rule.article}）")
