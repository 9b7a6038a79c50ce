"""Facts of objections 异议 and complaints 投诉, in the stream `objections:` of their tender."""

from enum import StrEnum

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = [
    "ComplaintAccepted",
    "ComplaintDecided",
    "ComplaintDeclined",
    "ComplaintFiled",
    "Effect",
    "ObjectionAnswered",
    "ObjectionRaised",
    "Subject",
]

_INSPECTOR = frozenset({Role.INSPECTOR})
_BIDDER = frozenset({Role.BIDDER})


class Subject(StrEnum):
    DOCUMENTS = "documents"  # 招标文件
    OPENING = "opening"  # 开标
    CANDIDATES = "candidates"  # 评标结果


class Effect(StrEnum):
    DISMISSED = "dismissed"  # 驳回
    RE_EVALUATE = "re-evaluate"  # 责令重新评标
    RE_TENDER = "re-tender"  # 责令重新招标
    CANCEL = "cancel"  # 终止


class ObjectionRaised(Fact, frozen=True, tag="objection.raised/1"):
    by = _BIDDER
    objection: str
    about: Subject
    text: str


class ObjectionAnswered(Fact, frozen=True, tag="objection.answered/1"):
    by = frozenset({Role.PURCHASER, Role.AGENCY})
    objection: str
    text: str
    upheld: bool


class ComplaintFiled(Fact, frozen=True, tag="complaint.filed/1"):
    """`objection`: the one that was answered before, where the law asks for one."""

    by = _BIDDER
    complaint: str
    text: str
    objection: str = ""


class ComplaintAccepted(Fact, frozen=True, tag="complaint.accepted/1"):
    by = _INSPECTOR
    complaint: str


class ComplaintDeclined(Fact, frozen=True, tag="complaint.declined/1"):
    by = _INSPECTOR
    complaint: str
    ground: str


class ComplaintDecided(Fact, frozen=True, tag="complaint.decided/1"):
    by = _INSPECTOR
    complaint: str
    effect: Effect
    ground: str
