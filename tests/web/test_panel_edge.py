"""A whole evaluation over HTTP: bank, draw, sheets, clarification, report, award, objections."""

import hashlib
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from builders import AUTHORITY, ABid, AStory
from commands import kaifeng
from edge import ANYONE, PACE, TestEdge, an_expert
from panels import SCORED, ASitting
from pyhanko.pdf_utils.reader import PdfFileReader

from evaluation.clarify import answer_message, questions_message
from evaluation.desks.panel import PanelDesk
from evaluation.desks.papers import open_papers
from trading.announcing import coefficient_terms
from trading.awarding import ballot_digest, record_digest
from trading.draw import TRUSTEE
from trading.envelope.seal import BidKey
from trading.facts.awarding import AwarderReplaced, AwardSigned, BallotOpened, BallotSealed, Choice
from trading.facts.draw import DrawAnnounced, DrawCommitted, DrawRevealed
from trading.facts.fulfilment import BondReturned, PerformanceRecorded
from trading.facts.objection import (
    ComplaintAccepted,
    ComplaintDecided,
    ComplaintFiled,
    Effect,
    ObjectionAnswered,
    ObjectionRaised,
    Subject,
)
from trading.facts.panel import (
    ClarificationAsked,
    Member,
    PanelFormed,
    SheetOpened,
    SheetSealed,
    TimeAsked,
)
from trading.facts.rubric import ReviewStage
from trading.fulfilment import contract_message
from trading.kernel.errors import PanelRefusal
from trading.kernel.party import Actor, Role
from trading.ledger.fact import Fact
from trading.lots import commitment, draw_digest
from trading.tender import Phase
from web.client import act_id

SALT = "ab" * 32
AWARDERS = tuple(f"awarder-{n}" for n in range(1, 6))


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[TestEdge]:
    made = TestEdge(tmp_path)
    made.centre.publisher.publish()
    yield made
    made.centre.verify_everything()
    made.close()


def done(answer: httpx.Response) -> Any:
    assert answer.status_code in (200, 201, 204), answer.text
    return answer.json() if answer.content else None


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class HttpDesk:
    """The panel's desk as its parties reach it: the same words, other wires."""

    def __init__(self, edge: TestEdge, story: AStory) -> None:
        self._edge, self.path = edge, f"/v1/tenders/{story.tender}"
        self.load = edge.ports.desks.panels.load

    def state(self, party: str, path: str, fact: Fact) -> Any:
        body = {"id": act_id(), "fact": msgspec.to_builtins(fact)}
        return done(self._edge.act(party, f"{self.path}{path}", body))

    def act(self, member: Actor, _: str, fact: Fact) -> Any:
        return self.state(member.party, "/panel/acts", fact)

    def step(self, kind: str, **fields: Any) -> Any:
        body = {"step": {"type": kind, **fields}}
        return done(self._edge.send("platform", "POST", f"{self.path}/panel/steps", body))

    def form(self, formed: PanelFormed) -> Any:
        body = {
            "draw": formed.draw,
            "members": msgspec.to_builtins(formed.members),
            "blind": formed.blind,
            "minutes": formed.minutes,
        }
        return done(self._edge.send("platform", "POST", f"{self.path}/panel", body))

    def seat(self, _: str) -> Any:
        return self.step("seat")

    def conclude_stage(self, _: str, stage: ReviewStage) -> Any:
        return self.step("conclude-stage", stage=stage.value)

    def report(self, _: str, draws: tuple[str, ...] = ()) -> Any:
        return self.step("report", draws=list(draws))

    def conclude(self, _: str) -> Any:
        return self.step("conclude")


