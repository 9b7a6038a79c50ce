"""What others do at the same time: decisions look beside them, clocks stand still."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from builders import ABid, AStory
from centre import TestCentre
from panels import SALT, SCORED, ASitting
from remedies import FILED, RAISED, accepted, answered

from evaluation.expert import Dossier
from trading.desks.objection import ObjectionDesk
from trading.desks.suspension import SuspensionDesk
from trading.facts.award import Awarded
from trading.facts.objection import (
    ComplaintAccepted,
    ComplaintDecided,
    Effect,
    ObjectionRaised,
    Subject,
)
from trading.facts.panel import (
    ChairVoted,
    ClarificationAsked,
    DissentWritten,
    MemberReplaced,
    PanelFormed,
    StageReopened,
)
from trading.facts.rubric import Item, Kind, ReviewStage
from trading.kernel.errors import (
    AwardPaused,
    Broken,
    ClarificationRefusal,
    ObjectionRefusal,
    PanelIncomplete,
    Refusal,
    RequestMalformed,
    TooLate,
    TrusteeRefuses,
)
from trading.kernel.party import Role
from trading.tender import Phase

# -- what moves beside a decision -----------------------------------------------------------------


def overtaken(centre: TestCentre, meanwhile: Callable[[], object]) -> None:
    """The next append comes after `meanwhile`, which nobody had seen when it was decided."""
    append = centre.ledger.append

    def late(stream: str, expected: int, drafts: Any) -> Any:
        centre.ledger.append = append  # type: ignore[method-assign]
        meanwhile()
        return append(stream, expected, drafts)

    centre.ledger.append = late  # type: ignore[method-assign]


def a_panel_and_a_stand_in(sitting: ASitting) -> PanelFormed:
    """A panel of all who were drawn, one of whom is replaced before it stands in the ledger."""
    codes = sitting.drawn()
    members = tuple(sitting.enrol(n, code) for n, code in enumerate(codes, 1))
    supervisor = sitting.supervisor
    assert supervisor
    draws, draw = sitting.centre.draws, sitting.draw
    overtaken(sitting.centre, lambda: draws.call_stand_in(supervisor, draw, codes[0], "absent"))
    return PanelFormed(
        tender=sitting.tender, draw=draw, members=members, pace=sitting.story.state.drafted.pace
    )


def test_a_panel_is_formed_of_the_draw_as_it_is_when_it_is_written(centre: TestCentre) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening())
    formed = a_panel_and_a_stand_in(sitting)
    with pytest.raises(PanelIncomplete, match="全部人员"):
        sitting.desk.form(formed)


def test_the_control_without_a_look_beside_a_stranger_finds_it_broken(
    centre: TestCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening())
    formed = a_panel_and_a_stand_in(sitting)
    monkeypatch.setattr(centre.office, "heights", lambda _: ())
    sitting.desk.form(formed)
    centre.is_forged = True
    with pytest.raises(Broken, match="全部人员"):
        centre.verify(centre.export())


def test_an_award_waits_for_a_complaint_that_was_accepted_meanwhile(centre: TestCentre) -> None:
    story = AStory(centre).to_opening().ranked()
    inspector = centre.actor("inspector", Role.INSPECTOR)
    centre.award.publish_candidates(centre.owner, story.tender)
    desk, bidder = answered(centre, story.tender)
    desk.act(bidder, story.tender, FILED)
    publicity, recommended = story.state.publicity, story.state.recommended
    assert publicity
    assert recommended
    centre.clock.at = publicity.until + timedelta(minutes=1)
    first = next(item for item in recommended.ranking if item.rank == 1)
    beside = centre.ledger.submit

    def late(stream: str, expected: int, drafts: Any) -> Any:
        centre.ledger.submit = beside  # type: ignore[method-assign]
        desk.act(inspector, story.tender, ComplaintAccepted(complaint="c"))
        return beside(stream, expected, drafts)

    centre.ledger.submit = late  # type: ignore[method-assign]
    with pytest.raises(AwardPaused):
        centre.award.decide(centre.owner, story.tender, (Awarded(first.lot, first.eid),))


def test_a_decision_that_cannot_take_effect_is_not_taken(centre: TestCentre) -> None:
    story = AStory(centre).to_opening().ranked()
    first, second = (centre.actor(f"inspector-{n}", Role.INSPECTOR) for n in (1, 2))
    centre.award.publish_candidates(centre.owner, story.tender)
    desk = accepted(centre, story.tender, first)
    pauses = SuspensionDesk(centre.office, timedelta(seconds=30))
    pauses.ask_suspension(first, story.tender, "停电")
    pauses.suspend(second, story.tender)
    decided = ComplaintDecided(complaint="c", effect=Effect.RE_EVALUATE, ground="评审有误")
    with pytest.raises(ObjectionRefusal, match="先恢复"):
        desk.decide(first, story.tender, decided)
    pauses.ask_resumption(first, story.tender, "来电")
    pauses.resume(second, story.tender)
    assert desk.decide(first, story.tender, decided).phase is Phase.OPENED


def test_periods_of_complaints_stand_still_while_the_tender_does(centre: TestCentre) -> None:
    story = AStory(centre).to_opening().ranked()
    first, second = (centre.actor(f"inspector-{n}", Role.INSPECTOR) for n in (1, 2))
    centre.award.publish_candidates(centre.owner, story.tender)
    desk, bidder = answered(centre, story.tender)
    pauses = SuspensionDesk(centre.office, timedelta(seconds=30))
    pauses.ask_suspension(first, story.tender, "停电")
    pauses.suspend(second, story.tender)
    centre.clock.advance(timedelta(days=20))
    desk.act(bidder, story.tender, msgspec.structs.replace(RAISED, objection="while it rests"))
    pauses.ask_resumption(first, story.tender, "来电")
    pauses.resume(second, story.tender)
    desk.act(bidder, story.tender, FILED)
    centre.clock.advance(timedelta(days=11))
    late = msgspec.structs.replace(FILED, complaint="c2")
    with pytest.raises(TooLate):
        desk.act(bidder, story.tender, late)


def test_nobody_is_silenced_by_a_long_name_or_many_objections(centre: TestCentre) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening()).seated()
    for question in ("", "q" * 65):
        asked = ClarificationAsked(question=question, bid="1", text="请说明", minutes=30)
        with pytest.raises(ClarificationRefusal, match="编号"):
            sitting.act("seat-1", asked)
    desk, bidder = ObjectionDesk(centre.office), centre.actor("bidder-1", Role.BIDDER)
    for number in range(3):
        said = ObjectionRaised(objection=f"o{number}", about=Subject.OPENING, text="唱标有误")
        desk.act(bidder, sitting.tender, said)
    for name, problem in (("o3", "待答复"), ("o" * 65, "待答复")):
        said = ObjectionRaised(objection=name, about=Subject.OPENING, text="唱标有误")
        with pytest.raises(ObjectionRefusal, match=problem):
            desk.act(bidder, sitting.tender, said)
    with pytest.raises(RequestMalformed, match="超过"):
        sitting.act("seat-1", DissentWritten(text="x" * 50_000))


# -- what must not stand in the way for ever ------------------------------------------------------


def test_names_come_out_although_a_dossier_was_written_anew(centre: TestCentre) -> None:
    story = AStory(centre).to_opening()
    sitting = ASitting(centre, story).seated().reviewed_all().reported().concluded()
    for number in range(9):
        dossier = Dossier(who=f"id-{number}", name=f"专家{number}", salt=f"{number + 100:064x}")
        sitting.bank.admit(dossier, ("works",), "senior", "A")
    story.ranked().publicised().awarded()
    assert len(sitting.bank.unseal(sitting.draw).names) == 5


def test_after_a_replacement_the_prices_are_opened_once_the_stages_are_done(
    centre: TestCentre,
) -> None:
    """The trustees count the sheets as the panel does: the others' of the first stage stand."""
    items = (SCORED[0], SCORED[2], Item("sum", "算术修正", ReviewStage.PRICE, Kind.AMOUNT))
    story = AStory(centre, stages=(1, 2), rubric=items).bidding()
    for number in range(3):
        fen = 9_800_000 + number
        story.hand_in(ABid(f"9133{number}", None, stage=1), ABid(f"9133{number}", fen))
    sitting = ASitting(centre, story.closed().shared(1).opened(1)).seated()
    sitting.reviewed(ReviewStage.QUALIFICATION).reviewed(ReviewStage.CONFORMITY)
    replace(sitting, "seat-5", 6)
    sitting.gather("seat-6")
    sitting.act("seat-6", ChairVoted(candidate="seat-1"))
    sitting.desk.seat(sitting.tender)
    sitting.act("seat-6", sitting.seal(ReviewStage.QUALIFICATION, "seat-6"))
    sitting.desk.conclude_stage(sitting.tender, ReviewStage.QUALIFICATION)
    with pytest.raises(TrusteeRefuses):
        story.shared(2)
    sitting.reviewed(ReviewStage.CONFORMITY)
    story.shared(2).opened(2)
    sitting.reviewed(ReviewStage.PRICE).reported().concluded()
    assert story.ranked().state.phase is Phase.RECOMMENDED


