"""议事规则 what may come next in a panel's sitting, and from whom. Pure: a refusal or nothing."""

from collections.abc import Callable
from typing import Any

from evaluation.clarify import check_answer, check_question
from evaluation.entrant import Entrant, blind_code, blind_digest, entrants
from evaluation.panel import PANEL_MACHINE
from evaluation.result import report_digest
from evaluation.rubric import LOW_PRICE, check_marks
from evaluation.seating import EARLY, SEATING, check_minutes
from evaluation.sitting import Sitting
from trading.facts.panel import (
    ClarificationAnswered,
    ClarificationAsked,
    ConsentPresumed,
    DissentWritten,
    PanelConcluded,
    ReportSealed,
    ReportSigned,
    ScoreExplained,
    SheetOpened,
    SheetSealed,
    StageConcluded,
    StageReopened,
    TechnicalBlinded,
    TechnicalUnblinded,
    TimeExtended,
)
from trading.facts.rubric import Mark, ReviewStage
from trading.kernel.canonical import canonical, is_digest, sha256
from trading.kernel.errors import (
    BidsSealed,
    ClarificationRefusal,
    NotAMember,
    PanelIncomplete,
    PanelRefusal,
    SheetChanged,
    SheetLate,
    SheetRefusal,
    SheetRepeated,
)
from trading.kernel.instant import Reading
from trading.ledger.fact import Fact
from trading.suspension import delayed
from trading.tender import Phase

__all__ = ["check_sitting", "sheet_digest", "unexplained"]

_SHEET = b"kaifeng score sheet v1\n"
_TO_SIGN = 30  # minutes, before silence is taken for consent
_THIRD = 3  # more than one member in so many asks for time (条例 48)


def sheet_digest(stage: ReviewStage, member: str, marks: tuple[Mark, ...], salt: str) -> str:
    """What a member seals; `salt`: 64 hex digits of pure chance."""
    whole = {"marks": marks, "member": member, "salt": salt, "stage": stage}
    return sha256(_SHEET, canonical(whole)).hex()


def check_sitting(sitting: Sitting, fact: Fact, actor: str, now: Reading) -> None:
    """A coded refusal unless this fact may come now, from this party."""
    PANEL_MACHINE.after(sitting.panel.phase, type(fact))
    if sitting.tender.suspended_at:
        raise PanelRefusal(problem="项目已暂停 / the tender is suspended")
    if actor and actor not in sitting.panel.members:
        raise NotAMember(party=actor)
    rule = _RULES.get(type(fact))
    if rule:
        rule(sitting, fact, actor, now)


# -- sheets -------------------------------------------------------------------------------------


def _check_sealed(sitting: Sitting, fact: SheetSealed, actor: str, now: Reading) -> None:
    panel, stage = sitting.panel, fact.stage
    _check_open(sitting, stage, now)
    if actor in panel.sealed.get(stage, {}):
        raise SheetRepeated(member=panel.members[actor].seat, stage=stage)
    if not is_digest(fact.digest):
        raise SheetRefusal(stage=stage, problem="摘要 / digest")
    if sitting.is_blind(stage) and panel.blinded is None:
        raise SheetRefusal(stage=stage, problem="暗标尚未编号 / no blind codes yet")


def _check_open(sitting: Sitting, stage: ReviewStage, now: Reading) -> None:
    """The stage is open, its bids are, and there is time left."""
    if stage is not sitting.stage:
        raise SheetRefusal(stage=stage, problem=f"现在是 {sitting.stage} / that one is open")
    _check_opened(sitting, stage)
    if stage is ReviewStage.PRICE:
        _check_low_prices_asked(sitting, now)
    until = sitting.until
    if until and now.is_surely_after(until):
        raise SheetLate(stage=stage, until=until.isoformat())


def _check_opened(sitting: Sitting, stage: ReviewStage) -> None:
    """With two envelopes, all that comes before the prices is reviewed before they are opened."""
    draft = sitting.tender.drafted
    wanted = {Phase.OPENED}
    if len(draft.stages) > 1 and stage in EARLY:
        wanted = {Phase.TECHNICAL} if draft.rubric else {Phase.TECHNICAL, Phase.OPENED}
    if sitting.tender.phase not in wanted:
        raise BidsSealed(stage=stage)


def _check_sheet(sitting: Sitting, fact: SheetOpened, actor: str, _: Reading) -> None:
    panel, stage = sitting.panel, fact.stage
    sealed = panel.sealed.get(stage, {})
    missing = [m.seat for party, m in panel.members.items() if party not in sealed]
    if stage is not sitting.stage or missing:
        problem = f"尚未全部提交 / not all have sealed theirs: {'、'.join(missing)}"
        raise SheetRefusal(stage=stage, problem=problem)
    seat = panel.members[actor].seat
    if actor in panel.sheets.get(stage, {}):
        raise SheetRepeated(member=seat, stage=stage)
    if sheet_digest(stage, actor, fact.marks, fact.salt) != sealed[actor]:
        raise SheetChanged(member=seat, stage=stage)
    blinded = panel.blinded if sitting.is_blind(stage) else None
    names = set(blinded.codes) if blinded else set(sitting.names(stage))
    check_marks(fact.marks, sitting.items, stage, names)


