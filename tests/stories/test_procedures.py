"""One whole tender for each procedure, in the words of the trade."""

import pytest
from builders import THREE, ABid, AStory
from centre import TestCentre

from trading.envelope.layout import Stage
from trading.facts.tender import Lot
from trading.kernel.errors import Refusal, RuleBroken, TooLate
from trading.tender import Phase


def test_open_tender_from_notice_to_contract(centre: TestCentre) -> None:
    story = AStory(centre).to_opening().ranked().publicised().awarded().contracted()
    state = story.state
    assert state.phase is Phase.COMPLETE
    assert state.contracts[1].amount == min(THREE)
    assert [item.rank for item in state.recommended.ranking] == [1, 2, 3]


def test_invited_tender_rejects_the_uninvited_bid(centre: TestCentre) -> None:
    invited = ("91330", "91331", "91332", "91333")
    story = AStory(centre, procedure="invited-tender", invited=invited).bidding()
    story.hand_in(ABid("不速之客", 1), *(ABid(name, 100 + n) for n, name in enumerate(invited[:3])))
    story.closed().shared().opened().ranked()
    rejections = story.state.recommended.rejections
    assert [item.article for item in rejections] == ["招标投标法实施条例 第五十一条（三）"]
    assert story.state.recommended.ranking[0].bidder_id == "91330"


def test_invited_tender_needs_three_invitations(centre: TestCentre) -> None:
    story = AStory(centre, procedure="invited-tender", invited=("a", "b", "b")).drafted().formed()
    with pytest.raises(RuleBroken) as refused:
        story.published()
    assert "第十七条" in str(refused.value)


def test_government_open_procurement_scores_prices(centre: TestCentre) -> None:
    story = AStory(
        centre,
        procedure="open-procurement",
        method="government-price-score",
        parameters={"weight": "30"},
    ).to_opening()
    story.ranked().awarded().contracted()
    assert [c.score for c in story.state.recommended.ranking] == ["30.00", "29.40", "24.50"]
    assert story.state.phase is Phase.COMPLETE


def test_inquiry_awards_the_lowest_quote(centre: TestCentre) -> None:
    asked = ("91330", "91331", "91332")
    story = AStory(centre, procedure="inquiry", invited=asked).drafted().formed().published(days=6)
    story.with_three().closed().shared().opened().ranked().awarded().contracted()
    assert story.state.phase is Phase.COMPLETE


def test_single_source_needs_one_supplier(centre: TestCentre) -> None:
    sole = ("唯一供应商",)
    story = (
        AStory(centre, procedure="single-source", invited=sole).drafted().formed().published(days=8)
    )
    story.hand_in(ABid("唯一供应商", 5_000_00))
    story.closed().shared().opened().ranked().awarded().contracted()
    assert story.state.phase is Phase.COMPLETE


def test_two_envelopes_open_one_after_the_other(centre: TestCentre) -> None:
    story = AStory(centre, stages=(Stage.TECHNICAL, Stage.PRICE)).bidding()
    for n, fen in enumerate(THREE):
        story.hand_in(ABid(f"9133{n}", None, stage=Stage.TECHNICAL), ABid(f"9133{n}", fen))
    story.closed()
    with pytest.raises(Refusal) as early:
        story.shared(Stage.PRICE)
    assert early.value.code == "KF-405"
    story.shared(Stage.TECHNICAL).opened(Stage.TECHNICAL)
    assert story.state.phase is Phase.TECHNICAL
    assert not story.state.priced()
    story.shared(Stage.PRICE, who=(2, 3, 4)).opened(Stage.PRICE).ranked()
    assert len(story.state.recommended.ranking) == 3


def test_a_lot_with_two_bidders_fails_and_the_other_goes_on(centre: TestCentre) -> None:
    story = AStory(centre, lots=(Lot(1, "甲"), Lot(2, "乙"))).bidding()
    story.with_three()
    story.hand_in(ABid("91330", 77, lot=2), ABid("91331", 78, lot=2))
    story.closed()
    assert story.state.failed_lots[2].article.startswith("招标投标法 第二十八条")
    story.shared().opened().ranked().publicised().awarded().contracted()
    assert story.state.phase is Phase.COMPLETE
    assert list(story.state.contracts) == [1]


def test_fewer_than_three_bidders_means_no_opening(centre: TestCentre) -> None:
    story = AStory(centre).bidding()
    story.hand_in(ABid("91330", 1), ABid("91331", 2))
    story.closed()
    assert story.state.phase is Phase.FAILED
    assert "第二十八条" in story.state.ending.article


