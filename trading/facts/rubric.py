"""评分表 the score sheet as data: what a panel looks at in each stage, what a member writes."""

from enum import StrEnum

import msgspec

__all__ = ["Deviation", "Item", "Kind", "Mark", "ReviewStage"]


class ReviewStage(StrEnum):
    """In this order; a tender has the stages that its items name."""

    QUALIFICATION = "qualification"  # 资格审查
    CONFORMITY = "conformity"  # 初步评审
    TECHNICAL = "technical"  # 详细评审·技术
    PRICE = "price"  # 报价评审
    OTHER = "other"  # 其他


class Kind(StrEnum):
    PASS = "pass"  # noqa: S105  通过与否: a majority of no rejects the bid
    FLAG = "flag"  # 是与否: a property of the bidder
    DEVIATION = "deviation"  # 偏差: a majority of major rejects
    SCORE = "score"  # 评分
    AMOUNT = "amount"  # 金额调整, in yuan


class Deviation(StrEnum):
    """偏差 (评标办法暂行规定 24-26 [mem]): a minor one is put right, a major one rejects."""

    NONE = "none"  # 无偏差
    MINOR = "minor"  # 细微偏差
    MAJOR = "major"  # 重大偏差


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`low`, `high` and `step` are decimals as text. `objective`: there is one right answer, so all
    members must agree. `article`: the ground of a rejection.
    """

    code: str
    title: str
    stage: ReviewStage
    kind: Kind
    low: str = "0"
    high: str = "0"
    step: str = ""
    objective: bool = False
    article: str = ""


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member says of a bid under an item: yes, no, a deviation, or a decimal. `bid`: its
    number, or its blind code.
    """

    bid: str
    item: str
    value: str
    reason: str = ""