def _check_explained(sitting: Sitting, fact: ScoreExplained, actor: str, __: Reading) -> None:
    far = {(far.member, far.bid, far.item) for far in sitting.far(fact.stage)}
    if (actor, fact.bid, fact.item) not in far or not fact.text.strip():
        raise SheetRefusal(stage=fact.stage, problem="无需说明或没有内容 / nothing to explain")


def _check_blinded(sitting: Sitting, fact: TechnicalBlinded, _: str, __: Reading) -> None:
    panel, stage = sitting.panel, ReviewStage.TECHNICAL
    if not sitting.is_blind(stage) or sitting.stage is not stage or panel.sealed.get(stage):
        raise SheetRefusal(stage=stage, problem="不是暗标评审或已开始 / not blind, or begun")
    right = len(fact.codes) == len(set(fact.codes)) == len(sitting.remaining(stage))
    if not right or list(fact.codes) != sorted(fact.codes) or not is_digest(fact.digest):
        raise SheetRefusal(stage=stage, problem="暗标编号须排序且不重复 / sorted, each once")


def _check_unblinded(sitting: Sitting, fact: TechnicalUnblinded, _: str, __: Reading) -> None:
    panel, stage = sitting.panel, ReviewStage.TECHNICAL
    if not sitting.is_blind(stage) or panel.salt or not _all_opened(sitting, stage):
        raise SheetRefusal(stage=stage, problem="暗标尚不能揭盲 / too early to lift the blinds")
    codes = panel.blinded.codes if panel.blinded else ()
    digest = panel.blinded.digest if panel.blinded else ""
    if not is_digest(fact.salt) or blind_digest(fact.salt) != digest:
        raise SheetRefusal(stage=stage, problem="与编号时的承诺不符 / not the salt of the codes")
    if sorted(blind_code(fact.salt, one) for one in sitting.remaining(stage)) != list(codes):
        raise SheetRefusal(stage=stage, problem="编号与投标不符 / not the codes of these bids")


def _check_concluded(sitting: Sitting, fact: StageConcluded, _: str, __: Reading) -> None:
    stage = fact.stage
    if stage is not sitting.stage or not _all_opened(sitting, stage):
        raise SheetRefusal(stage=stage, problem="评分表未全部打开 / sheets are missing")
    if sitting.is_blind(stage) and sitting.remaining(stage) and not sitting.panel.salt:
        raise SheetRefusal(stage=stage, problem="尚未揭盲 / the blinds are not lifted")
    names = set(sitting.names(stage))
    for marks in sitting.panel.sheets.get(stage, {}).values():
        if {mark.bid for mark in marks} != names:
            raise SheetRefusal(stage=stage, problem="评分表与现有投标不符 / sheets of other bids")
    sitting.outcome(stage)  # members who differ on a fact hold the stage up
    if fact.unexplained != unexplained(sitting, stage):
        raise SheetRefusal(stage=stage, problem="未说明的偏离 / scores far from the others")


def _all_opened(sitting: Sitting, stage: ReviewStage) -> bool:
    """Nobody fills in a sheet where no bid is left to look at."""
    _check_opened(sitting, stage)
    opened = sitting.panel.sheets.get(stage, {})
    return all(p in opened for p in sitting.panel.members) or not sitting.remaining(stage)


def unexplained(sitting: Sitting, stage: ReviewStage) -> tuple[tuple[str, str, str], ...]:
    far = [(far.member, far.bid, far.item) for far in sitting.far(stage)]
    return tuple(sorted(key for key in far if key not in sitting.panel.explained))


def _check_low_prices_asked(sitting: Sitting, now: Reading) -> None:
    """Nobody is rejected for a low price without the time to explain it."""
    low = sitting.low_prices()
    heard = {
        asked.fact.bid
        for asked in sitting.panel.asked.values()
        if asked.fact.low_price
        and (asked.answer or now.is_surely_after(sitting.answer_until(asked)))
    }
    waiting = sorted(low - heard)
    if waiting and LOW_PRICE.code in {item.code for item in sitting.items}:
        problem = f"异常低价须先说明：{'、'.join(waiting)} / low prices must be explained first"
        raise ClarificationRefusal(problem=problem)


def _check_reopened(sitting: Sitting, fact: StageReopened, actor: str, __: Reading) -> None:
    _check_chair(sitting, actor)
    if fact.stage not in sitting.stages or not fact.ground.strip():
        raise SheetRefusal(stage=fact.stage, problem="须有该阶段和理由 / that stage, and a ground")
    _check_opened(sitting, fact.stage)