class ASittingOverHttp(ASitting):
    """Every act of every party is a signed request."""

    def __init__(self, edge: TestEdge, story: AStory) -> None:
        super().__init__(edge.centre, story)
        self.edge, self.path = edge, f"/v1/tenders/{self.tender}"
        self.wire = HttpDesk(edge, story)
        self.desk: Any = self.wire

    def drawn(self) -> list[str]:
        for number in range(9):
            done(self.edge.send("platform", "POST", "/v1/experts", an_expert(number)))
        trustee = TRUSTEE + self.centre.trustees[0].key.hex()
        announced = {
            "id": act_id(),
            "draw": self.draw,
            "region": "A",
            "groups": [{"speciality": "works", "count": 5}],
            "contributors": ["owner", "inspector", trustee],
        }
        done(self.edge.act("owner", f"{self.path}/panel-draws", announced))
        return list(self.decided(self.draw, ("owner", "inspector"))["present"]["works"])

    def decided(self, draw: str, parties: tuple[str, ...]) -> Any:
        _, purpose, number = draw.split(":")
        path = f"/draws/{purpose}/{number}"
        digest = draw_digest(self.centre.draws.load(draw).terms)
        for party in parties:
            fact = DrawCommitted(commitment=commitment(digest, party, bytes(32)))
            self.wire.state(party, f"{path}/contributions", fact)
        view = done(self.edge.send("platform", "POST", f"{self.path}{path}/progress"))
        assert view["phase"] == "draw-rooted"
        for party in parties:
            self.wire.state(party, f"{path}/contributions", DrawRevealed(secret=bytes(32).hex()))
        view = done(self.edge.send("platform", "POST", f"{self.path}{path}/progress"))
        assert view["phase"] == "draw-decided"
        return view

    def enrol(self, number: int, code: str) -> Member:
        member = super().enrol(number, code)
        self.edge.actors[member.party] = self.actors[member.party]
        return member

    def room(self, party: str) -> Any:
        return done(self.edge.send(party, "GET", f"{self.path}/panel"))


def a_story(edge: TestEdge, **wanted: Any) -> AStory:
    edge.actors["owner"] = edge.centre.owner
    return AStory(edge.centre, pace=PACE, **wanted)


def bidding(story: AStory) -> AStory:
    """Until three seconds from now: signatures of requests are dated by the real clock."""
    return story.drafted().formed().published(3 / 86_400)


def opened(story: AStory) -> AStory:
    return bidding(story).with_three().closed().shared().opened()


def scored(edge: TestEdge) -> AStory:
    parameters = {"price_weight": "70"}
    story = a_story(edge, method="comprehensive-evaluation", parameters=parameters, rubric=SCORED)
    return opened(story)


# -- the panel ------------------------------------------------------------------------------------


def test_a_panel_evaluates_over_http(edge: TestEdge, tmp_path: Path) -> None:
    sitting = ASittingOverHttp(edge, scored(edge))
    sitting.seated().reviewed_all().reported().concluded()
    assert sitting.room("inspector")["phase"] == "panel-concluded"
    sitting.story.ranked()
    assert sitting.story.state.phase is Phase.RECOMMENDED
    written = edge.send(ANYONE, "GET", f"{sitting.path}/draws/experts/1/transcript").content
    (tmp_path / "draw.json").write_bytes(written)
    assert "重算一致" in kaifeng("draw", "verify", str(tmp_path / "draw.json")).stdout


def test_members_see_their_room_and_nobody_elses_sheets(edge: TestEdge) -> None:
    sitting = ASittingOverHttp(edge, scored(edge)).seated()
    stage = ReviewStage.QUALIFICATION
    opened = {party: sitting.seal(stage, party) for party in sitting.actors}
    room = sitting.room("seat-1")
    assert room["stage"] == "qualification"
    assert [item["code"] for item in room["items"]] == ["qualified", "small"]
    assert [bid["bid"] for bid in room["bids"]] == ["1", "2", "3"]
    assert {bid["price"] for bid in room["bids"]} == {None}
    assert all(seat["has_sealed"] and not seat["has_opened"] for seat in room["seats"])
    assert "marks" not in json.dumps(room)
    sitting.act("seat-1", opened["seat-1"])
    assert [seat["has_opened"] for seat in sitting.room("platform")["seats"]] == [True] + [
        False
    ] * 4
    assert code(edge.send("expert", "GET", f"{sitting.path}/panel")) == (422, "KF-516")
    assert edge.send(ANYONE, "GET", f"{sitting.path}/records/panel").json() == []


