"""抱团评委打分倾向性 experts lift one bidder together.

名称 Name: clique-favours.
定义 Definition: three or more experts score one bidder far above the others of the panel.
理由 Why: they were asked to.
数据 Data: marks, the subjective ones.
方法 Method: mean share of the highest three experts against the mean of the rest, for a bidder.
阈值 Threshold: 0.25 of what the items allow, and no other bidder half as much.
例外 Exclusions: panels of fewer than 5.
来源 Source: 清标四十六项; 发改法规规〔2022〕1117号 第十条.
"""

from collections.abc import Iterator, Sequence

from analytics.clue import Case, Clue, Group, Hit, by_bidder

__all__ = ["CLUE"]

_GAP, _HIGH, _PANEL = 0.25, 3, 5


def _look(cases: Sequence[Case]) -> Iterator[Hit]:
    for case in cases:
        gaps = {}
        for bidder, given in by_bidder(case).items():
            ordered = sorted(given, key=lambda expert: -given[expert])
            if len(ordered) >= _PANEL:
                high = [given[expert] for expert in ordered[:_HIGH]]
                rest = [given[expert] for expert in ordered[_HIGH:]]
                gaps[bidder] = (min(high) - max(rest), tuple(sorted(ordered[:_HIGH])))
        for bidder, (gap, experts) in sorted(gaps.items()):
            others = max((other for who, (other, _) in gaps.items() if who != bidder), default=0.0)
            if gap >= _GAP and 2 * others <= gap:
                yield Hit(case.lot, (*experts, bidder), f"{gap:.2f}")


CLUE = Clue(
    code="clique-favours",
    zh="抱团评委打分倾向性",
    en="experts lift one bidder together",
    group=Group.CORE,
    article="发改法规规〔2022〕1117号 第十条",
    look=_look,
)
