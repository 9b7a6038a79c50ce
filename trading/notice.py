"""公告·澄清 the rules of corrections, questions and answers. Pure."""

from datetime import datetime

from trading.facts.notice import NoticeCorrected, QuestionAnswered, QuestionAsked
from trading.kernel.calendar import Calendar, check_moment
from trading.kernel.errors import DraftIncomplete, QuestionUnknown, RuleBroken, TooLate
from trading.kernel.instant import Reading
from trading.tender import Tender

__all__ = ["decide_answer", "decide_ask", "decide_correct"]

_LONGEST = 2_000  # characters of a question, which everybody keeps for ever
_QUESTIONS = 500  # that one tender takes


def decide_correct(
    tender: Tender, wanted: NoticeCorrected, now: Reading, calendar: Calendar
) -> NoticeCorrected:
    """更正: the deadline never moves earlier, and leaves bidders the days the law gives them."""
    if not wanted.text.strip():
        raise DraftIncomplete(problem="更正内容 / text of the correction")
    deadline = _deadline(tender, now)
    fresh = check_moment(wanted.deadline or deadline, "更正")
    if fresh < deadline:
        raise RuleBroken(
            act="更正", article=tender.procedure.articles.correction, problem="截标时间不得提前"
        )
    if tender.procedure.clarification:
        rule = tender.procedure.clarification.at(now.at)
        latest = rule.period.before(fresh, calendar, tender.drafted.pace)
        if now.at > latest:
            problem = f"距截标不足 {rule.number} 日，应顺延 / extend the deadline"
            raise RuleBroken(act="更正", article=rule.article, problem=problem)
    return wanted


def decide_ask(tender: Tender, question: str, text: str, now: Reading) -> QuestionAsked:
    _deadline(tender, now)
    if not text.strip() or len(text) > _LONGEST:
        raise DraftIncomplete(problem=f"问题内容，至多 {_LONGEST} 字 / text of the question")
    if len(tender.questions) >= _QUESTIONS:
        raise DraftIncomplete(problem=f"提问已满 {_QUESTIONS} 条 / no more questions")
    return QuestionAsked(question=question, text=text)


def decide_answer(tender: Tender, question: str, text: str, now: Reading) -> QuestionAnswered:
    """答疑: to everyone. An answer that changes the documents is a correction, with its days."""
    _deadline(tender, now)
    if question not in tender.questions or question in tender.answers:
        raise QuestionUnknown(question=question)
    return QuestionAnswered(question=question, text=text)


def _deadline(tender: Tender, now: Reading) -> datetime:
    if tender.deadline is None or not now.is_surely_before(tender.deadline):
        raise TooLate(
            act="更正或提问", deadline=tender.deadline, article=tender.procedure.articles.correction
        )
    return tender.deadline
