"""开标记录 the opening record: what was opened, in figures and capitals, and what was not."""

from evaluation.paper import (
    Case,
    Note,
    Pairs,
    Paper,
    PaperKind,
    Part,
    Table,
    moment,
    money,
    paper_of,
)
from trading.kernel.errors import PaperRefusal
from trading.tender import Phase, Tender

__all__ = ["PAPER"]

_EARLY = (Phase.DRAFT, Phase.BIDDING, Phase.SEALED, Phase.TECHNICAL)


def _compose(case: Case) -> Paper:
    tender = case.sitting.tender
    if tender.phase in _EARLY or not (tender.opened or tender.unopened):
        raise PaperRefusal(problem="开标尚未完成 / the opening is not over")
    bidding = Pairs(
        (
            ("截标时间", moment(tender.deadline)),
            ("收到信封", f"{len(tender.closed.envelopes) if tender.closed else 0} 份"),
            ("密钥受托人", f"{len(tender.shares)} 份有效份额"),
        )
    )
    parts = [Part("截标与解密", (bidding,)), Part("唱标", (_opened_table(tender),))]
    if tender.unopened or tender.missing:
        parts.append(Part("未能解密", _unopened(tender)))
    return paper_of(case, "开标记录", parts)


def _opened_table(tender: Tender) -> Table:
    rows = tuple(
        (
            f"{number}",
            f"{bid.lot}",
            bid.bidder_name,
            *money(bid.price, bid.currency or tender.drafted.currency),
        )
        for number, bid in enumerate(tender.priced(), 1)
    )
    head = ("序号", "标段", "投标人", f"报价（{tender.drafted.currency}）", "大写")
    return Table(head, rows, (2, 2, 7, 5, 9), (3,))


def _unopened(tender: Tender) -> tuple[Table | Note, ...]:
    rows = [
        (f"{bid.lot}", bid.eid[:16], f"{bid.code} {bid.problem}", bid.article)
        for bid in tender.unopened.values()
    ]
    rows += [("—", eid[:16], "投标人未揭示密钥，视为撤销", "") for eid in sorted(tender.missing)]
    table = Table(("标段", "信封", "原因", "依据"), tuple(rows), (2, 5, 10, 6))
    return (table, Note("信封以其编号标示；受托人的份额正确，任何人可重新验证。"))


PAPER = PaperKind(code="opening-record", zh="开标记录", en="Opening record", compose=_compose)