def test_a_lost_answer_is_given_again_and_another_act_under_its_id_is_not(edge: TestEdge) -> None:
    sitting = ASittingOverHttp(edge, scored(edge)).seated()
    path, stage = f"{sitting.path}/panel/acts", "qualification"
    fact = msgspec.to_builtins(SheetSealed(stage=ReviewStage(stage), digest="c" * 64))
    body = {"id": act_id(), "fact": fact}
    message = edge.send("seat-1", "POST", path, body).json()["message"]
    signed = body | {"sig": edge.actors["seat-1"].key.sign(message.encode()).hex()}
    first = done(edge.send("seat-1", "POST", path, signed))
    size = edge.centre.ledger.size()
    assert done(edge.send("seat-1", "POST", path, signed)) == first
    assert edge.centre.ledger.size() == size
    other = body | {"fact": fact | {"digest": "d" * 64}}
    assert code(edge.act("seat-1", path, other)) == (409, "KF-103")
    assert code(edge.act("seat-1", path, body | {"id": act_id()})) == (422, "KF-514")


def test_a_draft_is_kept_for_its_member_alone(edge: TestEdge) -> None:
    sitting = ASittingOverHttp(edge, scored(edge)).seated()
    path = f"{sitting.path}/panel/drafts/technical"
    raw = {"content-type": "application/octet-stream"}
    done(edge.send("seat-1", "PUT", path, content=b"half a sheet", headers=raw))
    assert edge.send("seat-1", "GET", path).content == b"half a sheet"
    assert edge.send("seat-2", "GET", path).content == b""
    assert edge.send("expert", "PUT", path, content=b"?", headers=raw).status_code == 422
    nowhere = f"{sitting.path}/panel/drafts/nowhere"
    assert code(edge.send("seat-1", "GET", nowhere)) == (422, "KF-512")


def test_the_technical_review_is_blind_over_http_too(edge: TestEdge) -> None:
    sitting = ASittingOverHttp(edge, scored(edge)).seated(blind=True)
    sitting.reviewed(ReviewStage.QUALIFICATION).reviewed(ReviewStage.CONFORMITY)
    sitting.wire.step("blind")
    room = sitting.room("seat-1")
    codes = [bid["bid"] for bid in room["bids"]]
    assert room["is_blind"]
    assert len(codes) == 3
    assert not set(codes) & {"1", "2", "3"}
    blinded = sitting.panel.blinded
    assert blinded
    kept = edge.ports.desks.blinds.of(blinded.digest)
    assert kept not in json.dumps(room)


def test_more_than_a_third_ask_for_time_and_a_member_is_replaced(edge: TestEdge) -> None:
    sitting = ASittingOverHttp(edge, scored(edge)).seated(minutes=60)
    for party in ("seat-1", "seat-2"):
        sitting.act(party, TimeAsked())
    sitting.wire.step("extend", minutes=30)
    assert sitting.panel.minutes == 90
    gone = sitting.panel.members["seat-5"].code
    path = f"{sitting.path}/draws/experts/1/stand-ins"
    called = edge.act("inspector", path, {"id": act_id(), "gone": gone, "reason": "absent"})
    stand_in = done(called)["stand_ins"][0]["code"]
    member = {"party": "seat-6", "seat": "评委6", "code": stand_in}
    sitting.enrol(6, stand_in)
    sitting.wire.step("replace", gone="seat-5", member=member, ground="突发疾病")
    assert "seat-6" in sitting.panel.members


