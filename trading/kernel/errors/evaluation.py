"""Refusals of draws and of the evaluation; the tree stands in the package."""

from trading.kernel.errors.refusal import Refusal

__all__ = [
    "AwardPaused",
    "BidsSealed",
    "ClarificationRefusal",
    "DrawRefusal",
    "NotAMember",
    "ObjectionRefusal",
    "PanelIncomplete",
    "PanelRefusal",
    "PaperRefusal",
    "SheetChanged",
    "SheetLate",
    "SheetRefusal",
    "SheetRepeated",
    "WarningRefusal",
]


class DrawRefusal(Refusal):
    code = "KF-510"
    zh = "抽取被拒：{problem}"
    en = "The draw is refused: {problem}"


class PanelRefusal(Refusal):
    code = "KF-511"
    zh = "评标委员会拒绝：{problem}"
    en = "The panel refuses: {problem}"


class SheetRefusal(PanelRefusal):
    code = "KF-512"
    zh = "{stage} 的评分表无效：{problem}"
    en = "The sheet of {stage} is not valid: {problem}"


class SheetLate(SheetRefusal):
    code = "KF-513"
    zh = "{stage} 的评分时间已过（{until}），可申请延长"
    en = "The time for sheets of {stage} is over ({until}); ask for more"


class SheetRepeated(SheetRefusal):
    code = "KF-514"
    zh = "{member} 已提交 {stage} 的评分表；更改须回退该阶段"
    en = "{member} has handed in a sheet of {stage}; to change it, reopen the stage"


class SheetChanged(SheetRefusal):
    code = "KF-515"
    zh = "{member} 打开的 {stage} 评分表与封存时不同"
    en = "The sheet of {stage} that {member} opens is not the one that was sealed"


class NotAMember(PanelRefusal):
    code = "KF-516"
    zh = "{party} 不是本评标委员会成员（或已更换、回避）"
    en = "{party} is not a member of this panel (or was replaced or recused)"


class PanelIncomplete(PanelRefusal):
    code = "KF-517"
    zh = "评标委员会不足法定人数或未到齐：{problem}"
    en = "The panel is below its quorum: {problem}"


class BidsSealed(PanelRefusal):
    code = "KF-518"
    zh = "{stage}：开标尚未完成，或报价已公开"
    en = "{stage}: the bids are not opened yet, or prices are known already"


class ClarificationRefusal(PanelRefusal):
    code = "KF-519"
    zh = "澄清被拒：{problem}"
    en = "The clarification is refused: {problem}"


class PaperRefusal(Refusal):
    code = "KF-520"
    zh = "文书尚不能出具：{problem}"
    en = "The paper cannot be made yet: {problem}"


class ObjectionRefusal(Refusal):
    code = "KF-521"
    zh = "异议或投诉被拒：{problem}"
    en = "The objection or complaint is refused: {problem}"


class AwardPaused(Refusal):
    code = "KF-522"
    zh = "异议或投诉未决，暂停定标：{waiting}"
    en = "The award waits for objections or complaints: {waiting}"


class WarningRefusal(Refusal):
    code = "KF-523"
    zh = "预警被拒：{problem}"
    en = "The warning is refused: {problem}"
