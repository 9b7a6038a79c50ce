"""异议·投诉: in their windows, by whom the law says, with effects; what follows the contract."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from builders import AUTHORITY, AStory
from centre import TestCentre
from panels import ASitting

from trading.desks.fulfilment import FulfilmentDesk
from trading.desks.objection import ObjectionDesk
from trading.facts.award import EvaluationReopened
from trading.facts.fulfilment import (
    BondReturned,
    ContractAmended,
    PerformanceRecorded,
    Side,
)
from trading.facts.objection import (
    ComplaintAccepted,
    ComplaintDecided,
    ComplaintDeclined,
    ComplaintFiled,
    Effect,
    ObjectionAnswered,
    ObjectionRaised,
    Subject,
)
from trading.fulfilment import contract_message
from trading.kernel.errors import (
    AwardPaused,
    AwardRefusal,
    Broken,
    ContentMalformed,
    ContractDiffers,
    ObjectionRefusal,
    PanelIncomplete,
    Refusal,
    TooLate,
)
from trading.kernel.party import Role
from trading.tender import Phase


class Remedies:
    """A tender whose candidates are published, a bidder, and the supervising body."""

    def __init__(self, centre: TestCentre, story: AStory) -> None:
        self.centre, self.story, self.tender = centre, story, story.tender
        self.desk = ObjectionDesk(centre.office)
        self.bidder = centre.actor("bidder-1", Role.BIDDER)
        self.inspector = centre.actor("inspector", Role.INSPECTOR)

    def published(self) -> "Remedies":
        self.centre.award.publish_candidates(self.centre.owner, self.tender)
        return self

    def object(self, about: Subject = Subject.CANDIDATES, name: str = "o1") -> None:
        fact = ObjectionRaised(objection=name, about=about, text="第一名业绩不实")
        self.desk.act(self.bidder, self.tender, fact)

    def answer(self, name: str = "o1") -> None:
        fact = ObjectionAnswered(objection=name, text="经核实，业绩属实", upheld=False)
        self.desk.act(self.centre.owner, self.tender, fact)

    def complain(self, objection: str = "o1", name: str = "c1") -> None:
        fact = ComplaintFiled(complaint=name, text="不服答复", objection=objection)
        self.desk.act(self.bidder, self.tender, fact)

    def accept(self) -> None:
        self.desk.act(self.inspector, self.tender, ComplaintAccepted(complaint="c1"))

    def decide(self, effect: Effect) -> Phase:
        fact = ComplaintDecided(complaint="c1", effect=effect, ground="查明……")
        return self.desk.decide(self.inspector, self.tender, fact).phase

    def award(self) -> None:
        publicity = self.story.state.publicity
        assert publicity
        self.centre.clock.at = max(self.centre.clock.at, publicity.until + timedelta(seconds=1))
        self.story.awarded()


@pytest.fixture
def remedies(centre: TestCentre) -> Remedies:
    return Remedies(centre, AStory(centre).to_opening().ranked()).published()


def test_an_objection_holds_the_award_up_until_it_is_answered(remedies: Remedies) -> None:
    remedies.object()
    with pytest.raises(AwardPaused, match="o1"):
        remedies.award()
    remedies.answer()
    remedies.award()
    assert remedies.story.state.phase is Phase.NOTICED


def test_an_award_past_an_open_objection_is_caught_by_verify(remedies: Remedies) -> None:
    from trading.facts.award import AwardDecided, Awarded

    remedies.object()
    recommended = remedies.story.state.recommended
    assert recommended
    remedies.centre.advance(days=9)
    forged = AwardDecided(awards=(Awarded(1, recommended.ranking[0].eid),))
    centre = remedies.centre
    centre.office.act(remedies.tender, lambda _, __: [forged], centre.owner)
    centre.is_forged = True
    with pytest.raises(Broken, match="暂停定标"):
        centre.verify(centre.export())


def test_the_window_of_objections_is_the_publicity(remedies: Remedies) -> None:
    publicity = remedies.story.state.publicity
    assert publicity
    remedies.centre.clock.at = publicity.until - timedelta(seconds=5)
    remedies.object()
    remedies.centre.clock.at = publicity.until + timedelta(seconds=1)
    with pytest.raises(TooLate):
        remedies.object(name="o2")


def test_objections_to_the_documents_end_ten_days_before_the_deadline(
    centre: TestCentre,
) -> None:
    remedies = Remedies(centre, AStory(centre).bidding())
    deadline = remedies.story.state.deadline
    assert deadline
    centre.clock.at = deadline - timedelta(days=10, seconds=5)
    remedies.object(Subject.DOCUMENTS)
    centre.clock.at = deadline - timedelta(days=10) + timedelta(seconds=1)
    with pytest.raises(TooLate):
        remedies.object(Subject.DOCUMENTS, "o2")
    for about in (Subject.OPENING, Subject.CANDIDATES):
        with pytest.raises(ObjectionRefusal):
            remedies.object(about, "o3")


def test_objections_to_the_opening_are_made_on_the_spot(centre: TestCentre) -> None:
    remedies = Remedies(centre, AStory(centre).to_opening())
    remedies.object(Subject.OPENING)
    remedies.story.ranked()
    with pytest.raises(ObjectionRefusal, match="现场"):
        remedies.object(Subject.OPENING, "o2")


def test_questions_on_a_government_purchase_have_seven_working_days(centre: TestCentre) -> None:
    story = AStory(centre, procedure="open-procurement").to_opening().ranked()
    remedies = Remedies(centre, story)
    recommended = story.state.recommended_at
    assert recommended
    centre.clock.at = recommended + timedelta(days=10)  # with two days of rest or more between
    if story.state.procedure.publicity is None:
        remedies.object()
        centre.clock.at = recommended + timedelta(days=13)
        with pytest.raises(TooLate):
            remedies.object(name="o2")


def test_a_complaint_follows_an_objection_and_its_answer(remedies: Remedies) -> None:
    with pytest.raises(ObjectionRefusal, match="先提出异议"):
        remedies.complain("")
    remedies.object()
    with pytest.raises(ObjectionRefusal, match="等待答复"):
        remedies.complain()
    remedies.centre.advance(days=3, seconds=5)
    remedies.complain()  # nobody answered in time


def test_a_complaint_comes_within_ten_days(remedies: Remedies) -> None:
    remedies.object()
    remedies.answer()
    remedies.centre.advance(days=10, seconds=5)
    with pytest.raises(TooLate):
        remedies.complain()


def test_only_the_objector_complains_and_only_the_owner_answers(remedies: Remedies) -> None:
    remedies.object()
    other = remedies.centre.actor("bidder-2", Role.BIDDER)
    agency = remedies.centre.actor("agency", Role.AGENCY)
    fact = ObjectionAnswered(objection="o1", text="x", upheld=False)
    with pytest.raises(ObjectionRefusal, match="招标人答复"):
        remedies.desk.act(agency, remedies.tender, fact)
    remedies.answer()
    filed = ComplaintFiled(complaint="c1", text="x", objection="o1")
    with pytest.raises(ObjectionRefusal, match="先提出异议"):
        remedies.desk.act(other, remedies.tender, filed)
    with pytest.raises(ObjectionRefusal):
        remedies.answer()


def complained(remedies: Remedies) -> Remedies:
    remedies.object()
    remedies.answer()
    remedies.complain()
    remedies.accept()
    return remedies


def test_an_accepted_complaint_holds_the_award_up_and_a_dismissal_lets_it_go_on(
    remedies: Remedies,
) -> None:
    complained(remedies)
    with pytest.raises(AwardPaused, match="c1"):
        remedies.award()
    assert remedies.decide(Effect.DISMISSED) is Phase.PUBLICITY
    remedies.award()


def test_a_declined_complaint_is_closed(remedies: Remedies) -> None:
    remedies.object()
    remedies.answer()
    remedies.complain()
    declined = ComplaintDeclined(complaint="c1", ground=" ")
    with pytest.raises(ObjectionRefusal, match="说明理由"):
        remedies.desk.act(remedies.inspector, remedies.tender, declined)
    declined = ComplaintDeclined(complaint="c1", ground="逾期")
    remedies.desk.act(remedies.inspector, remedies.tender, declined)
    with pytest.raises(ObjectionRefusal):
        remedies.accept()
    remedies.award()


@pytest.mark.parametrize("effect", [Effect.RE_TENDER, Effect.CANCEL])
def test_a_decision_may_end_the_tender(remedies: Remedies, effect: Effect) -> None:
    complained(remedies)
    assert remedies.decide(effect) is Phase.FAILED
    ending = remedies.story.state.ending
    assert ending
    assert "查明" in str(ending)


def test_a_decision_may_order_another_evaluation(centre: TestCentre) -> None:
    story = AStory(centre).to_opening()
    first = ASitting(centre, story).seated().reviewed_all().reported().concluded()
    remedies = complained(Remedies(centre, story.ranked()).published())
    assert remedies.decide(Effect.RE_EVALUATE) is Phase.OPENED
    assert remedies.desk.enforce(remedies.tender, "c1").phase is Phase.OPENED  # and once
    with pytest.raises(PanelIncomplete):  # the first panel's word counts no more
        story.ranked()
    same_draw = msgspec.structs.replace(first.panel.terms, minutes=30)
    with pytest.raises(PanelIncomplete, match="重新抽取"):
        first.desk.form(same_draw)
    first.again().reviewed_all().reported().concluded()
    assert story.ranked().state.phase is Phase.RECOMMENDED
    assert len(first.panel.draws) == 2


def test_nobody_reopens_an_evaluation_without_a_decision(remedies: Remedies) -> None:
    centre = remedies.centre
    forged = EvaluationReopened(complaint="c1")
    centre.office.act(remedies.tender, lambda _, __: [forged])
    centre.is_forged = True
    with pytest.raises(Broken, match="没有处理决定"):
        centre.verify(centre.export())


# -- after the contract -------------------------------------------------------------------------


@pytest.fixture
def contracted(centre: TestCentre) -> AStory:
    return AStory(centre).to_opening().ranked().publicised().awarded().contracted()


def test_both_sides_sign_the_contract_with_their_certificates(
    centre: TestCentre, contracted: AStory
) -> None:
    desk, tender = FulfilmentDesk(centre.office), contracted.tender
    message = contract_message(contracted.state, 1)
    stranger = AUTHORITY.issue("999", "路人").sign(message)
    with pytest.raises(ContractDiffers, match="supplier"):
        desk.countersign(tender, 1, Side.SUPPLIER, stranger)
    winner = AUTHORITY.issue("91330", "91330 公司")
    with pytest.raises(ContentMalformed):
        desk.countersign(tender, 1, Side.SUPPLIER, winner.sign(b"another contract"))
    desk.countersign(tender, 1, Side.SUPPLIER, winner.sign(message))
    with pytest.raises(ContractDiffers, match="owner"):
        desk.countersign(tender, 1, Side.OWNER, winner.sign(message))
    owner = AUTHORITY.issue("buyer-1", "某县交通局")
    state = desk.countersign(tender, 1, Side.OWNER, owner.sign(message))
    assert state.countersigned == {(1, Side.SUPPLIER), (1, Side.OWNER)}
    with pytest.raises(ContractDiffers):
        desk.countersign(tender, 1, Side.SUPPLIER, winner.sign(message))


BAD: list[Any] = [
    ContractAmended(lot=2, amount=1, digest="0" * 64, ground="x"),
    ContractAmended(lot=1, amount=1, digest="0" * 64, ground=" "),
    ContractAmended(lot=1, amount=0, digest="0" * 64, ground="x"),
    PerformanceRecorded(lot=1, text=""),
    BondReturned(bidder_id="nobody", amount=1, interest=0),
    BondReturned(bidder_id="91330", amount=1, interest=-1),
]


@pytest.mark.parametrize("fact", BAD)
def test_what_cannot_be_recorded(centre: TestCentre, contracted: AStory, fact: Any) -> None:
    with pytest.raises(Refusal):
        FulfilmentDesk(centre.office).record(centre.owner, contracted.tender, fact)


def test_amendments_milestones_and_bonds_are_kept(centre: TestCentre, contracted: AStory) -> None:
    desk, tender = FulfilmentDesk(centre.office), contracted.tender
    changed = ContractAmended(lot=1, amount=12_000_000, digest="0" * 64, ground="设计变更")
    desk.record(centre.owner, tender, changed)
    desk.record(centre.owner, tender, PerformanceRecorded(lot=1, text="竣工验收合格"))
    back = BondReturned(bidder_id="91331", amount=100_000, interest=12)
    state = desk.record(centre.owner, tender, back)
    assert (state.amounts, len(state.records)) == ({1: 12_000_000}, 1)
    with pytest.raises(AwardRefusal):
        desk.record(centre.owner, tender, back)


def test_government_contracts_grow_by_ten_percent_at_most(centre: TestCentre) -> None:
    story = AStory(centre, procedure="open-procurement").to_opening().ranked()
    if story.state.procedure.publicity:
        story.publicised()
    story.awarded().contracted()
    desk, amount = FulfilmentDesk(centre.office), story.state.contracts[1].amount
    more = ContractAmended(lot=1, amount=amount * 110 // 100, digest="0" * 64, ground="追加")
    desk.record(centre.owner, story.tender, more)
    over = ContractAmended(lot=1, amount=amount * 110 // 100 + 1, digest="0" * 64, ground="追加")
    with pytest.raises(ContractDiffers, match="百分之 10"):
        desk.record(centre.owner, story.tender, over)


def test_the_archive_is_kept_fifteen_years(centre: TestCentre, contracted: AStory) -> None:
    desk, tender = FulfilmentDesk(centre.office), contracted.tender
    with pytest.raises(AwardRefusal, match="15 年"):
        desk.archive(tender, "0" * 64, 14)
    assert desk.archive(tender, "0" * 64, 15).archive
    with pytest.raises(AwardRefusal, match="已归档"):
        desk.archive(tender, "0" * 64, 30)
