"""抽签定标 drawing lots: the verifiable draw among the candidates (docs/reference/draw.md)."""

from trading.award_method import AwardMethod, Standing, Verdict

__all__ = ["AWARD"]


def _decide(lot: Standing) -> Verdict:
    names = {candidate.eid: candidate.bidder_name for candidate in lot.candidates}
    if lot.drawn not in names:
        return Verdict("", "尚未抽签 / not drawn yet", tuple(names))
    text = f"{len(names)} 名候选人抽签：{names[lot.drawn]} 中签 / drawn by lot"
    return Verdict(lot.drawn, text)


AWARD = AwardMethod(
    code="drawing-lots", zh="抽签定标法", en="Award by drawing lots", decide=_decide
)
