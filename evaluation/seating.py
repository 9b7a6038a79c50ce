"""组建与到席 the rules of a panel's own composition: who forms it, sits in it, leads it, leaves."""

from collections.abc import Callable
from typing import Any

from evaluation.composition import Composition, check_composition
from evaluation.sitting import Sitting
from trading.draw import Draw, DrawPhase
from trading.facts.draw import EXPERTS
from trading.facts.panel import (
    ChairVoted,
    MemberReplaced,
    MemberSignedIn,
    PanelFormed,
    PanelSeated,
    UndertakingGiven,
)
from trading.facts.rubric import ReviewStage
from trading.kernel.canonical import is_digest
from trading.kernel.errors import DrawRefusal, NotAMember, PanelIncomplete, PanelRefusal
from trading.kernel.instant import Reading
from trading.ledger.fact import Fact
from trading.tender import Phase

__all__ = ["EARLY", "SEATING", "check_minutes", "chosen_chair", "kept_stages"]

EARLY = (ReviewStage.QUALIFICATION, ReviewStage.CONFORMITY, ReviewStage.TECHNICAL)
_MOST_MINUTES = 10_080
_LONGEST = 200  # characters of a site or a seat


def check_minutes(minutes: int, least: int) -> None:
    if not least <= minutes <= _MOST_MINUTES:
        raise PanelRefusal(problem=f"分钟数 / minutes {least}–{_MOST_MINUTES}")


def _check_formed(sitting: Sitting, fact: PanelFormed, _: str, now: Reading) -> None:
    parties = {member.party for member in fact.members}
    if any(len(text) > _LONGEST for m in fact.members for text in (m.party, m.seat)):
        raise PanelIncomplete(problem=f"席位名称不超过 {_LONGEST} 字 / a seat's name is too long")
    if fact.tender != sitting.tender.id or len(parties) != len(fact.members):
        raise PanelIncomplete(problem="项目不符或成员重复 / tender, or a member twice")
    if sitting.panel.is_due_to(sitting.tender.reopened_at):
        raise PanelRefusal(problem="没有责令重新评标 / nobody ordered another panel")
    if fact.draw in sitting.panel.draws:
        raise PanelIncomplete(problem="重新评标须重新抽取 / another panel needs another draw")
    if fact.pace != sitting.tender.drafted.pace:
        raise PanelRefusal(problem="节奏与项目不同 / another pace than the tender's")
    check_minutes(fact.minutes, least=0)
    codes = [member.code for member in fact.members if member.code]
    _check_composition(sitting, len(codes), len(fact.members) - len(codes), now)
    drawn = _drawn(sitting, fact.draw)
    owners = sitting.draws[fact.draw].terms.owners if drawn else 0
    if owners != len(fact.members) - len(codes):
        raise PanelIncomplete(problem=f"招标人代表应为 {owners} 人，如抽取公告 / as announced")
    if len(set(codes)) != len(codes) or drawn != set(codes):
        problem = "专家须是抽取产生的全部人员 / the experts are those who were drawn, all of them"
        raise PanelIncomplete(problem=problem)


def _check_composition(sitting: Sitting, experts: int, owners: int, now: Reading) -> None:
    composition = Composition((("experts", experts),) if experts else (), owners)
    least = sitting.tender.drafted.panel_size
    if composition.size < least:
        raise PanelIncomplete(problem=f"招标文件要求至少 {least} 人 / at least {least}")
    try:
        check_composition(composition, sitting.tender.published_at or now.at)
    except DrawRefusal as refusal:
        raise PanelIncomplete(problem=refusal.facts["problem"]) from refusal


def _drawn(sitting: Sitting, name: str) -> set[str]:
    draw: Draw | None = sitting.draws.get(name)
    if draw is None or draw.phase is not DrawPhase.DECIDED:
        return set()
    if draw.terms.tender != sitting.tender.id or draw.terms.purpose != EXPERTS:
        raise PanelIncomplete(problem="抽取属于另一项目或用途 / a draw for something else")
    return {code for codes in draw.present.values() for code in codes}


def _check_signed_in(sitting: Sitting, fact: MemberSignedIn, actor: str, __: Reading) -> None:
    if not 1 <= len(fact.site.strip()) <= _LONGEST or actor in sitting.panel.sites:
        raise PanelRefusal(problem="签到须写明场所，且只签一次 / name the site; sign in once")


def _check_undertaking(sitting: Sitting, fact: UndertakingGiven, actor: str, __: Reading) -> None:
    if actor not in sitting.panel.sites or not is_digest(fact.text):
        raise PanelRefusal(problem="签到后签署承诺书 / sign in first, then give the undertaking")


def _check_chair_voted(sitting: Sitting, fact: ChairVoted, actor: str, __: Reading) -> None:
    if fact.candidate not in sitting.panel.members:
        raise NotAMember(party=fact.candidate)
    if actor not in sitting.panel.undertakings:
        raise PanelRefusal(problem="先签署承诺书 / give the undertaking first")


def chosen_chair(sitting: Sitting) -> str:
    """Whom more than half of all members chose; PanelIncomplete while somebody is missing."""
    panel = sitting.panel
    missing = [m.seat for party, m in panel.members.items() if party not in panel.undertakings]
    if missing:
        raise PanelIncomplete(problem=f"未到齐 / not here yet: {'、'.join(missing)}")
    votes = list(panel.votes.values())
    for candidate in panel.members:
        if votes.count(candidate) * 2 > len(panel.members):
            return candidate
    raise PanelIncomplete(problem="组长未过半数 / no chair has a majority")


def _check_seated(sitting: Sitting, fact: PanelSeated, _: str, __: Reading) -> None:
    if fact.chair != chosen_chair(sitting):
        raise PanelRefusal(problem="不是推选出的组长 / not the chair that was elected")


def _check_replaced(sitting: Sitting, fact: MemberReplaced, _: str, __: Reading) -> None:
    panel = sitting.panel
    old = panel.members.get(fact.gone)
    if old is None:
        raise NotAMember(party=fact.gone)
    known = panel.members.keys() | panel.former.keys()
    if fact.member.party in known or not fact.ground.strip():
        raise PanelRefusal(problem="接替者须是新成员，并写明理由 / a new member, and a ground")
    if bool(fact.member.code) != bool(old.code):
        raise PanelIncomplete(problem="专家由专家接替 / an expert follows an expert")
    taken = {m.code for party, m in panel.members.items() if party != fact.gone}
    drawn = _drawn(sitting, panel.terms.draw)
    if fact.member.code and (fact.member.code not in drawn or fact.member.code in taken):
        raise PanelIncomplete(problem="专家须经抽取产生 / experts must have been drawn")
    if fact.keeps != kept_stages(sitting):
        raise PanelRefusal(problem="保留的阶段不符 / other stages stay concluded")


def kept_stages(sitting: Sitting) -> tuple[ReviewStage, ...]:
    """With two envelopes, what was reviewed without the prices stays so once they are known."""
    two = len(sitting.tender.drafted.stages) > 1
    if not two or sitting.tender.phase is not Phase.OPENED:
        return ()
    return tuple(stage for stage in sitting.panel.concluded if stage in EARLY)


SEATING: dict[type[Fact], Callable[[Sitting, Any, str, Reading], None]] = {
    PanelFormed: _check_formed,
    MemberSignedIn: _check_signed_in,
    UndertakingGiven: _check_undertaking,
    ChairVoted: _check_chair_voted,
    PanelSeated: _check_seated,
    MemberReplaced: _check_replaced,
}