def replace(sitting: ASitting, gone: str, number: int) -> None:
    supervisor = sitting.supervisor
    assert supervisor
    code = sitting.panel.members[gone].code
    draw = sitting.centre.draws.call_stand_in(supervisor, sitting.draw, code, "absent")
    member = sitting.enrol(number, draw.stand_ins[-1].code)
    fact = MemberReplaced(gone=gone, member=member, ground="突发疾病")
    sitting.desk.replace(sitting.tender, fact)
    del sitting.actors[gone]


def test_going_back_one_stage_keeps_those_before_it(centre: TestCentre) -> None:
    items = (SCORED[0], SCORED[2], Item("sum", "算术修正", ReviewStage.PRICE, Kind.AMOUNT))
    story = AStory(centre, stages=(1, 2), rubric=items).bidding()
    for number in range(3):
        fen = 9_800_000 + number
        story.hand_in(ABid(f"9133{number}", None, stage=1), ABid(f"9133{number}", fen))
    sitting = ASitting(centre, story.closed().shared(1).opened(1)).seated()
    sitting.reviewed(ReviewStage.QUALIFICATION).reviewed(ReviewStage.CONFORMITY)
    back = StageReopened(stage=ReviewStage.CONFORMITY, ground="漏看附件")
    sitting.act("seat-1", back)
    sitting.reviewed(ReviewStage.CONFORMITY)
    assert story.shared(2).opened(2).state.phase is Phase.OPENED


