"""评标报告 the evaluation report: panel, reviews, scores, every number's sentence, dissents,
candidates; it is signed by all members in the ledger and sealed on paper.
"""

from evaluation.entrant import Entrant, entrants
from evaluation.methods import METHODS
from evaluation.panel import PanelPhase
from evaluation.paper import (
    Case,
    Note,
    Paper,
    PaperKind,
    Part,
    Signature,
    Table,
    moment,
    money,
    paper_of,
)
from evaluation.result import ranked, reported
from evaluation.scoring import Far, Review
from evaluation.sitting import Sitting
from trading.facts.award import CandidatesRecommended
from trading.facts.rubric import Item, Kind, ReviewStage
from trading.kernel.errors import PaperRefusal

__all__ = ["PAPER"]

_STAGES = {
    ReviewStage.QUALIFICATION: "资格审查",
    ReviewStage.CONFORMITY: "初步评审",
    ReviewStage.TECHNICAL: "详细评审（技术）",
    ReviewStage.PRICE: "报价评审",
    ReviewStage.OTHER: "其他评审",
}
_SHOWN = {"yes": "是", "no": "否", "none": "无", "minor": "细微", "major": "重大"}
_LINES = {
    "benchmark": "评标基准价",
    "deduction": "扣分",
    "deviation": "偏差率 %",
    "evaluated": "评审价",
    "floated": "浮动后",
    "lots": "签数",
    "mean": "平均价",
    "price": "价格分",
    "quality": "质量分",
    "reviewed": "评审价",
    "ticket": "签号",
    "total": "总分",
    "weighted": "加权价",
}


def _compose(case: Case) -> Paper:
    sitting = case.sitting
    if sitting.panel.report is None:
        raise PaperRefusal(problem="评标报告尚未形成 / the panel has not reported")
    result = reported(sitting)
    parts = [_panel(sitting), _bids(sitting)]
    parts += [_stage(sitting, stage) for stage in sitting.stages]
    parts += [_clarifications(sitting), _rejections(sitting, result)]
    parts += [_calculation(sitting), _candidates(sitting, result), _remarks(sitting)]
    told = [part for part in parts if part.blocks]
    return paper_of(case, "评标报告", told, _signatures(sitting))


def _panel(sitting: Sitting) -> Part:
    panel = sitting.panel
    rows = tuple(
        (
            member.seat,
            "组长" if party == panel.chair else "",
            panel.sites.get(party, "—"),
            "抽取专家" if member.code else "招标人代表",
            member.code[:16] or "—",
        )
        for party, member in panel.members.items()
    )
    table = Table(("席位", "职务", "评标场所", "来源", "抽取编号"), rows, (3, 2, 4, 4, 6))
    draw = sitting.draws.get(panel.terms.draw)
    told = [
        Note(
            "成员均已签到并签署保密与廉洁承诺。名单在中标结果确定前保密（招标投标法 第三十七条）。"
        )
    ]
    if draw and draw.decided:
        told.append(Note(f"专家由可验证抽取产生：{draw.id}，种子 {draw.decided.seed[:32]}…"))
    told += [Note(f"更换成员：{seat}，{ground}") for seat, ground in panel.former.values()]
    return Part("评标委员会", (table, *told))


def _bids(sitting: Sitting) -> Part:
    currency = sitting.tender.drafted.currency
    rows = tuple(
        (
            one.number,
            f"{one.lot}",
            _name(one),
            *money(one.price.price if one.price else None, currency),
        )
        for one in entrants(sitting.tender)
    )
    head = ("编号", "标段", "投标人", f"报价（{currency}）", "大写")
    return Part("投标一览", (Table(head, rows, (2, 2, 7, 5, 9), (3,)),))


def _name(entrant: Entrant) -> str:
    return entrant.price.bidder_name if entrant.price else "—"


def _stage(sitting: Sitting, stage: ReviewStage) -> Part:
    """Each item with what every member wrote; the last column is what counts."""
    sheets = sitting.panel.sheets.get(stage, {})
    names = sitting.names(stage)
    if not names or not sheets:
        return Part(_STAGES[stage], (Note("没有需要评审的投标。"),))
    seats = [sitting.panel.members[party].seat for party in sheets]
    blocks: list[Table | Note] = []
    if sitting.is_blind(stage):
        codes = "、".join(f"{code} = {one.number} 号" for code, one in names.items())
        blocks.append(Note(f"暗标评审，评审结束后揭盲：{codes}。"))
    outcome = sitting.outcome(stage)
    for item in sitting.items_in(stage):
        rows = []
        for code, one in names.items():
            marks = {
                party: mark.value
                for party, given in sheets.items()
                for mark in given
                if (mark.bid, mark.item) == (code, item.code)
            }
            review = outcome[one.number]
            shown = [_SHOWN.get(value, value) for value in marks.values()]
            rows.append((one.number, *shown, _counts(item, review)))
        head = ("编号", *seats, "结果")
        blocks += [
            Note(_described(item)),
            Table(head, tuple(rows), (2, *(2 for _ in seats), 3)),
        ]
    far = [Note(_far(sitting, stage, one)) for one in sitting.far(stage)]
    return Part(_STAGES[stage], (*blocks, *far))


def _described(item: Item) -> str:
    if item.kind is Kind.SCORE:
        step = f"，步长 {item.step}" if item.step else ""
        objective = "，客观项" if item.objective else ""
        return f"{item.title}（{item.low}–{item.high} 分{step}{objective}），取各评委平均："
    article = f"（{item.article}）" if item.article else ""
    return f"{item.title}{article}，少数服从多数："


