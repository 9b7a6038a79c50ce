"""合同 the contract that the award calls for, from the tender's own terms (法 46: nothing else)."""

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
from trading.kernel.errors import PaperRefusal
from trading.tender import Tender

__all__ = ["PAPER"]

_TERMS = (
    Note(
        "一、本合同按照招标文件和中标人的投标文件订立，双方不得再行订立背离合同实质性内容的其他协议"
        "（招标投标法 第四十六条）。"
    ),
    Note("二、合同标的、数量、质量、期限以招标文件及投标文件为准，其摘要见下表，原文封存于账本。"),
    Note("三、合同价款以大写为准。"),
    Note("四、履约保证金不超过合同价款的百分之十（招标投标法实施条例 第五十八条）。"),
)


def _compose(case: Case) -> Paper:
    tender = case.sitting.tender
    if tender.decided is None or tender.noticed_at is None:
        raise PaperRefusal(problem="尚未发出中标通知书 / no award notice yet")
    draft = tender.drafted
    parties = Pairs(
        (
            ("甲方（招标人）", f"{draft.buyer}（{draft.buyer_id}）"),
            ("乙方（中标人）", "；".join(_suppliers(tender))),
            ("中标通知书", moment(tender.noticed_at)),
        )
    )
    parts = (
        Part("双方", (parties,)),
        Part("标的与价款", (_lots(tender),)),
        Part("条款", _TERMS),
        Part("依据文件", (_files(tender),)),
    )
    sides = (
        Signature("甲方", draft.buyer),
        Signature("乙方", "；".join(_suppliers(tender))),
    )
    return paper_of(case, "合同", parts, sides)


def _suppliers(tender: Tender) -> list[str]:
    decided = tender.decided.awards if tender.decided else ()
    bids = [tender.opened[award.eid] for award in decided]
    return list(dict.fromkeys(f"{bid.bidder_name}（{bid.bidder_id}）" for bid in bids))


def _lots(tender: Tender) -> Table:
    titles = {lot.number: lot.title for lot in tender.drafted.lots}
    decided = tender.decided.awards if tender.decided else ()
    rows = tuple(
        (
            f"{award.lot}",
            titles[award.lot],
            tender.opened[award.eid].bidder_name,
            *money(tender.opened[award.eid].price, tender.drafted.currency),
            f"{tender.drafted.number}-C{award.lot}",
        )
        for award in decided
    )
    head = ("标段", "名称", "乙方", "合同价款", "大写", "合同编号")
    return Table(head, rows, (2, 5, 5, 5, 7, 6), (3,))


def _files(tender: Tender) -> Table:
    decided = tender.decided.awards if tender.decided else ()
    rows = [("投标信封", award.eid) for award in decided]
    rows += [
        (file.name, file.sha256) for award in decided for file in tender.opened[award.eid].files
    ]
    return Table(("文件", "SHA-256"), tuple(rows), (6, 14))


PAPER = PaperKind(code="contract", zh="合同", en="Contract", compose=_compose)
