"""评标澄清 clarification without names, and without a change of substance (条例 52). Pure.

The panel writes to "bidder 3", the bidder to "the panel"; whose answer it is shows the signature of
the pseudonym that sealed the bid.
"""

import re
from decimal import Decimal

from evaluation.entrant import Entrant
from evaluation.low_price import ANSWER_TIME
from trading.facts.panel import ClarificationAnswered, ClarificationAsked
from trading.kernel.canonical import canonical
from trading.kernel.errors import AmountUnreadable, ClarificationRefusal
from trading.kernel.instant import Reading
from trading.kernel.money import Money, Rounding
from trading.ledger.signature import check_act

__all__ = ["answer_message", "check_answer", "check_question", "questions_message"]

_QUESTIONS = b"kaifeng questions v1\n"
_DOMAIN = b"kaifeng clarification v1\n"
_PRICE = re.compile(
    r"(?:报价|总价|投标价|单价|price)[^\d。；;\n]{0,12}?(\d[\d,]*(?:\.\d+)?)\s*(万元|元|万|yuan|CNY)",
    re.IGNORECASE,
)
_VALIDITY = re.compile(
    r"(?:有效期|validity)[^\d。；;\n]{0,12}?(\d+)\s*(?:天|日|个日历日|days?)", re.IGNORECASE
)
_TEN_THOUSAND = 10_000
_MOST_MINUTES = 10_080
_LONGEST_ID, _LONGEST = 64, 20_000  # characters
_SUBSTANCE = r"(?:价|工期|有效期|期限|质量标准|付款|price|validity|period)"
_MOVES = (
    r"(?:改为|改成|调整为|变更为|变为|降至|降为|降到|下浮|上浮|下调|上调|优惠|让利|打折|减少|增加"
    r"|缩短|延长|提前|reduce|lower|raise|extend|shorten|change)"
)
_MOVED = re.compile(
    rf"{_SUBSTANCE}[^。；;\n]{{0,30}}{_MOVES}|{_MOVES}[^。；;\n]{{0,30}}{_SUBSTANCE}", re.IGNORECASE
)
_NOT = re.compile(r"(?:不|未|无|没有|not |no )[^。；;，,\n]{0,8}$", re.IGNORECASE)


def answer_message(question: str, text: str) -> bytes:
    """What the bidder signs with the key of its envelope."""
    return _DOMAIN + canonical({"question": question, "text": text})


def questions_message(tender: str) -> bytes:
    """What a bidder signs to see what it is asked."""
    return _QUESTIONS + tender.encode() + b"\n"


def check_question(asked: ClarificationAsked, entrant: Entrant, now: Reading) -> None:
    """ClarificationRefusal for hints, names, or too little time to explain a low price."""
    names = [entrant.bidder_name, entrant.bidder_id]
    if not 1 <= len(asked.question) <= _LONGEST_ID or len(asked.text) > _LONGEST:
        raise ClarificationRefusal(
            problem=f"编号 1–{_LONGEST_ID} 字，问题不超过 {_LONGEST} 字 / too long"
        )
    if not asked.text.strip() or not 1 <= asked.minutes <= _MOST_MINUTES:
        raise ClarificationRefusal(problem="须有问题和时限 / a question and a time are needed")
    if any(name and name in asked.text for name in names):
        raise ClarificationRefusal(problem="问题不得写出投标人 / the question names the bidder")
    least = ANSWER_TIME.at(now.at)
    if asked.low_price and asked.minutes < least.number:
        problem = f"至少 {least.number} 分钟（{least.article}） / minutes to explain a low price"
        raise ClarificationRefusal(problem=problem)


def check_answer(
    asked: ClarificationAsked, answered: ClarificationAnswered, entrant: Entrant
) -> None:
    """ClarificationRefusal unless the bidder itself wrote it, and for every wording known here that
    moves a price, a period or a quality; what is subtler, the panel must see (条例 52).
    """
    message = answer_message(answered.question, answered.text)
    try:
        signature = bytes.fromhex(answered.signature)
    except ValueError:
        signature = b""
    if not check_act(bytes.fromhex(entrant.key), signature, message):
        raise ClarificationRefusal(problem="签名不符 / not signed by the bid's own key")
    known = prices(asked.text)
    if entrant.price and entrant.price.price:
        known.add(Money(entrant.price.price))
    moved = prices(answered.text) - known
    if moved:
        amounts = "、".join(str(amount) for amount in sorted(moved))
        raise ClarificationRefusal(problem=f"不得改变报价：{amounts} / the price may not move")
    if _moves(answered.text):
        problem = "答复改变了实质性内容 / the answer changes the substance"
        raise ClarificationRefusal(problem=problem)
    moved_days = set(_VALIDITY.findall(answered.text)) - set(_VALIDITY.findall(asked.text))
    if moved_days:
        days = "、".join(sorted(moved_days))
        raise ClarificationRefusal(problem=f"不得改变有效期：{days} / the validity may not move")


def _moves(text: str) -> bool:
    """A sentence that says of price, period or quality that it becomes another, unless denied."""
    for found in _MOVED.finditer(text):
        verb = re.search(_MOVES, found.group(), re.IGNORECASE)
        before = text[: found.start() + (verb.start() if verb else 0)]
        if not _NOT.search(before):
            return True
    return False


def prices(text: str) -> set[Money]:
    """Amounts that the text calls a price."""
    found = set()
    for digits, unit in _PRICE.findall(text):
        amount = Decimal(digits.replace(",", "")) * (_TEN_THOUSAND if "万" in unit else 1)
        try:
            found.add(Money.yuan(amount, Rounding.HALF_UP))
        except AmountUnreadable as error:
            raise ClarificationRefusal(problem=f"金额 / amount {digits}") from error
    return found