def test_a_bidder_is_asked_and_answers_without_a_name(edge: TestEdge) -> None:
    keys = [BidKey() for _ in range(3)]
    story = bidding(a_story(edge, rubric=SCORED))
    story.hand_in(*(ABid(f"9133{n}", 9_800_000 + n, key=key) for n, key in enumerate(keys)))
    sitting = ASittingOverHttp(edge, story.closed().shared().opened()).seated()
    asked = ClarificationAsked(question="q1", bid="3", text="请说明工期安排", minutes=1440)
    sitting.act("seat-1", asked)

    def questions(key: BidKey, signer: BidKey) -> httpx.Response:
        signature = signer.sign(questions_message(sitting.tender)).hex()
        body = {"key": key.public.hex(), "signature": signature}
        return edge.send(ANYONE, "POST", f"{sitting.path}/panel/questions", body)

    assert [q["text"] for q in done(questions(keys[2], keys[2]))] == ["请说明工期安排"]
    assert done(questions(keys[1], keys[1])) == []
    assert code(questions(keys[2], keys[1])) == (422, "KF-519")
    text = "按投标文件执行"
    signature = keys[2].sign(answer_message("q1", text)).hex()
    body = {"question": "q1", "text": text, "signature": signature}
    done(edge.send(ANYONE, "POST", f"{sitting.path}/panel/answers", body))
    assert sitting.room("seat-2")["questions"][0]["answer"] == text


# -- what a stranger may not ----------------------------------------------------------------------


FLOATS = {"float_percent": ("0", "1", "2", "3")}


def test_nobody_announces_a_draw_in_anothers_tender_or_steers_its_own(edge: TestEdge) -> None:
    story = opened(a_story(edge, method="reasonable-low-price", drawn=FLOATS))
    trustee = TRUSTEE + edge.centre.trustees[0].key.hex()
    options, groups = coefficient_terms(FLOATS)
    draw = DrawAnnounced(
        draw=f"{story.tender}:coefficient:1",
        tender=story.tender,
        purpose="coefficient",
        options=options,
        groups=groups,
        contributors=("owner", "inspector", trustee),
    )
    path = f"/v1/tenders/{story.tender}/draws"

    def announce(party: str, **changed: Any) -> httpx.Response:
        fact = msgspec.structs.replace(draw, **changed)
        return edge.act(party, path, {"id": act_id(), "fact": msgspec.to_builtins(fact)})

    stranger, alone = TRUSTEE + "00" * 32, ("owner", trustee)
    experts = {"purpose": "experts", "draw": f"{story.tender}:experts:1"}
    nonsense = {"purpose": "x" * 900, "draw": f"{story.tender}:{'x' * 900}:1"}
    for wrong in (
        announce("other-purchaser"),
        announce("owner", **experts),
        announce("owner", **nonsense),
        announce("owner", contributors=("owner", "inspector", stranger)),
        announce("owner", contributors=alone),
        announce("owner", options=options[:2]),
        announce("owner", draw=f"{story.tender}:coefficient:2"),
    ):
        assert code(wrong) == (422, "KF-510")
    done(announce("owner"))
    sitting = ASittingOverHttp(edge, story)
    assert sitting.decided(draw.draw, ("owner", "inspector"))["present"]["float_percent"]


def test_asking_for_a_pool_in_other_words_links_no_code_to_anybody(edge: TestEdge) -> None:
    story = scored(edge)
    for number in range(9):
        done(edge.send("platform", "POST", "/v1/experts", an_expert(number)))
    body = {
        "id": act_id(),
        "draw": f"{story.tender}:experts:1",
        "region": "A",
        "groups": [{"speciality": "works", "count": 5}],
        "contributors": ["owner", "inspector", TRUSTEE + edge.centre.trustees[0].key.hex()],
    }
    path, seen = f"/v1/tenders/{story.tender}/panel-draws", []
    for changed in ({}, {"region": "B"}, {"away_only": True, "region": "B"}, {"id": act_id()}):
        said = edge.send("owner", "POST", path, body | changed).json()
        fact = json.loads(said["message"].partition("\n")[2])["fact"]
        seen.append({option["code"] for option in fact["options"]})
    assert len(set.union(*seen)) == sum(map(len, seen))
    refused = edge.send("owner", "POST", path, body | {"unavailable": ["0" * 64]})
    assert code(refused) == (400, "KF-124")