def _counts(item: Item, review: Review) -> str:
    if item.kind is Kind.SCORE:
        return f"{review.scores[item.code]}"
    if item.kind is Kind.AMOUNT:
        return f"{review.adjustments.get(item.code, '0')}"
    if item.kind is Kind.FLAG:
        return "是" if item.code in review.flags else "否"
    if item.kind is Kind.DEVIATION:
        return _deviation(item, review)
    return "不通过" if item.code in dict(review.failed) else "通过"


def _deviation(item: Item, review: Review) -> str:
    if item.code in dict(review.minor):
        return "细微偏差"
    return "重大偏差" if item.code in dict(review.failed) else "无偏差"


def _far(sitting: Sitting, stage: ReviewStage, far: Far) -> str:
    seat = sitting.panel.members[far.member].seat
    said = sitting.panel.explained.get((far.member, far.bid, far.item), "未说明，予以记录")
    titles = {item.code: item.title for item in sitting.items}
    number = sitting.names(stage)[far.bid].number
    item = titles.get(far.item, "总分")
    return f"评分偏离：{seat} 对 {number} 号{item}与其他评委相差 {far.off} 分。{said}"


def _clarifications(sitting: Sitting) -> Part:
    rows = tuple(
        (
            f"投标人 {asked.fact.bid}",
            asked.fact.text,
            asked.answer if asked.answer is not None else "未在规定时间答复",
            moment(sitting.answer_until(asked)),
        )
        for asked in sitting.panel.asked.values()
    )
    table = Table(("对象", "问题", "答复", "答复期限"), rows, (3, 7, 9, 5))
    return Part("澄清", (table,) if rows else (Note("无。"),))


def _rejections(sitting: Sitting, result: CandidatesRecommended) -> Part:
    numbers = {one.price.eid: one for one in entrants(sitting.tender) if one.price}
    rows = tuple(
        (numbers[item.eid].number, _name(numbers[item.eid]), item.ground, item.article)
        for item in result.rejections
        if item.eid in numbers
    )
    table = Table(("编号", "投标人", "理由", "依据"), rows, (2, 6, 9, 7))
    return Part("否决投标", (table,) if rows else (Note("无。"),))


def _calculation(sitting: Sitting) -> Part:
    """Every number on the way, with its sentence."""
    method = METHODS[sitting.tender.drafted.method]
    blocks: list[Table | Note] = []
    parameters = "，".join(f"{k} = {v}" for k, v in sitting.tender.drafted.parameters.items())
    blocks.append(Note(f"评标办法：{method.zh} {method.en}。参数：{parameters or '默认'}。"))
    report = sitting.panel.report
    for name in report.draws if report else ():
        drawn = sitting.draws[name].decided
        values = "，".join(item.codes[0] for item in drawn.drawn) if drawn else ""
        blocks.append(Note(f"公开抽取的参数：{values}（抽取 {name}）。"))
    numbers = {one.price.eid: one for one in entrants(sitting.tender) if one.price}
    titles = _LINES | {item.code: item.title for item in sitting.items}
    for lot, placed in ranked(sitting).items():
        for place in placed:
            one = numbers[place.eid]
            rows = tuple(
                (titles.get(line.name, line.name), line.value, line.text) for line in place.lines
            )
            rows = (*rows, ("结果", place.score, place.explanation))
            blocks.append(Note(f"标段 {lot}，{one.number} 号 {_name(one)}："))
            blocks.append(Table(("项", "数值", "算式"), rows, (3, 3, 12), (1,)))
    return Part("计算过程", tuple(blocks))


def _candidates(sitting: Sitting, result: CandidatesRecommended) -> Part:
    statute = sitting.tender.procedure.candidates
    published = sitting.tender.published_at
    most = statute.at(published).number if statute and published else len(result.ranking)
    rows = tuple(
        (
            f"{item.lot}",
            f"第 {item.rank} 名" if item.rank else "不排序",
            item.bidder_name,
            *money(item.price, sitting.tender.drafted.currency),
            item.score,
        )
        for item in result.ranking
        if item.rank <= most
    )
    head = ("标段", "名次", "投标人", "报价", "大写", "评审结果")
    failed = [Note(f"标段 {lot}：有效投标不足，流标。") for lot in result.failed]
    return Part("推荐的中标候选人", (Table(head, rows, (2, 3, 6, 5, 8, 4), (3, 5)), *failed))


def _remarks(sitting: Sitting) -> Part:
    panel = sitting.panel
    seats = {party: member.seat for party, member in panel.members.items()}
    told = [f"不同意见（{seats[party]}）：{text}" for party, text in panel.dissents.items()]
    told += [f"此前的不同意见（{seat}）：{text}" for seat, text in panel.heard]
    told += [
        f"{seats[party]} 拒绝签字且未书面说明，视为同意（条例 53）。" for party in panel.presumed
    ]
    told += [f"退回 {_STAGES[back.stage]}：{back.ground}" for back in panel.reopened]
    return Part("不同意见与其他事项", tuple(map(Note, told)) or (Note("无。"),))


def _signatures(sitting: Sitting) -> tuple[Signature, ...]:
    panel = sitting.panel
    how = dict.fromkeys(panel.presumed, "拒绝签字，视为同意")
    how |= {party: f"已签署 {moment(at)}" for party, at in panel.signed.items()}
    open_ = "尚未签署" if panel.phase is not PanelPhase.CONCLUDED else "书面不同意见"
    return tuple(
        Signature(member.seat, how.get(party, open_)) for party, member in panel.members.items()
    )


PAPER = PaperKind(code="evaluation-report", zh="评标报告", en="Evaluation report", compose=_compose)