def test_an_ordered_panel_sits_where_none_sat_before(centre: TestCentre) -> None:
    """The first ranking followed from facts alone; the panel that is ordered then is the first."""
    story = AStory(centre).to_opening().ranked()
    inspector = centre.actor("inspector", Role.INSPECTOR)
    centre.award.publish_candidates(centre.owner, story.tender)
    desk = accepted(centre, story.tender, inspector)
    decided = ComplaintDecided(complaint="c", effect=Effect.RE_EVALUATE, ground="评审有误")
    desk.decide(inspector, story.tender, decided)
    centre.clock.advance(timedelta(minutes=1))
    sitting = ASitting(centre, story).seated().reviewed_all().reported().concluded()
    assert story.ranked().state.phase is Phase.RECOMMENDED
    again = msgspec.structs.replace(sitting.panel.terms, minutes=30)
    with pytest.raises(Refusal):
        sitting.desk.form(again)


def test_steps_of_the_host_may_be_sent_again(centre: TestCentre) -> None:
    story = AStory(centre, rubric=SCORED, method="comprehensive-evaluation").to_opening()
    sitting = ASitting(centre, story).seated(blind=True)
    sitting.desk.seat(sitting.tender)
    for stage in (ReviewStage.QUALIFICATION, ReviewStage.CONFORMITY):
        sitting.reviewed(stage)
        sitting.desk.conclude_stage(sitting.tender, stage)
    codes = sitting.desk.blind(sitting.tender, SALT).blinded
    assert sitting.desk.blind(sitting.tender, "cd" * 32).blinded == codes
    sitting.filled(ReviewStage.TECHNICAL)
    for _ in range(2):
        sitting.desk.unblind(sitting.tender, SALT)
    sitting.desk.conclude_stage(sitting.tender, ReviewStage.TECHNICAL)
    sitting.reported().reported().concluded()
    size = centre.ledger.size()
    sitting.desk.conclude(sitting.tender)
    assert centre.ledger.size() == size