def test_what_is_decided_beside_a_suspension_is_decided_again(edge: TestEdge) -> None:
    """Five members and a second inspector at once: whatever came first, a stranger verifies it."""
    sitting = ASittingOverHttp(edge, scored(edge)).seated(minutes=60)
    first, second = edge.actors["other-inspector"], edge.actors["other-platform"]
    desk = edge.ports.desks.suspension
    for _ in range(3):
        desk.ask_suspension(first, sitting.tender, "停电")
        with ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(attempted, sitting, party) for party in list(sitting.actors)]
            desk.suspend(second, sitting.tender)
            assert all(item.result() for item in asked)
        desk.ask_resumption(first, sitting.tender, "来电")
        desk.resume(second, sitting.tender)
    edge.centre.verify_everything()


def attempted(sitting: ASitting, party: str) -> bool:
    """Written, or refused because the tender rests."""
    try:
        PanelDesk(sitting.centre.office).act(sitting.actors[party], sitting.tender, TimeAsked())
    except PanelRefusal as refusal:
        return "暂停" in str(refusal)
    return True


def test_what_a_fact_does_not_know_is_refused(edge: TestEdge) -> None:
    sitting = ASittingOverHttp(edge, scored(edge)).seated()
    mark = {"bid": "1", "item": "qualified", "value": "yes", "hidden": "!"}
    fact = {"type": "sheet.opened/1", "stage": "qualification", "marks": [mark], "salt": SALT}
    body = {"id": act_id(), "fact": fact}
    answer = edge.send("seat-1", "POST", f"{sitting.path}/panel/acts", body)
    assert code(answer) == (400, "KF-124")
    fact["marks"] = [{name: mark[name] for name in ("bid", "item", "value")}]
    assert code(edge.act("seat-1", f"{sitting.path}/panel/acts", body)) == (422, "KF-512")
    assert isinstance(msgspec.convert(fact, SheetOpened), SheetOpened)


# -- award, objections, papers --------------------------------------------------------------------


def test_an_award_committee_votes_over_http(edge: TestEdge) -> None:
    story = opened(a_story(edge, method="qualitative-review", award="vote")).ranked()
    wire, path = HttpDesk(edge, story), f"/v1/tenders/{story.tender}"
    for member in (*AWARDERS, "awarder-6"):
        edge.actors[member] = edge.centre.actor(member, Role.AWARDER)
    formed = {"id": act_id(), "members": list(AWARDERS)}
    done(edge.act("owner", f"{path}/award-committee", formed))
    acts = "/award-committee/acts"
    replaced = AwarderReplaced(gone="awarder-5", member="awarder-6", ground="回避")
    wire.state("owner", acts, replaced)
    members = (*AWARDERS[:4], "awarder-6")
    assert story.state.recommended
    choice = (Choice(1, story.state.recommended.ranking[0].eid, "综合实力"),)
    for member in members:
        digest = ballot_digest(member, 0, choice, SALT)
        wire.state(member, acts, BallotSealed(round=0, digest=digest))
    for member in members:
        wire.state(member, acts, BallotOpened(round=0, choices=choice, salt=SALT))
    done(edge.send("platform", "POST", f"{path}/award-committee/conclusion", {}))
    concluded = edge.ports.desks.awarding.load(story.tender).awarding.concluded
    assert concluded
    for member in members:
        wire.state(member, acts, AwardSigned(digest=record_digest(concluded)))
    assert edge.send(ANYONE, "GET", f"{path}/records/award").json() == []  # not before publicity
    story.publicised()
    said = edge.send(ANYONE, "GET", f"{path}/records/award").json()
    kinds = [item["fact"]["type"] for item in said]
    assert kinds.count("award.signed/1") == 5
    assert "award.ballot-opened/1" not in kinds  # before the award is decided