def _check_extended(sitting: Sitting, fact: TimeExtended, _: str, __: Reading) -> None:
    panel = sitting.panel
    check_minutes(fact.minutes, least=1)
    if len(panel.short_of_time) * _THIRD <= len(panel.members):
        raise PanelRefusal(problem="须超过三分之一成员提出（条例 48） / more than a third must ask")


# -- clarification ------------------------------------------------------------------------------


def _check_asked(sitting: Sitting, fact: ClarificationAsked, actor: str, now: Reading) -> None:
    _check_chair(sitting, actor)
    if fact.question in sitting.panel.asked:
        raise ClarificationRefusal(problem="编号已用 / that question exists")
    check_question(fact, _entrant(sitting, fact.bid), now)


def _check_answered(sitting: Sitting, fact: ClarificationAnswered, _: str, now: Reading) -> None:
    asked = sitting.panel.asked.get(fact.question)
    if asked is None or asked.answer is not None:
        raise ClarificationRefusal(problem="没有该问题或已答复 / no such question, or answered")
    until = sitting.answer_until(asked)
    if not now.is_surely_before(until):
        raise ClarificationRefusal(problem=f"已过 {until.isoformat()} / too late")
    check_answer(asked.fact, fact, _entrant(sitting, asked.fact.bid))


def _entrant(sitting: Sitting, number: str) -> Entrant:
    for entrant in entrants(sitting.tender):
        if entrant.number == number:
            return entrant
    raise ClarificationRefusal(problem=f"没有投标人 {number} / no bidder {number}")


# -- report -------------------------------------------------------------------------------------


def _check_reported(sitting: Sitting, fact: ReportSealed, _: str, __: Reading) -> None:
    if sitting.stage is not None:
        raise PanelRefusal(problem=f"{sitting.stage} 尚未完成 / is not concluded")
    if sitting.tender.phase is not Phase.OPENED:
        raise BidsSealed(stage="报告 report")
    if fact.digest != report_digest(sitting, fact.draws):
        raise PanelRefusal(problem="报告与评审不符 / not what the sheets give")


def _check_signed(sitting: Sitting, fact: ReportSigned, actor: str, __: Reading) -> None:
    report = sitting.panel.report
    if report is None or fact.digest != report.digest:
        raise PanelRefusal(problem="签署的不是这份报告 / another report")
    if actor in sitting.panel.signed:
        raise PanelRefusal(problem="已签署 / signed already")


def _check_dissent(_: Sitting, fact: DissentWritten, __: str, ___: Reading) -> None:
    if not fact.text.strip():
        raise PanelRefusal(problem="须写明不同意见和理由 / say what and why")


def _check_presumed(sitting: Sitting, fact: ConsentPresumed, _: str, now: Reading) -> None:
    if fact.member not in _silent(sitting):
        raise PanelRefusal(problem="已签署或已书面说明 / signed, or has written why not")
    since = sitting.panel.reported_at
    if since is None or not now.is_surely_after(
        delayed(sitting.tender, since, since + sitting.panel.span(_TO_SIGN))
    ):
        problem = f"须给 {_TO_SIGN} 分钟签署 / a member has so many minutes to sign or to dissent"
        raise PanelRefusal(problem=problem)


def _silent(sitting: Sitting) -> set[str]:
    panel = sitting.panel
    return panel.members.keys() - panel.signed.keys() - panel.dissents.keys() - panel.presumed


def _check_end(sitting: Sitting, _: PanelConcluded, __: str, ___: Reading) -> None:
    silent = _silent(sitting)
    if silent or not sitting.panel.signed:
        seats = "、".join(sorted(sitting.panel.members[party].seat for party in silent))
        raise PanelIncomplete(problem=f"未签署 / not signed yet: {seats}")


def _check_chair(sitting: Sitting, actor: str) -> None:
    if actor != sitting.panel.chair:
        raise PanelRefusal(problem="由组长进行 / for the chair alone")


_RULES: dict[type[Fact], Callable[[Sitting, Any, str, Reading], None]] = {
    **SEATING,
    SheetSealed: _check_sealed,
    SheetOpened: _check_sheet,
    ScoreExplained: _check_explained,
    TechnicalBlinded: _check_blinded,
    TechnicalUnblinded: _check_unblinded,
    StageConcluded: _check_concluded,
    StageReopened: _check_reopened,
    TimeExtended: _check_extended,
    ClarificationAsked: _check_asked,
    ClarificationAnswered: _check_answered,
    ReportSealed: _check_reported,
    ReportSigned: _check_signed,
    DissentWritten: _check_dissent,
    ConsentPresumed: _check_presumed,
    PanelConcluded: _check_end,
}