def test_cokeys_are_revealed_blind_and_before_the_committee_acts(centre: TestCentre) -> None:
    story = AStory(centre, cokey=True).bidding()
    bids = [ABid(f"9133{n}", fen, cokey=bytes([n]) * 32) for n, fen in enumerate(THREE)]
    eids = story.hand_in(*bids)
    story.closed()
    with pytest.raises(Refusal) as early:
        story.shared()
    assert early.value.code == "KF-405"
    with pytest.raises(Refusal) as wrong:
        centre.opening.reveal(story.tender, eids[0], bids[1].cokey)
    assert wrong.value.code == "KF-321"
    for eid, bid in zip(eids[:2], bids, strict=False):
        centre.opening.reveal(story.tender, eid, bid.cokey)
    with pytest.raises(Refusal) as hasty:
        centre.opening.end_cokey_window(story.tender, Stage.PRICE)
    assert hasty.value.code == "KF-203"
    centre.advance(minutes=31)
    centre.opening.end_cokey_window(story.tender, Stage.PRICE)
    story.shared().opened()
    assert set(story.state.opened) == set(eids[:2])
    assert story.state.unopened[eids[2]].code == "KF-320"
    with pytest.raises(Refusal) as late:
        centre.opening.reveal(story.tender, eids[2], bids[2].cokey)
    assert late.value.code == "KF-400"


def test_replaced_and_withdrawn_bids_are_never_opened(centre: TestCentre) -> None:
    story = AStory(centre).bidding()
    first = ABid("91330", 500)
    others = [ABid(f"9133{n}", 600 + n) for n in (1, 2, 3)]
    eids = story.hand_in(first, *others)
    old = story.state.received[eids[0]].prefix
    better = ABid("91330", 400, key=first.key, replaces=old)
    (new,) = story.hand_in(better)
    gone = story.state.received[eids[3]].prefix
    from trading.envelope.seal import withdrawal_message

    signature = others[2].key.sign(withdrawal_message(gone, gone.header.seq))
    centre.bidder.withdraw(story.tender, eids[3], signature)
    story.closed().shared().opened()
    assert set(story.state.opened) == {new, eids[1], eids[2]}
    assert story.state.opened[new].price == 400


def test_over_ceiling_unsigned_priceless_and_double_bids_are_rejected(centre: TestCentre) -> None:
    story = AStory(centre, lots=(Lot(1, "标段", ceiling=1000),)).bidding()
    story.hand_in(
        ABid("高价", 1001),
        ABid("恰好", 1000),
        ABid("无章", 1, signed=False),
        ABid("无价", None),
        ABid("两份", 10),
        ABid("两份", 20),
    )
    story.closed().shared().opened().ranked()
    recommended = story.state.recommended
    assert [item.bidder_id for item in recommended.ranking] == ["恰好"]
    grounds = sorted(item.article[-3:] for item in recommended.rejections)
    assert grounds == ["（一）", "（五）", "（六）", "（四）", "（四）"]


def test_late_bids_and_withdrawals_are_refused_with_the_article(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three()
    sealed = ABid("迟到", 1).seal(story.state)
    story.closed()
    with pytest.raises(TooLate) as late:
        centre.bidder.hand_in(story.tender, [sealed])
    assert "第三十六条" in str(late.value)
    assert len(story.state.final(Stage.PRICE)) == 3


def test_the_law_has_its_say_at_each_step(centre: TestCentre) -> None:
    story = AStory(centre).drafted().formed()
    with pytest.raises(RuleBroken) as short:
        story.published(days=19.9)
    assert "第二十四条" in str(short.value)
    story.published(days=25)
    centre.purchaser.correct(centre.owner, story.tender, "工程量清单更正")
    centre.advance(days=11)
    with pytest.raises(RuleBroken) as narrow:
        centre.purchaser.correct(centre.owner, story.tender, "再次更正")
    assert "第二十三条" in str(narrow.value)
    longer = story.state.deadline
    assert longer
    from datetime import timedelta

    centre.purchaser.correct(centre.owner, story.tender, "顺延", longer + timedelta(days=5))
    story.with_three().closed().shared().opened().ranked()
    with pytest.raises(Refusal):
        story.awarded()
    story.publicised()
    with pytest.raises(Refusal) as second:
        story.awarded(rank=2)
    assert "第五十五条" in str(second.value)
    story.awarded()
    centre.advance(days=31)
    with pytest.raises(TooLate) as contract:
        story.contracted()
    assert "第四十六条" in str(contract.value)


def test_questions_stay_anonymous_and_answers_go_to_all(centre: TestCentre) -> None:
    story = AStory(centre).bidding()
    question = centre.purchaser.ask(story.tender, "是否接受联合体？")
    centre.purchaser.answer(centre.owner, story.tender, question, "不接受。")
    with pytest.raises(Refusal) as again:
        centre.purchaser.answer(centre.owner, story.tender, question, "接受。")
    assert again.value.code == "KF-207"
    asked = [
        fact for fact, stamp in centre.ledger.stream(f"tender:{story.tender}") if not stamp.actor
    ]
    assert all("asker" not in type(fact).__struct_fields__ for fact in asked)
