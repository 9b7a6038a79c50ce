"""评标委员会: seated by law, sheets that nobody sees too early, and what a panel may not do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from builders import THREE, ABid, AStory
from centre import TestCentre
from panels import SALT, SCORED, ASitting, plain

from evaluation.clarify import answer_message
from evaluation.desks.drafts import DraftDesk
from evaluation.order import sheet_digest
from evaluation.panel import PANEL_MACHINE, PanelPhase, stream_of_panel
from evaluation.result import panel_result
from trading.desks.suspension import SuspensionDesk
from trading.disclosure import is_public
from trading.facts.panel import (
    ChairVoted,
    DissentWritten,
    Member,
    MemberReplaced,
    MemberSignedIn,
    PanelFormed,
    ReportSigned,
    ScoreExplained,
    SheetOpened,
    SheetSealed,
    StageReopened,
    TimeAsked,
    UndertakingGiven,
)
from trading.facts.rubric import Item, Kind, Mark, ReviewStage
from trading.kernel.errors import (
    BidsSealed,
    Broken,
    DrawRefusal,
    NotAMember,
    PanelIncomplete,
    PanelRefusal,
    Refusal,
    RoleMissing,
    ScoreInvalid,
    SheetChanged,
    SheetLate,
    SheetRefusal,
    SheetRepeated,
    TrusteeRefuses,
)
from trading.kernel.party import Role
from trading.tender import Phase

QUALIFICATION, CONFORMITY = ReviewStage.QUALIFICATION, ReviewStage.CONFORMITY
TECHNICAL = ReviewStage.TECHNICAL
METHOD = {
    "method": "comprehensive-evaluation",
    "parameters": {"price_weight": "70"},
    "rubric": SCORED,
}


@pytest.fixture
def sitting(centre: TestCentre) -> ASitting:
    return ASitting(centre, AStory(centre).to_opening())


@pytest.fixture
def scoring(centre: TestCentre) -> ASitting:
    return ASitting(centre, AStory(centre, **METHOD).to_opening())


def test_a_panel_reviews_ranks_and_signs(sitting: ASitting) -> None:
    """The whole way: the ranking is in the tender, and a stranger verifies it (see `centre`)."""
    sitting.seated().reviewed_all().reported().concluded()
    assert sitting.panel.phase is PanelPhase.CONCLUDED
    state = sitting.story.ranked().state
    assert state.phase is Phase.RECOMMENDED
    assert state.recommended
    assert [c.price for c in state.recommended.ranking] == sorted(THREE)


def test_scores_become_points_and_a_majority_rejects(scoring: ASitting) -> None:
    def fill(member: str, bid: str, item: Item) -> str:
        if item.code == "responsive" and bid == "2":
            return "no" if member != "seat-5" else "yes"
        if item.code == "plan":
            return {"seat-1": "12", "seat-2": "13"}.get(member, "12.5")
        return plain(member, bid, item)

    scoring.seated().reviewed_all(fill).reported().concluded()
    recommended = scoring.story.ranked().state.recommended
    assert recommended
    assert [item.article for item in recommended.rejections] == ["条例 51（六）"]
    assert "不符合" in recommended.rejections[0].ground
    assert len(recommended.ranking) == 2
    assert "22.50" in recommended.ranking[0].explanation  # 12.5 for the plan and 10 for the record


@pytest.mark.parametrize("yes", [2, 3])
def test_three_of_five_decide(scoring: ASitting, yes: int) -> None:
    def fill(member: str, bid: str, item: Item) -> str:
        if item.code == "qualified" and bid == "1":
            return "yes" if int(member[-1]) <= yes else "no"
        return plain(member, bid, item)

    scoring.seated().reviewed(QUALIFICATION, fill)
    failed = scoring.sitting.reviews(QUALIFICATION)["1"].failed
    assert bool(failed) == (yes < 3)


DEVIATING = tuple(
    Item(f"term-{n}", f"商务条款 {n}", CONFORMITY, Kind.DEVIATION, article="评标办法")
    for n in (1, 2)
)


@pytest.mark.parametrize(
    ("marks", "limit", "rejected", "minor"),
    [
        ("nnnnn", 0, False, 0),
        ("iinnn", 0, False, 0),
        ("iiann", 0, False, 2),
        ("aaann", 0, True, 0),
        ("iiinn", 1, True, 2),
        ("iiinn", 2, False, 2),
    ],
)
def test_a_major_deviation_rejects_and_so_do_too_many_minor_ones(
    centre: TestCentre, marks: str, limit: int, rejected: bool, minor: int
) -> None:
    """`n` none, `i` minor, `a` major: one letter for each member, in both terms."""
    story = AStory(centre, rubric=DEVIATING, minor_deviations=limit).to_opening()
    sitting = ASitting(centre, story).seated()
    said = {"n": "none", "i": "minor", "a": "major"}

    def fill(member: str, bid: str, _: Item) -> str:
        return said[marks[int(member[-1]) - 1]] if bid == "1" else "none"

    sitting.reviewed(CONFORMITY, fill)
    review = sitting.sitting.reviews(CONFORMITY)["1"]
    assert bool(review.failed) == rejected
    assert len(review.minor) == minor


# -- the panel's own composition ----------------------------------------------------------------


def test_below_the_quorum_nobody_sits(sitting: ASitting) -> None:
    sitting.formed().gather("seat-1", "seat-2", "seat-3", "seat-4")
    for party in list(sitting.actors)[:4]:
        sitting.act(party, ChairVoted(candidate="seat-1"))
    with pytest.raises(PanelIncomplete, match="评委5"):
        sitting.desk.seat(sitting.tender)
    with pytest.raises(Refusal):
        sitting.seal(QUALIFICATION, "seat-1")


def test_a_chair_needs_more_than_half(sitting: ASitting) -> None:
    sitting.formed().gather()
    for party, candidate in zip(sitting.actors, ("1", "1", "2", "2", "3"), strict=True):
        sitting.act(party, ChairVoted(candidate=f"seat-{candidate}"))
    with pytest.raises(PanelIncomplete, match="过半"):
        sitting.desk.seat(sitting.tender)
    sitting.act("seat-5", ChairVoted(candidate="seat-2"))
    assert sitting.desk.seat(sitting.tender).chair == "seat-2"


@pytest.mark.parametrize(("keep", "problem"), [(4, "至少 5"), (3, "至少 5"), (0, "至少 5")])
def test_a_panel_must_be_large_enough(sitting: ASitting, keep: int, problem: str) -> None:
    members = tuple(sitting.enrol(n, code) for n, code in enumerate(sitting.drawn(), 1))
    formed = PanelFormed(tender=sitting.tender, draw=sitting.draw, members=members[:keep])
    with pytest.raises(PanelIncomplete, match=problem):
        sitting.desk.form(formed)


def test_experts_must_have_been_drawn(sitting: ASitting) -> None:
    codes = sitting.drawn()
    members = tuple(sitting.enrol(n, code) for n, code in enumerate([*codes[:4], "0" * 64], 1))
    with pytest.raises(PanelIncomplete, match="抽取"):
        sitting.desk.form(PanelFormed(tender=sitting.tender, draw=sitting.draw, members=members))
    owners = (*members[:3], Member("o1", "业主1"), Member("o2", "业主2"))
    with pytest.raises(PanelIncomplete, match="三分之二"):
        sitting.desk.form(PanelFormed(tender=sitting.tender, draw=sitting.draw, members=owners))


def test_who_signs_in_signs_in_once_and_vows_after(sitting: ASitting) -> None:
    sitting.formed()
    with pytest.raises(PanelRefusal, match="签到"):
        sitting.act(
            "seat-1",
            UndertakingGiven(text=SALT),
        )
    sitting.gather("seat-1")
    with pytest.raises(PanelRefusal, match="只签一次"):
        sitting.act("seat-1", MemberSignedIn(site="主场"))


# -- sheets -------------------------------------------------------------------------------------


def test_nobody_sees_a_sheet_before_all_have_sealed_theirs(scoring: ASitting) -> None:
    scoring.seated()
    sheets = {party: scoring.seal(QUALIFICATION, party) for party in list(scoring.actors)[:4]}
    with pytest.raises(SheetRefusal, match="评委5"):
        scoring.act("seat-1", sheets["seat-1"])
    assert scoring.panel.sheets == {}
    scoring.seal(QUALIFICATION, "seat-5")
    scoring.act("seat-1", sheets["seat-1"])


def test_a_sheet_that_changed_after_it_was_sealed(scoring: ASitting) -> None:
    scoring.seated()
    sheets = {party: scoring.seal(QUALIFICATION, party) for party in scoring.actors}
    sheet = sheets["seat-2"]
    first = msgspec.structs.replace(sheet.marks[0], value="no", reason="x")
    with pytest.raises(SheetChanged):
        scoring.act("seat-2", msgspec.structs.replace(sheet, marks=(first, *sheet.marks[1:])))
    with pytest.raises(SheetChanged):
        scoring.act("seat-2", msgspec.structs.replace(sheet, salt="00" * 32))


def test_a_second_sheet_is_refused(scoring: ASitting) -> None:
    scoring.seated()
    scoring.seal(QUALIFICATION, "seat-1")
    with pytest.raises(SheetRepeated, match="评委1"):
        scoring.seal(QUALIFICATION, "seat-1")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("20.5", "应在"),
        ("-0.5", "应在"),
        ("10.25", "步长"),
        ("NaN", "不是数"),
        ("Infinity", "不是数"),
        ("ten", "不是数"),
        ("", "不是数"),
    ],
)
def test_a_score_outside_its_range(scoring: ASitting, value: str, problem: str) -> None:
    scoring.seated().reviewed(QUALIFICATION).reviewed(CONFORMITY)

    def fill(member: str, bid: str, item: Item) -> str:
        return value if (member, bid, item.code) == ("seat-1", "2", "plan") else "10"

    with pytest.raises(ScoreInvalid, match=problem):
        scoring.filled(TECHNICAL, fill)


@pytest.mark.parametrize(
    "change",
    [
        lambda marks: marks[:-1],
        lambda marks: (*marks, marks[0]),
        lambda marks: (*marks[:-1], msgspec.structs.replace(marks[-1], bid="9")),
        lambda marks: (*marks[:-1], msgspec.structs.replace(marks[-1], item="plan")),
        lambda marks: (*marks[1:], Mark(marks[0].bid, marks[0].item, "no")),
        lambda marks: (*marks[1:], Mark(marks[0].bid, marks[0].item, "perhaps")),
    ],
)
def test_a_sheet_that_is_not_filled_in_as_it_should(scoring: ASitting, change) -> None:
    scoring.seated()
    marks = change(scoring.marks(QUALIFICATION, "seat-1"))
    for party in list(scoring.actors)[1:]:
        scoring.seal(QUALIFICATION, party)
    digest = sheet_digest(QUALIFICATION, "seat-1", marks, SALT)
    scoring.act("seat-1", SheetSealed(stage=QUALIFICATION, digest=digest))
    with pytest.raises(ScoreInvalid):
        scoring.act("seat-1", SheetOpened(stage=QUALIFICATION, marks=marks, salt=SALT))


def test_the_clock_of_a_stage_begins_when_its_bids_are_open(centre: TestCentre) -> None:
    """With two envelopes the prices are opened later than the stage before them is concluded."""
    items = (SCORED[2], Item("sum", "算术修正", ReviewStage.PRICE, Kind.AMOUNT))
    story = AStory(centre, stages=(1, 2), rubric=items).bidding()
    story.hand_in(*(ABid(f"9133{n}", None, stage=1) for n in range(3)))
    story.hand_in(*(ABid(f"9133{n}", 9_800_000 + n) for n in range(3)))
    sitting = ASitting(centre, story.closed().shared(1).opened(1)).seated(minutes=30)
    sitting.reviewed(CONFORMITY)
    sitting.later(hours=3)
    story.shared(2).opened(2)
    sitting.later(minutes=29)
    sitting.seal(ReviewStage.PRICE, "seat-1")
    sitting.later(minutes=1, milliseconds=1)
    with pytest.raises(SheetLate):
        sitting.seal(ReviewStage.PRICE, "seat-2")


def test_while_the_tender_is_suspended_the_panel_rests_and_its_clock_stands(
    sitting: ASitting,
) -> None:
    centre, tender = sitting.centre, sitting.tender
    first, second = (centre.actor(f"inspector-{n}", Role.INSPECTOR) for n in (1, 2))
    desk = SuspensionDesk(centre.office, timedelta(seconds=30))
    sitting.seated(minutes=30)
    sitting.later(minutes=20)
    desk.ask_suspension(first, tender, "停电")
    desk.suspend(second, tender)
    sitting.later(hours=5)
    with pytest.raises(PanelRefusal, match="暂停"):
        sitting.seal(QUALIFICATION, "seat-1")
    desk.ask_resumption(first, tender, "来电")
    desk.resume(second, tender)
    sitting.later(minutes=9)
    sitting.seal(QUALIFICATION, "seat-1")
    sitting.later(minutes=1, milliseconds=1)
    with pytest.raises(SheetLate):
        sitting.seal(QUALIFICATION, "seat-2")


def test_a_late_sheet_is_refused_and_more_time_needs_more_than_a_third(sitting: ASitting) -> None:
    sitting.seated(minutes=30)
    stage = sitting.sitting.stage
    assert stage
    sitting.later(minutes=30, milliseconds=1)
    with pytest.raises(SheetLate):
        sitting.seal(stage, "seat-1")
    sitting.act("seat-1", TimeAsked())
    with pytest.raises(PanelRefusal, match="三分之一"):
        sitting.desk.extend(sitting.tender, 20)
    sitting.act("seat-2", TimeAsked())
    sitting.desk.extend(sitting.tender, 20)
    sitting.seal(stage, "seat-1")


def test_another_role_or_another_panel_writes_no_sheet(scoring: ASitting) -> None:
    scoring.seated()
    sealed = SheetSealed(stage=QUALIFICATION, digest="0" * 64)
    with pytest.raises((NotAMember, RoleMissing)):
        scoring.desk.act(scoring.centre.owner, scoring.tender, sealed)
    stranger = scoring.enrol(9, "")
    with pytest.raises(NotAMember):
        scoring.act(stranger.party, sealed)


def test_before_the_opening_there_is_nothing_to_score(centre: TestCentre) -> None:
    early = ASitting(centre, AStory(centre, **METHOD).bidding().with_three().closed())
    early.seated()
    with pytest.raises(BidsSealed):
        early.act("seat-1", SheetSealed(stage=QUALIFICATION, digest="0" * 64))


def test_another_stage_than_the_open_one_waits(scoring: ASitting) -> None:
    scoring.seated()
    with pytest.raises(SheetRefusal, match="现在是"):
        scoring.act("seat-1", SheetSealed(stage=TECHNICAL, digest="0" * 64))


def test_members_agree_on_facts_or_the_stage_waits(scoring: ASitting) -> None:
    def fill(member: str, bid: str, item: Item) -> str:
        if item.code == "record":
            return "8" if member == "seat-4" and bid == "1" else "10"
        return plain(member, bid, item)

    scoring.seated().reviewed(QUALIFICATION).reviewed(CONFORMITY).filled(TECHNICAL, fill)
    with pytest.raises(SheetRefusal, match="业绩"):
        scoring.desk.conclude_stage(scoring.tender, TECHNICAL)
    scoring.act("seat-1", StageReopened(stage=TECHNICAL, ground="客观分复核"))
    scoring.reviewed(TECHNICAL)


def test_a_member_far_from_the_others_explains_or_is_recorded(scoring: ASitting) -> None:
    def fill(member: str, bid: str, item: Item) -> str:
        if item.code == "plan":
            return "20" if member == "seat-3" and bid == "2" else "8"
        return plain(member, bid, item)

    scoring.seated().reviewed(QUALIFICATION).reviewed(CONFORMITY).filled(TECHNICAL, fill)
    far = {(one.member, one.bid, one.item): one.off for one in scoring.sitting.far(TECHNICAL)}
    assert far["seat-3", "2", "plan"] == "12.00"
    assert far["seat-3", "2", "total"] == "8.00"  # 12 less a third of it, its own severity
    said = ScoreExplained(stage=TECHNICAL, bid="2", item="plan", text="方案有专利工法")
    scoring.act("seat-3", said)
    with pytest.raises(SheetRefusal):
        scoring.act("seat-1", said)
    panel = scoring.desk.conclude_stage(scoring.tender, TECHNICAL)
    assert panel.unexplained == [("seat-3", "2", "total")]


# -- blind review, two envelopes ----------------------------------------------------------------


def two_envelopes(centre: TestCentre) -> AStory:
    """Technical envelopes opened, prices still sealed."""
    story = AStory(centre, **(METHOD | {"stages": (1, 2)})).bidding()
    for n, fen in enumerate(THREE):
        story.hand_in(ABid(f"9133{n}", None, stage=1), ABid(f"9133{n}", fen))
    return story.closed().shared(1).opened(1)


def test_a_blind_technical_review_ends_before_prices_are_opened(centre: TestCentre) -> None:
    story = two_envelopes(centre)
    blind = ASitting(centre, story).seated(blind=True)
    blind.reviewed(QUALIFICATION).reviewed(CONFORMITY)
    with pytest.raises(SheetRefusal, match="尚未编号"):
        blind.act("seat-1", SheetSealed(stage=TECHNICAL, digest="0" * 64))
    blind.desk.blind(blind.tender, SALT)
    blind.filled(TECHNICAL)
    codes = {mark.bid for mark in blind.panel.sheets[TECHNICAL]["seat-1"]}
    assert codes.isdisjoint({"1", "2", "3"})
    with pytest.raises(SheetRefusal, match="揭盲"):
        blind.desk.conclude_stage(blind.tender, TECHNICAL)
    with pytest.raises(SheetRefusal, match="承诺"):
        blind.desk.unblind(blind.tender, "00" * 32)
    blind.desk.unblind(blind.tender, SALT)
    blind.desk.conclude_stage(blind.tender, TECHNICAL)
    with pytest.raises(BidsSealed):
        blind.reported()
    story.shared(2).opened(2)
    with pytest.raises(BidsSealed):  # the technical review cannot be done again with prices known
        blind.act("seat-1", StageReopened(stage=TECHNICAL, ground="x"))
    blind.reported().concluded()
    assert story.ranked().state.phase is Phase.RECOMMENDED


def test_no_trustee_opens_prices_before_the_technical_review_is_over(centre: TestCentre) -> None:
    story = two_envelopes(centre)
    with pytest.raises(TrusteeRefuses, match="技术评审尚未结束"):
        story.shared(2)


# -- replacement, going back --------------------------------------------------------------------


def test_a_replaced_members_conclusions_are_void_and_redone(scoring: ASitting) -> None:
    scoring.seated().reviewed(QUALIFICATION)
    panel = scoring.panel
    gone = panel.members["seat-2"]
    assert scoring.supervisor
    draws = scoring.centre.draws
    state = draws.call_stand_in(scoring.supervisor, scoring.draw, gone.code, "absent")
    code = state.present["works"]
    member = scoring.enrol(6, code[[m.code for m in panel.members.values()].index(gone.code)])
    scoring.desk.replace(
        scoring.tender, MemberReplaced(gone="seat-2", member=member, ground="突发疾病")
    )
    assert scoring.panel.phase is PanelPhase.GATHERING
    assert "seat-2" not in scoring.panel.sheets[QUALIFICATION]
    with pytest.raises(NotAMember):
        scoring.act("seat-2", MemberSignedIn(site="主场"))
    scoring.gather("seat-6")
    scoring.desk.seat(scoring.tender)
    assert scoring.sitting.stage is QUALIFICATION
    with pytest.raises(SheetRefusal, match="未全部打开"):
        scoring.desk.conclude_stage(scoring.tender, QUALIFICATION)
    scoring.act("seat-6", scoring.seal(QUALIFICATION, "seat-6"))
    scoring.desk.conclude_stage(scoring.tender, QUALIFICATION)
    scoring.reviewed_all().reported().concluded()


def test_going_back_needs_the_chair_and_a_reason(scoring: ASitting) -> None:
    scoring.seated().reviewed_all().reported()
    for party, ground in (("seat-2", "重新评审"), ("seat-1", " ")):
        with pytest.raises(PanelRefusal):
            scoring.act(party, StageReopened(stage=CONFORMITY, ground=ground))
    panel = scoring.act("seat-1", StageReopened(stage=CONFORMITY, ground="漏看附件"))
    assert (panel.concluded, panel.report) == ([QUALIFICATION], None)
    scoring.reviewed_all().reported().concluded()


# -- the report ---------------------------------------------------------------------------------


def test_silence_is_consent_and_dissent_is_kept(sitting: ASitting) -> None:
    sitting.seated().reviewed_all().reported().sign("seat-1", "seat-2", "seat-3")
    sitting.act("seat-4", DissentWritten(text="不同意第二名，理由……"))
    with pytest.raises(PanelIncomplete, match="评委5"):
        sitting.desk.conclude(sitting.tender)
    with pytest.raises(PanelRefusal, match="30 分钟"):
        sitting.desk.presume_consent(sitting.tender, "seat-5")
    sitting.later(minutes=31)
    with pytest.raises(PanelRefusal, match="书面说明"):
        sitting.desk.presume_consent(sitting.tender, "seat-4")
    sitting.desk.presume_consent(sitting.tender, "seat-5")
    panel = sitting.desk.conclude(sitting.tender)
    assert panel.dissents == {"seat-4": "不同意第二名，理由……"}


def test_nobody_signs_another_report_or_twice(sitting: ASitting) -> None:
    sitting.seated().reviewed_all().reported()
    with pytest.raises(PanelRefusal, match="不是这份"):
        sitting.act("seat-1", ReportSigned(digest="0" * 64))
    sitting.sign("seat-1")
    with pytest.raises(PanelRefusal, match="已签署"):
        sitting.sign("seat-1")


def test_no_ranking_before_the_panel_has_concluded(sitting: ASitting) -> None:
    sitting.seated().reviewed_all().reported()
    with pytest.raises(PanelIncomplete):
        sitting.story.ranked()


def test_no_report_before_every_stage_is_concluded(sitting: ASitting) -> None:
    with pytest.raises(PanelRefusal, match="尚未完成"):
        sitting.seated().reported()


# -- the machine --------------------------------------------------------------------------------


def test_every_phase_is_reached_and_left() -> None:
    reached = {target for _, _, target in PANEL_MACHINE.rows} | {PANEL_MACHINE.start}
    left = {source for source, _, target in PANEL_MACHINE.rows if source != target}
    assert reached == set(PanelPhase)
    assert left == set(PanelPhase)  # another evaluation may be ordered


def test_the_answer_is_bound_to_its_question() -> None:
    assert answer_message("q1", "x") != answer_message("q2", "x")
    assert Kind.PASS in {item.kind for item in SCORED}


# -- what a stranger sees -----------------------------------------------------------------------


def test_a_ranking_that_the_sheets_do_not_give_is_caught_by_verify(scoring: ASitting) -> None:
    scoring.seated().reviewed_all().reported().concluded()
    centre, story = scoring.centre, scoring.story
    right = panel_result(scoring.sitting, ())
    first, second, *others = right.ranking
    swap = msgspec.structs.replace
    forged = swap(right, ranking=(swap(second, rank=1), swap(first, rank=2), *others))
    centre.office.act(story.tender, lambda _, __: [forged], centre.panel)
    centre.is_forged = True
    with pytest.raises(Broken, match="排名与评审不符"):
        centre.verify(centre.export())


def test_a_sheet_slipped_in_past_the_rules_is_caught_by_verify(scoring: ASitting) -> None:
    scoring.seated()
    centre, stream = scoring.centre, stream_of_panel(scoring.tender)
    early = SheetOpened(
        stage=QUALIFICATION, marks=scoring.marks(QUALIFICATION, "seat-1"), salt=SALT
    )
    draft = centre.office.draft(stream, early, scoring.actors["seat-1"])
    centre.ledger.append(stream, scoring.panel.height, [draft])
    centre.is_forged = True
    with pytest.raises(Broken, match="尚未全部提交"):
        centre.verify(centre.export())


def test_what_a_panel_does_is_shown_once_its_candidates_are_published() -> None:
    fact = DissentWritten(text="x")
    shown = {phase for phase in Phase if is_public(fact, phase)}
    assert Phase.OPENED not in shown
    assert Phase.RECOMMENDED not in shown
    assert {Phase.PUBLICITY, Phase.AWARDED, Phase.COMPLETE, Phase.FAILED} <= shown


def test_members_who_submit_at_once_all_get_through(scoring: ASitting) -> None:
    scoring.seated()
    with ThreadPoolExecutor(len(scoring.actors)) as pool:
        list(pool.map(lambda party: scoring.seal(QUALIFICATION, party), scoring.actors))
    assert scoring.panel.sealed[QUALIFICATION].keys() == scoring.actors.keys()


def test_a_tender_may_ask_for_a_larger_panel(centre: TestCentre) -> None:
    sitting = ASitting(centre, AStory(centre, panel_size=7).to_opening())
    with pytest.raises(DrawRefusal, match="至少 7"):
        sitting.formed()


def test_drafts_of_sheets_are_kept_for_their_member_alone(tmp_path: Path) -> None:
    desk = DraftDesk(tmp_path / "drafts")
    assert desk.load("t-1", TECHNICAL, "seat-1") == b""
    for draft in (b"first", b"second"):
        desk.save("t-1", TECHNICAL, "seat-1", draft)
    assert DraftDesk(tmp_path / "drafts").load("t-1", TECHNICAL, "seat-1") == b"second"
    assert desk.load("t-1", TECHNICAL, "seat-2") == b""
    (kept,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert kept.stat().st_mode & 0o077 == 0
    for party, draft in (("../seat-1", b""), ("..", b""), ("seat-1", bytes(1 << 21))):
        with pytest.raises(SheetRefusal):
            desk.save("t-1", TECHNICAL, party, draft)
