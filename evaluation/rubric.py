"""评分表 which items a tender's panel reviews, and whether a filled sheet keeps to them. Pure."""

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal

from trading.facts.rubric import Deviation, Item, Kind, Mark, ReviewStage
from trading.facts.tender import TenderDrafted
from trading.kernel.errors import AmountUnreadable, DraftIncomplete, ScoreInvalid
from trading.kernel.money import Money, plain_decimal
from trading.procedure import Procedure

__all__ = ["GROUNDS", "LOW_PRICE", "check_marks", "check_rubric", "items_of", "stages_of"]

_ARTICLE = "招标投标法实施条例 第五十一条"


def _ground(code: str, number: str, title: str, stage: ReviewStage) -> Item:
    return Item(code, title, stage, Kind.PASS, article=f"{_ARTICLE}（{number}）")


GROUNDS = (
    _ground("signed", "一", "投标文件经单位盖章和负责人签字", ReviewStage.CONFORMITY),
    _ground("consortium", "二", "联合体提交共同投标协议", ReviewStage.QUALIFICATION),
    _ground("qualified", "三", "符合国家或者招标文件规定的资格条件", ReviewStage.QUALIFICATION),
    _ground("one-bid", "四", "没有两个以上不同的投标文件或者报价", ReviewStage.CONFORMITY),
    _ground("price", "五", "不低于成本且不高于最高投标限价", ReviewStage.CONFORMITY),
    _ground("responsive", "六", "响应招标文件的实质性要求和条件", ReviewStage.CONFORMITY),
    _ground("honest", "七", "没有串通投标、弄虚作假、行贿等违法行为", ReviewStage.CONFORMITY),
)
LOW_PRICE = Item(
    "low-price",
    "异常低价已作出合理说明",
    ReviewStage.PRICE,
    Kind.PASS,
    article="财库〔2026〕2号 [sec]",
)


def items_of(draft: TenderDrafted, procedure: Procedure) -> tuple[Item, ...]:
    """The tender's own items, or else the grounds of the law; abnormally low prices where the law
    of government procurement applies.
    """
    items = draft.rubric or GROUNDS
    if procedure.is_government and LOW_PRICE.code not in {item.code for item in items}:
        items = (*items, LOW_PRICE)
    return items


def stages_of(items: Collection[Item]) -> tuple[ReviewStage, ...]:
    named = {item.stage for item in items}
    return tuple(stage for stage in ReviewStage if stage in named)


def check_rubric(items: Sequence[Item]) -> None:
    """DraftIncomplete for a sheet that nobody could fill in."""
    if len({item.code for item in items}) != len(items):
        raise DraftIncomplete(problem="评分项重复 / an item appears twice")
    for item in items:
        problem = _problem(item)
        if problem:
            raise DraftIncomplete(problem=f"{item.code}: {problem}")


def _problem(item: Item) -> str:
    if not item.code or not item.title:
        return "须有代码和名称 / code and title"
    if item.code == LOW_PRICE.code and (item.stage, item.kind) != (LOW_PRICE.stage, LOW_PRICE.kind):
        return "异常低价项须在报价阶段判定通过与否 / reviewed as passed or not, with the prices"
    if item.kind is not Kind.SCORE:
        return ""
    low, high, step = (plain_decimal(text) for text in (item.low, item.high, item.step or "0"))
    if low is None or high is None or step is None or not 0 <= low < high or step < 0:
        return f"{item.low}–{item.high}，步长 {item.step} / range and step"
    return ""


def check_marks(
    marks: Sequence[Mark], items: Sequence[Item], stage: ReviewStage, bids: Collection[str]
) -> None:
    """ScoreInvalid unless every bid has exactly one mark under every item of the stage."""
    wanted = {item.code: item for item in items if item.stage is stage}
    seen: set[tuple[str, str]] = set()
    for mark in marks:
        item = wanted.get(mark.item)
        if item is None or mark.bid not in bids:
            raise ScoreInvalid(
                eid=mark.bid, item=mark.item, problem="不在评分表内 / not on the sheet"
            )
        if (mark.bid, mark.item) in seen:
            raise ScoreInvalid(eid=mark.bid, item=mark.item, problem="重复 / twice")
        seen.add((mark.bid, mark.item))
        _check_value(mark, item)
    for bid in bids:
        for code in wanted:
            if (bid, code) not in seen:
                raise ScoreInvalid(eid=bid, item=code, problem="未填 / missing")


def _check_value(mark: Mark, item: Item) -> None:
    problem = _CHECKS[item.kind](mark, item)
    if problem:
        raise ScoreInvalid(eid=mark.bid, item=item.code, problem=f"{mark.value}，{problem}")


def _yes_or_no(mark: Mark, item: Item) -> str:
    if mark.value not in ("yes", "no"):
        return "应为 yes / no"
    if item.kind is Kind.PASS and mark.value == "no" and not mark.reason.strip():
        return "否决须写理由 / say why not"
    return ""


def _deviation(mark: Mark, _: Item) -> str:
    if mark.value not in list(Deviation):
        return f"应为 {'、'.join(Deviation)} / one of these"
    if mark.value != Deviation.NONE and not mark.reason.strip():
        return "偏差须写明 / say what deviates"
    return ""


def _amount(mark: Mark, _: Item) -> str:
    try:
        Money.yuan(mark.value)
    except AmountUnreadable as error:
        return str(error)
    return ""


def _score(mark: Mark, item: Item) -> str:
    value = plain_decimal(mark.value)
    if value is None:
        return "不是数 / no number"
    low, high, step = Decimal(item.low), Decimal(item.high), Decimal(item.step or "0")
    if not low <= value <= high or (step and (value - low) % step):
        return f"应在 {low}–{high}，步长 {item.step or '—'} / out of range or step"
    return ""


_CHECKS: dict[Kind, Callable[[Mark, Item], str]] = {
    Kind.PASS: _yes_or_no,
    Kind.FLAG: _yes_or_no,
    Kind.DEVIATION: _deviation,
    Kind.SCORE: _score,
    Kind.AMOUNT: _amount,
}
