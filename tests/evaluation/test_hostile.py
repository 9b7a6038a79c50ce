"""What a dishonest operator, member or bidder tries against an evaluation, and does not get."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pypdfium2
import pytest
from builders import THREE, ABid, AStory
from centre import TestCentre
from commands import kaifeng
from panels import SCORED, ASitting, plain

from evaluation.bill import Bill, BillLine, Section
from evaluation.casefile import case_of
from evaluation.clearing import check_bills, corrected
from evaluation.entrant import entrants
from evaluation.paper import typeset
from evaluation.papers import PAPERS
from evaluation.result import panel_result
from trading.announcing import coefficient_terms
from trading.draw import TRUSTEE
from trading.facts.draw import DrawAnnounced, DrawDecided, Group, Option
from trading.facts.panel import (
    DissentWritten,
    Member,
    MemberReplaced,
    PanelFormed,
    ReportSigned,
    StageConcluded,
    StageReopened,
)
from trading.facts.rubric import Item, ReviewStage
from trading.facts.tender import Lot
from trading.kernel.errors import (
    AmountUnreadable,
    Broken,
    DraftIncomplete,
    DrawRefusal,
    PanelIncomplete,
    PanelRefusal,
    PaperRefusal,
    Refusal,
    ScoreInvalid,
    TrusteeRefuses,
)
from trading.kernel.money import Money
from trading.kernel.party import Role
from trading.lots import commitment, draw_digest

SCORING: dict[str, Any] = {
    "method": "comprehensive-evaluation",
    "parameters": {"price_weight": "70"},
    "rubric": SCORED,
}
FLOATS = {"float_percent": ("0", "1", "2", "3")}


def draw_of(centre: TestCentre, announced: DrawAnnounced) -> str:
    """Held by owner, supervisor and a trustee; its name."""
    name, draws = announced.draw, centre.draws
    actors = {"owner": centre.owner, "second": centre.actor("second", Role.INSPECTOR)}
    draws.announce(centre.owner, announced)
    digest = draw_digest(announced)
    for party, actor in actors.items():
        draws.commit(actor, name, commitment(digest, party, bytes(32)))
    draws.ask_commitments(name, centre.trustees)
    draws.root(name)
    for actor in actors.values():
        draws.reveal(actor, name, bytes(32).hex())
    draws.ask_secrets(name, centre.trustees)
    draws.decide(name)
    return name


def coefficients(sitting: ASitting, **changed: Any) -> DrawAnnounced:
    options, groups = coefficient_terms(FLOATS)
    trustee = TRUSTEE + sitting.centre.trustees[0].key.hex()
    announced = DrawAnnounced(
        draw=f"{sitting.tender}:coefficient:1",
        tender=sitting.tender,
        purpose="coefficient",
        options=options,
        groups=groups,
        contributors=("owner", "second", trustee),
    )
    return msgspec.structs.replace(announced, **changed)


@pytest.fixture
def floating(centre: TestCentre) -> ASitting:
    story = AStory(centre, method="reasonable-low-price", drawn=FLOATS).to_opening()
    return ASitting(centre, story).seated().reviewed_all()


def test_a_coefficient_is_drawn_from_what_the_documents_say(floating: ASitting) -> None:
    name = draw_of(floating.centre, coefficients(floating))
    floating.reported((name,)).concluded()
    recommended = floating.story.ranked().state.recommended
    assert recommended
    assert len(recommended.ranking) == len(THREE)


@pytest.mark.parametrize(
    "changed",
    [
        {"options": (Option("float_percent=0", ("float_percent",)),)},
        {
            "options": (Option("price_weight=10", ("price_weight",)),),
            "groups": (Group("price_weight", 1, "price_weight"),),
        },
    ],
)
def test_a_draw_of_anything_else_sets_no_parameter(
    floating: ASitting, changed: dict[str, Any]
) -> None:
    with pytest.raises(DrawRefusal, match="所列系数"):
        draw_of(floating.centre, coefficients(floating, **changed))
    with pytest.raises(PanelRefusal, match="系数抽取"):
        floating.reported()


@pytest.mark.parametrize(
    "draft",
    [
        {"method": "double-random-credit"},
        {"method": "double-random-credit", "parameters": {"seed": "00" * 32}},
        {"method": "reasonable-low-price", "drawn": {"float_percent": ("1",)}},
        {"method": "reasonable-low-price", "drawn": {"float_percent": ("1", "101")}},
        {
            "method": "reasonable-low-price",
            "drawn": FLOATS,
            "parameters": {"float_percent": "1"},
        },
    ],
)
def test_what_must_be_drawn_is_not_set_by_the_owner(
    centre: TestCentre, draft: dict[str, Any]
) -> None:
    with pytest.raises(DraftIncomplete):
        AStory(centre, **draft).drafted()


@pytest.mark.parametrize(
    "draft", [SCORING, {"method": "reasonable-low-price", "drawn": FLOATS}], ids=["rubric", "drawn"]
)
def test_where_a_panel_must_review_nothing_is_ranked_without_one(
    centre: TestCentre, draft: dict[str, Any]
) -> None:
    with pytest.raises(PanelIncomplete):
        AStory(centre, **draft).to_opening().ranked()


def test_a_panel_is_everybody_who_was_drawn(centre: TestCentre) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening())
    codes = sitting.drawn()
    members = [sitting.enrol(n, code) for n, code in enumerate(codes, 1)]
    owner = Member("owner-1", "业主1")
    added = (*members, owner, Member("owner-2", "业主2"))
    for chosen, problem in (((*members[:4], owner), "如抽取公告"), (added, "如抽取公告")):
        formed = PanelFormed(tender=sitting.tender, draw=sitting.draw, members=tuple(chosen))
        with pytest.raises(PanelIncomplete, match=problem):
            sitting.desk.form(formed)
    sitting.desk.form(PanelFormed(tender=sitting.tender, draw=sitting.draw, members=tuple(members)))


def test_nobody_follows_who_sits_already_or_is_no_expert(centre: TestCentre) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening()).seated()
    seated = sitting.panel.members["seat-1"].code
    for code in (seated, ""):
        member = sitting.enrol(6 + bool(code), code)
        replaced = MemberReplaced(gone="seat-2", member=member, ground="x")
        with pytest.raises(PanelIncomplete):
            sitting.desk.replace(sitting.tender, replaced)


def test_later_stages_are_done_again_as_a_whole_after_a_replacement(centre: TestCentre) -> None:
    """Bid 1 comes back by the new member's vote; nobody's single mark decides on it then."""

    def doubtful(member: str, bid: str, item: Item) -> str:
        if item.code == "qualified" and bid == "1":
            return "no" if member in ("seat-1", "seat-2", "seat-3") else "yes"
        return plain(member, bid, item)

    sitting = ASitting(centre, AStory(centre, **SCORING).to_opening()).seated()
    sitting.reviewed(ReviewStage.QUALIFICATION, doubtful).reviewed(ReviewStage.CONFORMITY)
    gone = sitting.panel.members["seat-3"].code
    assert sitting.supervisor
    state = centre.draws.call_stand_in(sitting.supervisor, sitting.draw, gone, "absent")
    fresh = next(
        iter(set(state.present["works"]) - {m.code for m in sitting.panel.members.values()})
    )
    member = sitting.enrol(6, fresh)
    replaced = MemberReplaced(gone="seat-3", member=member, ground="x")
    sitting.desk.replace(sitting.tender, replaced)
    assert list(sitting.panel.sheets) == [ReviewStage.QUALIFICATION]
    sitting.gather("seat-6")
    sitting.desk.seat(sitting.tender)
    sitting.act("seat-6", sitting.seal(ReviewStage.QUALIFICATION, "seat-6", doubtful))
    sitting.desk.conclude_stage(sitting.tender, ReviewStage.QUALIFICATION)
    assert "1" in {one.number for one in sitting.sitting.remaining(ReviewStage.CONFORMITY)}
    sitting.reviewed_all().reported().concluded()


def test_a_dissent_is_about_one_report_and_stays_in_the_record(centre: TestCentre) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening()).seated().reviewed_all().reported()
    sitting.act("seat-2", DissentWritten(text="不同意第一版"))
    sitting.act("seat-1", StageReopened(stage=ReviewStage.CONFORMITY, ground="复核"))
    sitting.reviewed_all().reported()
    assert sitting.panel.dissents == {}
    sitting.concluded()
    case = case_of(centre.ledger.stream, sitting.tender, "中心")
    told = text_of(typeset(PAPERS["evaluation-report"].compose(case)))
    assert "此前的不同意见（评委2）：不同意第一版" in told.replace(" ", "")


def test_who_signs_after_all_is_not_presumed(centre: TestCentre) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening()).seated().reviewed_all().reported()
    sitting.later(minutes=31)
    sitting.desk.presume_consent(sitting.tender, "seat-5")
    report = sitting.panel.report
    assert report
    sitting.act("seat-5", ReportSigned(digest=report.digest))
    assert sitting.panel.presumed == set()


def test_a_concluded_stage_without_sheets_opens_no_price(centre: TestCentre) -> None:
    """The operator writes the conclusion itself: no trustee believes it."""
    story = AStory(centre, **(SCORING | {"stages": (1, 2)})).bidding()
    for n, fen in enumerate(THREE):
        story.hand_in(ABid(f"9133{n}", None, stage=1), ABid(f"9133{n}", fen))
    story.closed().shared(1).opened(1)
    stream = f"panel:{story.tender}"
    for height, stage in enumerate(
        (ReviewStage.QUALIFICATION, ReviewStage.CONFORMITY, ReviewStage.TECHNICAL)
    ):
        draft = centre.office.draft(stream, StageConcluded(stage=stage), None)
        centre.ledger.append(stream, height, [draft])
    with pytest.raises(TrusteeRefuses, match="技术评审尚未结束"):
        story.shared(2)
    centre.is_forged = True


def test_an_unsigned_price_in_a_rivals_name_takes_no_review(centre: TestCentre) -> None:
    story = AStory(centre, **(SCORING | {"stages": (1, 2)})).bidding()
    for n, fen in enumerate(THREE):
        story.hand_in(ABid(f"9133{n}", None, stage=1), ABid(f"9133{n}", fen))
    story.hand_in(ABid("91330", 1, signed=False))
    story.closed().shared(1).opened(1)
    sitting = ASitting(centre, story).seated()
    for stage in (ReviewStage.QUALIFICATION, ReviewStage.CONFORMITY, ReviewStage.TECHNICAL):
        sitting.reviewed(stage)
    story.shared(2).opened(2)
    assert [one.price.price for one in entrants(story.state) if one.price] == list(THREE)
    result = panel_result(sitting.sitting, ())
    assert sorted(candidate.price for candidate in result.ranking) == sorted(THREE)
    assert all("20.00" in candidate.explanation for candidate in result.ranking)  # their own points


@pytest.mark.parametrize("value", ["1e-3000000", "1e999999", "1e-13", "9" * 16, "sNaN"])
def test_numbers_that_nobody_writes_are_no_scores(centre: TestCentre, value: str) -> None:
    sitting = ASitting(centre, AStory(centre, **SCORING).to_opening()).seated()
    sitting.reviewed(ReviewStage.QUALIFICATION).reviewed(ReviewStage.CONFORMITY)

    def fill(member: str, bid: str, item: Item) -> str:
        return value if item.code == "plan" and member == "seat-1" else "10"

    with pytest.raises(ScoreInvalid):
        sitting.filled(ReviewStage.TECHNICAL, fill)


@pytest.mark.parametrize("minutes", [-1, 10**12])
def test_minutes_that_no_clock_has(centre: TestCentre, minutes: int) -> None:
    sitting = ASitting(centre, AStory(centre).to_opening())
    with pytest.raises(PanelRefusal, match="分钟"):
        sitting.formed(minutes=minutes)


@pytest.mark.parametrize("text", ["亿" * 2000, "亿" * 59, "元" * 60])
def test_words_that_are_no_amount(text: str) -> None:
    with pytest.raises(AmountUnreadable) as refused:
        Money.of_capital(text)
    assert str(refused.value)


# -- papers -------------------------------------------------------------------------------------


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return "".join(page.get_textpage().get_text_bounded() for page in document)


@pytest.mark.parametrize(
    "name", ["😀 公司", "\ue000公司", "บริษัท", "\x07公司", '#eval("1")', "*粗* $x$"]
)
def test_a_bidders_name_blocks_no_paper(centre: TestCentre, name: str) -> None:
    story = AStory(centre, title=name).to_opening()
    case = case_of(centre.ledger.stream, story.tender, "中心")
    told = text_of(typeset(PAPERS["opening-record"].compose(case)))
    assert "开标记录" in told
    if name.startswith("#"):
        assert '#eval("1")' in told


def test_no_opening_record_without_an_opening(centre: TestCentre) -> None:
    story = AStory(centre).bidding()
    story.hand_in(ABid("91330", 1_000))
    story.closed()
    case = case_of(centre.ledger.stream, story.tender, "中心")
    with pytest.raises(PaperRefusal):
        PAPERS["opening-record"].compose(case)


def test_a_paper_is_made_again_as_of_its_entry(centre: TestCentre, tmp_path: Path) -> None:
    story = AStory(centre).to_opening()
    case = case_of(centre.ledger.stream, story.tender, "中心")
    before = typeset(PAPERS["opening-record"].compose(case))
    story.ranked().publicised()
    out = tmp_path / "again.pdf"
    done = kaifeng(
        "paper", centre.export(), story.tender, "opening-record", "--out", out,
        "--issuer", "中心", "--upto", case.upto,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == before


def test_a_failed_lot_stays_in_the_report(centre: TestCentre) -> None:
    lots = (Lot(1, "第一标段"), Lot(2, "第二标段"))
    story = AStory(centre, lots=lots, **SCORING).bidding()
    for lot in (1, 2):
        story.hand_in(*(ABid(f"9133{n}", fen, lot=lot) for n, fen in enumerate(THREE)))
    sitting = ASitting(centre, story.closed().shared().opened()).seated()

    def fill(member: str, bid: str, item: Item) -> str:
        second = sitting.sitting.names(ReviewStage.CONFORMITY)
        if item.code == "responsive" and bid in second and second[bid].lot == 2:
            return "no"
        return plain(member, bid, item)

    sitting.reviewed_all(fill).reported().concluded()
    story.ranked()
    case = case_of(centre.ledger.stream, sitting.tender, "中心")
    told = text_of(typeset(PAPERS["evaluation-report"].compose(case))).replace(" ", "")
    assert "标段2：有效投标不足，流标" in told
    assert "第1名" in told


# -- bills --------------------------------------------------------------------------------------


def a_bill(**changed: Any) -> Bill:
    line = BillLine("1", "土方", "m3", Decimal(2), Decimal(3), Decimal(6))
    bill = Bill("甲", (Section("表", (line,)),), Decimal(6))
    return msgspec.structs.replace(bill, **changed)


def test_one_unreadable_bill_stops_no_other() -> None:
    bills = [a_bill(words="六块"), a_bill(bidder="乙")]
    assert [finding.kind for finding in check_bills(bills)] == ["words"]
    assert "无法读取" in corrected(bills[0]).text


def test_a_line_that_stands_twice_is_found() -> None:
    (section,) = a_bill().sections
    twice = Section("表", section.lines * 2)
    assert "repeated" in [f.kind for f in check_bills([a_bill(sections=(twice,), total=None)])]


@pytest.mark.parametrize("figure", ["1e999999", "1e20", "sNaN", "Infinity"])
def test_figures_that_nobody_writes_are_refused_by_code(tmp_path: Path, figure: str) -> None:
    file = tmp_path / "bill.json"
    line = {"code": "1", "name": "x", "unit": "m", "quantity": "1", "price": figure, "amount": "1"}
    whole = {"bidder": "x", "sections": [{"name": "t", "lines": [line]}]}
    file.write_text(json.dumps(whole))
    done = kaifeng("bills", file)
    assert (done.returncode, "KF-610" in done.stderr, "Traceback" in done.stderr) == (
        2,
        True,
        False,
    )


def test_a_forged_draw_gives_a_coded_refusal(centre: TestCentre) -> None:
    tender = AStory(centre).drafted().tender
    stream = f"draw:{tender}:experts:1"
    draft = centre.office.draft(stream, DrawDecided(seed="00" * 32, drawn=()), None)
    centre.ledger.append(stream, 0, [draft])
    centre.is_forged = True
    with pytest.raises(Broken):
        centre.verify(centre.export())
    done = kaifeng("draw", "transcript", centre.data)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


@pytest.mark.parametrize(
    ("code", "parameters"),
    [
        ("reasonable-low-price", {"above": "1e-99999999"}),
        ("life-cycle-cost", {"discount": "1e-9999999"}),
        ("quality-and-cost", {"budget": "1e999999"}),
        ("quality-and-cost", {"budget": "0"}),
        ("quality-and-cost", {"budget": "-5"}),
    ],
)
def test_parameters_that_nobody_writes_are_refused_at_the_draft(
    centre: TestCentre, code: str, parameters: dict[str, str]
) -> None:
    with pytest.raises(Refusal):
        AStory(centre, method=code, parameters=parameters).drafted()


@pytest.mark.parametrize(
    "thresholds",
    [
        {"bases": ["ceiling"]},
        {"bases": ["named"], "named": "nobody"},
        {"percent": "NaN"},
        {"drop_high": -1},
        {"percent": "abc"},
    ],
)
def test_thresholds_that_cannot_apply_are_refused(
    tmp_path: Path, thresholds: dict[str, Any]
) -> None:
    bill, limits = tmp_path / "bill.json", tmp_path / "limits.json"
    bill.write_bytes(msgspec.json.encode(a_bill()))
    limits.write_text(json.dumps(thresholds))
    done = kaifeng("bills", bill, "--thresholds", limits)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr


def test_a_bill_without_items_is_refused(tmp_path: Path) -> None:
    bill = tmp_path / "bill.json"
    bill.write_bytes(msgspec.json.encode(a_bill(sections=())))
    assert kaifeng("bills", bill).returncode == 2
