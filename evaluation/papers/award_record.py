"""定标记录 the award record: candidates, ballots with their reasons, the result, signatures."""

from evaluation.paper import (
    Case,
    Note,
    Pairs,
    Paper,
    PaperKind,
    Part,
    Signature,
    Table,
    moment,
    money,
    paper_of,
)
from trading.awarding import Awarding
from trading.awards import AWARDS
from trading.kernel.errors import PaperRefusal
from trading.tender import Tender

__all__ = ["PAPER"]


def _compose(case: Case) -> Paper:
    tender, awarding = case.sitting.tender, case.awarding
    if tender.decided is None:
        raise PaperRefusal(problem="尚未定标 / nothing is awarded yet")
    parts = [Part("定标结果", (_result(tender), *_ground(tender)))]
    if awarding.concluded:
        parts.append(_committee(tender, awarding))
        parts += [_round(tender, awarding, number) for number in range(len(awarding.ballots))]
    signed = tuple(Signature(name, "已签署") for name in sorted(awarding.signed))
    presumed = tuple(Signature(name, "拒绝签字，视为同意") for name in sorted(awarding.presumed))
    return paper_of(case, "定标记录", parts, signed + presumed)


def _result(tender: Tender) -> Table:
    decided = tender.decided.awards if tender.decided else ()
    rows = tuple(
        (
            f"{award.lot}",
            tender.opened[award.eid].bidder_name,
            *money(tender.opened[award.eid].price, tender.drafted.currency),
        )
        for award in decided
    )
    return Table(("标段", "中标人", "中标价", "大写"), rows, (2, 7, 5, 9), (2,))


def _ground(tender: Tender) -> tuple[Note, ...]:
    ground = tender.decided.ground if tender.decided else ""
    until = tender.publicity.until if tender.publicity else None
    told = [Note(f"中标候选人公示至 {moment(until)}。")] if until else []
    return (*told, Note(f"理由：{ground}")) if ground else tuple(told)


def _committee(tender: Tender, awarding: Awarding) -> Part:
    method = AWARDS[tender.drafted.award]
    record = awarding.concluded.record if awarding.concluded else ()
    facts = Pairs((("方法", method.zh), ("成员", "、".join(awarding.members))))
    return Part("定标委员会", (facts, *map(Note, record)))


def _round(tender: Tender, awarding: Awarding, number: int) -> Part:
    rows = tuple(
        (member, f"{choice.lot}", tender.opened[choice.eid].bidder_name, choice.reason)
        for member, choices in awarding.ballots[number].items()
        for choice in choices
    )
    table = Table(("成员", "标段", "选择", "理由"), rows, (4, 2, 6, 10))
    return Part(f"第 {number + 1} 轮", (table,))


PAPER = PaperKind(code="award-record", zh="定标记录", en="Award record", compose=_compose)