def test_an_objection_is_answered_complained_about_and_decided(edge: TestEdge) -> None:
    story = opened(a_story(edge)).ranked()
    edge.centre.award.publish_candidates(edge.centre.owner, story.tender)
    wire = HttpDesk(edge, story)
    raised = ObjectionRaised(objection="o1", about=Subject.CANDIDATES, text="第一名业绩不实")
    wire.state("bidder", "/objections", raised)
    answer = ObjectionAnswered(objection="o1", text="属实", upheld=False)
    wire.state("owner", "/objections", answer)
    filed = ComplaintFiled(complaint="c1", text="不服", objection="o1")
    wire.state("bidder", "/objections", filed)
    wire.state("inspector", "/objections", ComplaintAccepted(complaint="c1"))
    decided = ComplaintDecided(complaint="c1", effect=Effect.RE_EVALUATE, ground="评分有误")
    assert wire.state("inspector", "/decisions", decided)["phase"] == "opened"


def test_contract_bonds_and_papers_over_http(edge: TestEdge) -> None:
    story = scored(edge)
    sitting = ASittingOverHttp(edge, story).seated().reviewed_all().reported().concluded()
    story.ranked().publicised().awarded().contracted()
    contract = story.state.contracts[1]
    for side, number in (("owner", "buyer-1"), ("supplier", contract.supplier_id)):
        identity = AUTHORITY.issue(number, number)
        signature = identity.sign(contract_message(story.state, 1)).hex()
        body = {"side": side, "signature": signature}
        done(edge.send(ANYONE, "POST", f"{sitting.path}/contracts/1/signatures", body))
    sitting.wire.state("owner", "/fulfilment", PerformanceRecorded(lot=1, text="基础完工"))
    bond = BondReturned(bidder_id=contract.supplier_id, amount=10_000, interest=12)
    sitting.wire.state("owner", "/fulfilment", bond)
    archived = {"digest": "e" * 64, "years": 15}
    done(edge.send("platform", "POST", f"{sitting.path}/archive", archived))
    names = done(edge.send("platform", "POST", f"{sitting.path}/draws/experts/1/names"))
    assert names["phase"] == "draw-decided"
    paper = edge.send("platform", "POST", f"{sitting.path}/papers/evaluation-report")
    assert code(paper) == (404, "KF-125")  # no seal, no paper


def test_a_paper_bears_the_centres_seal_and_its_digest_is_a_fact(edge: TestEdge) -> None:
    story = scored(edge)
    seal = AUTHORITY.issue("centre", "某县公共资源交易中心").pem()
    edge.ports = msgspec.structs.replace(
        edge.ports, papers=lambda: open_papers(edge.centre.office, seal, "某县公共资源交易中心")
    )
    edge.app = edge.make_app()
    path = f"/v1/tenders/{story.tender}"
    paper = edge.send("platform", "POST", f"{path}/papers/opening-record")
    assert paper.headers["content-type"] == "application/pdf"
    assert len(PdfFileReader(io.BytesIO(paper.content)).embedded_signatures) == 1
    said = edge.send(ANYONE, "GET", f"{path}/records/papers").json()
    assert said[0]["fact"]["sealed"] == hashlib.sha256(paper.content).hexdigest()
    assert code(edge.send("platform", "POST", f"{path}/papers/nonsense"))[0] == 422


def test_a_suspended_expert_is_in_no_draw(edge: TestEdge) -> None:
    seal = done(edge.send("platform", "POST", "/v1/experts", an_expert()))["seal"]
    until = edge.centre.clock.at + timedelta(days=30)
    body = {"id": act_id(), "ground": "违规打分", "until": until}
    done(edge.act("inspector", f"/v1/experts/{seal}/suspension", body))
    sitting = ASittingOverHttp(edge, scored(edge)).formed()
    terms = edge.centre.draws.load(sitting.draw).terms
    assert ("suspended", 1) in terms.recused
    assert len(terms.options) == 8
