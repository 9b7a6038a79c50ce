"""澄清: written, without names, in time, and nothing of substance moves."""

from typing import Any

import pytest
from builders import ABid, AStory
from centre import TestCentre
from panels import ASitting

from evaluation.clarify import answer_message, prices
from trading.envelope.seal import BidKey
from trading.facts.panel import ClarificationAnswered, ClarificationAsked
from trading.facts.rubric import ReviewStage
from trading.facts.tender import Lot
from trading.kernel.errors import ClarificationRefusal, DraftIncomplete, PanelRefusal
from trading.kernel.money import Money

PRICES = (10_000_000, 10_000_000, 4_900_000)  # 49 % of the second lowest


@pytest.fixture
def keys() -> list[BidKey]:
    return [BidKey() for _ in PRICES]


@pytest.fixture
def sitting(centre: TestCentre, keys: list[BidKey]) -> ASitting:
    """Government procurement: low prices must be explained."""
    story = AStory(centre, procedure="open-procurement", lots=(Lot(1, "设备"),)).bidding()
    story.hand_in(*(ABid(f"9133{n}", fen, key=keys[n]) for n, fen in enumerate(PRICES)))
    return ASitting(centre, story.closed().shared().opened()).seated()


def ask(sitting: ASitting, text: str = "请说明报价构成", **changed: Any) -> None:
    fact = {"question": "q1", "bid": "3", "text": text, "minutes": 30, "low_price": True}
    sitting.act("seat-1", ClarificationAsked(**(fact | changed)))  # type: ignore[arg-type]


def answer(sitting: ASitting, key: BidKey, text: str, question: str = "q1") -> None:
    signature = key.sign(answer_message(question, text)).hex()
    fact = ClarificationAnswered(question=question, text=text, signature=signature)
    sitting.desk.answer(sitting.tender, fact)


def to_prices(sitting: ASitting) -> None:
    sitting.reviewed(ReviewStage.QUALIFICATION).reviewed(ReviewStage.CONFORMITY)


def test_a_low_price_is_asked_about_answered_and_judged(
    sitting: ASitting, keys: list[BidKey]
) -> None:
    to_prices(sitting)
    assert [e.number for e in sitting.sitting.remaining(ReviewStage.PRICE)] == ["3"]
    with pytest.raises(ClarificationRefusal, match="须先说明"):
        sitting.seal(ReviewStage.PRICE, "seat-1")  # nobody judges before it was heard
    ask(sitting)
    answer(sitting, keys[2], "材料费 30,000 元，自有设备折旧已提完，报价 49,000.00 元不变")
    sitting.filled(ReviewStage.PRICE, lambda *_: "no")
    sitting.desk.conclude_stage(sitting.tender, ReviewStage.PRICE)
    sitting.reported().concluded()
    recommended = sitting.story.ranked().state.recommended
    assert recommended
    assert [r.article for r in recommended.rejections] == ["财库〔2026〕2号 [sec]"]


def test_silence_is_waited_for_and_then_judged(sitting: ASitting) -> None:
    to_prices(sitting)
    ask(sitting)
    sitting.later(minutes=29, seconds=59)
    with pytest.raises(ClarificationRefusal):
        sitting.seal(ReviewStage.PRICE, "seat-1")
    sitting.later(seconds=2)
    sitting.filled(ReviewStage.PRICE)
    sitting.desk.conclude_stage(sitting.tender, ReviewStage.PRICE)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"minutes": 29}, "至少 30 分钟"),
        ({"text": " "}, "问题和时限"),
        ({"minutes": 0, "low_price": False}, "问题和时限"),
        ({"text": "91332 公司是否漏项？"}, "不得写出投标人"),
        ({"bid": "4"}, "没有投标人"),
    ],
)
def test_questions_that_may_not_be_asked(
    sitting: ASitting, changed: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ClarificationRefusal, match=problem):
        ask(sitting, **changed)


def test_only_the_chair_asks_and_a_question_is_asked_once(sitting: ASitting) -> None:
    fact = ClarificationAsked(question="q1", bid="3", text="?", minutes=30)
    with pytest.raises(PanelRefusal, match="组长"):
        sitting.act("seat-2", fact)
    ask(sitting)
    with pytest.raises(ClarificationRefusal, match="编号已用"):
        ask(sitting)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("我方同意将报价调整为 48,000 元", "报价"),
        ("总价：4.8万元", "报价"),
        ("our price is 48000 yuan", "报价"),
        ("投标有效期延长至 120 天", "实质"),
        ("投标有效期为 120 天", "有效期"),
        ("报价改为人民币玖拾万元整", "实质"),
        ("最终价下浮10%", "实质"),
        ("报价由 49000 元降至 48000 元", "实质"),
        ("工期由90天改为120天", "实质"),
        ("We lower our price", "实质"),
    ],
)
def test_answers_that_move_the_substance(
    sitting: ASitting, keys: list[BidKey], text: str, problem: str
) -> None:
    ask(sitting)
    with pytest.raises(ClarificationRefusal, match=problem):
        answer(sitting, keys[2], text)


def test_an_answer_comes_from_the_bid_itself_in_time_and_once(
    sitting: ASitting, keys: list[BidKey]
) -> None:
    ask(sitting)
    with pytest.raises(ClarificationRefusal, match="签名"):
        answer(sitting, keys[0], "说明")
    with pytest.raises(ClarificationRefusal, match="没有该问题"):
        answer(sitting, keys[2], "说明", "q2")
    answer(sitting, keys[2], "说明")
    with pytest.raises(ClarificationRefusal, match="已答复"):
        answer(sitting, keys[2], "再说明")
    ask(sitting, question="q2")
    sitting.later(minutes=30)
    with pytest.raises(ClarificationRefusal, match="已过"):
        answer(sitting, keys[2], "说明", "q2")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("投标报价为人民币 1,234.50 元", [123_450]),
        ("总价 12 万元", [12_000_000]),
        ("人工费 300 元", []),
        ("报价见附件。材料 500 元", []),
    ],
)
def test_which_amounts_are_prices(text: str, found: list[int]) -> None:
    assert prices(text) == {Money(fen) for fen in found}


def test_an_answer_may_say_that_nothing_changes(sitting: ASitting, keys: list[BidKey]) -> None:
    ask(sitting)
    answer(sitting, keys[2], "我方不调整报价，报价 49,000.00 元不变；人工费减少系采用机械施工")


def test_a_bid_over_the_ceiling_makes_nobody_else_low(centre: TestCentre) -> None:
    """What the facts reject is no bid that complies."""
    lot = Lot(1, "设备", ceiling=20_000_000)
    story = AStory(centre, procedure="open-procurement", lots=(lot,)).bidding()
    prices = (10_000_000, 10_100_000, 10_200_000, 900_000_000)
    story.hand_in(*(ABid(f"9133{n}", fen) for n, fen in enumerate(prices)))
    sitting = ASitting(centre, story.closed().shared().opened()).seated()
    assert sitting.sitting.low_prices() == set()


@pytest.mark.parametrize("percent", ["1", "65.01", "abc", "NaN"])
def test_a_draft_raises_the_limits_of_low_prices_within_the_rule(
    centre: TestCentre, percent: str
) -> None:
    story = AStory(centre, procedure="open-procurement", low_price={"of_mean": percent})
    with pytest.raises(DraftIncomplete):
        story.drafted()
