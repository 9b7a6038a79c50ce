"""Facts about notices 公告, corrections 更正 and questions 澄清."""

from datetime import datetime

from trading.kernel.party import Role
from trading.ledger.fact import Fact

__all__ = ["NoticeCorrected", "QuestionAnswered", "QuestionAsked"]

_OWNER = frozenset({Role.PURCHASER, Role.AGENCY})


class NoticeCorrected(Fact, frozen=True, tag="notice.corrected/1"):
    """`deadline` only if it moves; it never moves earlier."""

    by = _OWNER
    text: str
    deadline: datetime | None = None


class QuestionAsked(Fact, frozen=True, tag="question.asked/1"):
    """The asker stays hidden: who took the documents is secret until the opening (法 22)."""

    commutes = True
    question: str
    text: str


class QuestionAnswered(Fact, frozen=True, tag="question.answered/1"):
    """The answer goes to everyone."""

    by = _OWNER
    question: str
    text: str
