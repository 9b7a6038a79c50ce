"""Warnings over HTTP: an opening is looked at, supervisors see why, and say what became of it."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import builders
import httpx
import msgspec
import prometheus_client
import pytest
from analytics_markets import a_market, write_market
from builders import ABid, AStory
from commands import kaifeng
from edge import ANYONE, PACE, TestEdge
from pypdf import PdfReader

from analytics.market import read_markets
from analytics.model import Model
from analytics.opening import Opening, openings_of
from analytics.place import Place
from analytics.recheck import Warned
from analytics.record import Warnings
from analytics.scoring import scorers
from analytics.traces import traces
from analytics.training import train
from analytics.watch import Watch
from trading.audit import Audit
from trading.envelope import content
from trading.facts.tender import Lot
from trading.facts.warning import Match, Verdict, WarningJudged, WarningRecorded
from trading.kernel.errors import EntryBroken
from trading.ledger.archive import open_archive
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.follow import Following
from trading.ledger.port import ANY
from trading.reader import TenderReader
from web.client import act_id
from web.trailing import Trailing

CLOSE = (9_800_000, 9_802_000, 9_805_000, 9_809_000)
FAR = (7_000_000, 8_100_000, 9_600_000, 11_900_000)
SHARED = "本工程关键线路上的深基坑支护采用桩锚体系并逐层监测位移，遇异常立即回填反压。"


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[TestEdge]:
    made = TestEdge(tmp_path / "centre")
    made.centre.publisher.publish()
    yield made
    made.centre.verify_everything()
    made.close()


def opened(edge: TestEdge, prices: tuple[int, ...], *folders: Path) -> AStory:
    edge.actors["owner"] = edge.centre.owner
    story = AStory(edge.centre, pace=PACE).drafted().formed().published(3 / 86_400)
    for number, fen in enumerate(prices, 1):
        folder = folders[number - 1] if number <= len(folders) else None
        story.hand_in(ABid(f"9133000000000000{number:02d}", fen, folder=folder))
    return story.closed().shared().opened()


def watching(edge: TestEdge, model: Path | None = None) -> Watch:
    """As a node's thread does it: all of the ledger, then what is due."""
    if model:
        edge.ports.desks.watch = Watch(edge.centre.office, model)
        edge.centre.ledger.store.move_cursor("warnings", 0)
    watch = edge.ports.desks.watch
    following = Following(edge.centre.ledger, watch.history)
    for _ in range(2):  # its own facts come back to it
        following.catch_up()
        watch.look()
    return watch


def a_model(folder: Path) -> Path:
    data = folder / "markets"
    data.mkdir()
    write_market(data / "one.csv.gz", a_market(1, name="one"))
    write_market(data / "two.csv.gz", a_market(2, spread=2.0, name="two"))
    train(read_markets(data)).save(folder / "model.json")
    return folder / "model.json"


def page(edge: TestEdge, story: AStory) -> Any:
    answer = edge.send("inspector", "GET", f"/v1/tenders/{story.tender}/warnings")
    assert answer.status_code == 200, answer.text
    return answer.json()


def judge(edge: TestEdge, story: AStory, verdict: Verdict, party: str = "inspector") -> Any:
    fact = WarningJudged(lot=1, verdict=verdict, ground="已约谈并核对资金流水")
    body = {"id": act_id(), "fact": msgspec.to_builtins(fact)}
    return edge.act(party, f"/v1/tenders/{story.tender}/warnings", body)


def dossiers(folder: Path) -> tuple[Path, Path]:
    """Two bids from one machine, with the same words; the third file is no document at all."""
    made = []
    for name in ("a", "b"):
        home = folder / name
        home.mkdir()
        (home / "maker.json").write_text(json.dumps({"machine": "m" * 64}), "utf-8")
        own = [f"{name} 方案第 {n} 节：{chr(0x4E00 + n * 37 + ord(name)) * 20}" for n in range(9)]
        shared = [f"{n}。{SHARED}{chr(0x5E00 + n) * 6}" for n in range(6)]
        (home / "方案.txt").write_text("\n".join(own + shared), "utf-8")
        (home / "坏.docx").write_bytes(b"PK not a document")
        made.append(home)
    return made[0], made[1]


def test_an_opening_is_scored_and_a_supervisor_sees_why(edge: TestEdge, tmp_path: Path) -> None:
    story = opened(edge, CLOSE)
    watch = watching(edge, a_model(tmp_path))
    (lot,) = page(edge, story)
    assert page(edge, story) == [lot]
    assert lot["band"] in ("红色", "复核")
    assert float(lot["score"]) > 0
    assert any("变异系数" in reason for reason in lot["reasons"])
    assert lot["model"] in (fact.model for fact, _ in edge.centre.ledger.stream("models"))
    prices = [price["price"] for price in lot["distribution"]["prices"]]
    assert prices == sorted(CLOSE)
    assert {node["bidder"] for node in lot["network"]["nodes"]} == {
        price["bidder"] for price in lot["distribution"]["prices"]
    }
    before = edge.centre.ledger.size()
    watch.look()
    assert edge.centre.ledger.size() == before  # one lot, one warning


def test_the_same_opening_has_the_same_score_on_another_node(
    edge: TestEdge, tmp_path: Path
) -> None:
    story, model = opened(edge, FAR), a_model(tmp_path)
    watching(edge, model)
    (first,) = page(edge, story)
    again = Watch(edge.centre.office, model).desk
    assert again.load(story.tender).recorded[1].score == first["score"]
    assert again.look(story.tender).height == 1


def test_a_stranger_with_the_model_makes_every_score_again(edge: TestEdge, tmp_path: Path) -> None:
    story, model = opened(edge, CLOSE), a_model(tmp_path)
    watch = watching(edge, model)
    opened(edge, FAR)
    watching(edge)
    judge(edge, story, Verdict.CLEARED)
    opened(edge, (8_000_000, 8_300_000, 8_900_000))
    watching(edge)
    edge.centre.publisher.publish()
    export = edge.centre.export()
    done = kaifeng("verify", export, "--model", model)
    assert done.returncode == 0, done.stderr
    assert "3，重算 3" in done.stdout
    (recorded,) = watch.desk.load(story.tender).recorded.values()
    for changed in FORGED:
        forged = msgspec.structs.replace(recorded, **changed)
        with pytest.raises(EntryBroken):
            audit(export, OtherWords(story.tender, forged, model))
    audit(export, OtherWords(story.tender, recorded, model))


FORGED: tuple[dict[str, Any], ...] = (
    {"band": "放行"},
    {"score": "0.000000001"},
    {"reasons": ()},
    {"cleared": 400},
    {"read": 10**6},
    {"read": 0},
    {"read": 5},
    {"model": ""},
    {"model": "", "score": "", "band": "放行"},
)


def test_a_model_that_was_never_adopted_proves_nothing(edge: TestEdge, tmp_path: Path) -> None:
    opened(edge, CLOSE)
    watching(edge, a_model(tmp_path))
    edge.centre.publisher.publish()
    other = msgspec.structs.replace(Model.load(tmp_path / "model.json"), constant=0.5)
    other.save(tmp_path / "other.json")
    done = kaifeng("verify", edge.centre.export(), "--model", tmp_path / "other.json")
    assert (done.returncode, "未在此账本登记" in done.stderr) == (2, True)


def test_openings_without_a_warning_are_counted(edge: TestEdge, tmp_path: Path) -> None:
    opened(edge, CLOSE)
    watching(edge, a_model(tmp_path))
    story = opened(edge, FAR)
    edge.centre.publisher.publish()
    done = kaifeng("verify", edge.centre.export(), "--model", tmp_path / "model.json")
    assert f"1，重算 1 scored again，未看 1 not looked at: {story.tender}/1" in done.stdout


def test_who_scores_late_may_not_choose_what_to_have_read() -> None:
    """Ten minutes pass between a verdict and the warning that overlooks it."""
    at, place = datetime(2026, 11, 20, 9, tzinfo=UTC), Place()
    opening = Opening("t", "", "", 1, at, None, ())
    place.open(3, [opening])
    place.judge(7, ("t", 1), Verdict.CLEARED, at + timedelta(minutes=5))
    later = at + timedelta(minutes=16)
    found = [place.is_fair(opening, read, later) for read in (3, 4, 7, 8)]
    assert found == [False, False, False, True]
    assert place.is_fair(opening, 7, at + timedelta(minutes=15))


class OtherWords(Warned):
    """The ledger as it is, with other words in the place of one warning."""

    def __init__(self, tender: str, said: WarningRecorded, model: Path) -> None:
        super().__init__(scorers([Model.load(model)]))
        self._stream, self._said = f"warnings:{tender}", said

    def follow(self, fact: Fact, stamp: Stamp, reader: TenderReader) -> None:
        is_it = stamp.stream == self._stream and isinstance(fact, WarningRecorded)
        super().follow(self._said if is_it else fact, stamp, reader)


def audit(export: Path, room: Warned) -> None:
    with open_archive(export) as archive:
        Audit(archive, rooms=[room]).run(lambda _: None)


def test_documents_are_compared_and_unreadable_ones_named(edge: TestEdge, tmp_path: Path) -> None:
    story = opened(edge, FAR, *dossiers(tmp_path))
    watching(edge)
    (lot,) = page(edge, story)
    assert lot["band"] == "unscored"
    assert {match["kind"] for match in lot["matches"]} == {"machine", "text"}
    text = next(match for match in lot["matches"] if match["kind"] == "text")
    assert SHARED[:20] in text["where_first"]
    assert SHARED[:20] in text["where_second"]
    assert len(lot["unread"]) == 2
    assert lot["unread"][0].count("坏.docx") == 1
    (line,) = edge.send("platform", "GET", "/v1/warnings").json()
    assert (line["hard"], line["clues"], line["verdict"]) == (1, 1, None)


def test_blanks_around_a_registration_number_make_no_other_firm(
    edge: TestEdge, tmp_path: Path
) -> None:
    """As somebody may type them: the firm has its share on the page, and its own documents."""
    edge.actors["owner"] = edge.centre.owner
    story = AStory(edge.centre, pace=PACE).drafted().formed().published(3 / 86_400)
    for folder, typed in zip(dossiers(tmp_path), ("913300000000000001 ", " 9133A"), strict=True):
        story.hand_in(ABid(typed, 9_800_000, folder=folder))
    story.hand_in(ABid("913300000000000003", 9_805_000))
    story.closed().shared().opened()
    watching(edge)
    (lot,) = page(edge, story)
    firms = {"913300000000000001", "9133A", "913300000000000003"}
    assert {price["bidder"] for price in lot["distribution"]["prices"]} == firms
    assert lot["shares"].keys() == firms
    assert {name for one in lot["matches"] for name in (one["first"], one["second"])} <= firms


def test_a_decision_becomes_a_fact_and_a_label(edge: TestEdge) -> None:
    story = opened(edge, FAR)
    watch = watching(edge)
    assert judge(edge, story, Verdict.MORE).status_code == 201
    assert judge(edge, story, Verdict.CLEARED).json()["verdict"] == "cleared"
    (lot,) = page(edge, story)
    assert [one["verdict"] for one in lot["judged"]] == ["needs-more", "cleared"]
    watching(edge)
    rows = edge.send("inspector", "GET", "/v1/warnings/labels").json()
    assert [row["label_auction"] for row in rows] == ["0"] * len(FAR)
    assert [row["bid"] for row in rows] == [f"{fen / 100:.2f}" for fen in FAR]
    other = msgspec.structs.replace(openings_of(story.state)[0], lot=2)
    assert [one.name for one in watch.history.beside(other).cleared] == [f"{story.tender}/1"]


def test_only_supervisors_see_and_decide(edge: TestEdge) -> None:
    story = opened(edge, FAR)
    watching(edge)
    path = f"/v1/tenders/{story.tender}/warnings"
    for party in ("bidder", "purchaser", "experts"):
        for wanted in (path, "/v1/warnings", "/v1/warnings/labels"):
            assert edge.send(party, "GET", wanted).status_code == 403
        assert judge(edge, story, Verdict.CLEARED, party).status_code == 403
    assert edge.send(ANYONE, "GET", path).status_code == 401
    assert judge(edge, story, Verdict.CLEARED, "platform").status_code == 403
    shown = edge.send(ANYONE, "GET", "/v1/feed?limit=1000").text
    assert "warning.recorded" not in shown


@pytest.mark.parametrize(
    ("lot", "ground"), [(2, "核查"), (1, "  "), (1, "长" * 4001)], ids=["no-lot", "empty", "long"]
)
def test_a_decision_without_warning_or_ground_is_refused(
    lot: int, ground: str, edge: TestEdge
) -> None:
    story = opened(edge, FAR)
    watching(edge)
    fact = {"type": "warning.judged/1", "lot": lot, "verdict": "cleared", "ground": ground}
    path = f"/v1/tenders/{story.tender}/warnings"
    answer: httpx.Response = edge.act("inspector", path, {"id": act_id(), "fact": fact})
    assert (answer.status_code, answer.json()["code"]) == (422, "KF-523")


def test_a_node_that_died_before_it_looked_is_made_good_by_the_next(edge: TestEdge) -> None:
    story = opened(edge, FAR)
    dying = Watch(edge.centre.office)
    Following(edge.centre.ledger, dying.history).catch_up()
    assert dying.history.due() == [story.tender]
    edge.centre.ledger.store.move_cursor("warnings", 0)  # as a node does when it starts
    watching(edge)
    assert [line["lot"] for line in edge.send("inspector", "GET", "/v1/warnings").json()] == [1]
    assert dying.desk.load(story.tender).height == 1


def test_what_cannot_be_opened_again_is_named_and_silences_nobody(
    edge: TestEdge, tmp_path: Path
) -> None:
    """An envelope's bytes are lost; its lot is scored all the same, and so is every other."""
    lost, whole = opened(edge, CLOSE), opened(edge, FAR)
    gone = lost.state.priced()[0]
    (stored,) = (edge.centre.data / "envelopes").rglob(f"{gone.eid}*")
    stored.rename(tmp_path / "aside")
    watching(edge)
    (tmp_path / "aside").rename(stored)
    (lot,) = page(edge, lost)
    assert [line.split(" ")[0] for line in lot["unread"]] == [gone.bidder_id]
    assert "无法重开" in lot["unread"][0]
    assert page(edge, whole)[0]["unread"] == []


def test_an_opening_that_nobody_can_look_at_silences_no_other(
    edge: TestEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = opened(edge, CLOSE), opened(edge, FAR)
    watch = edge.ports.desks.watch
    Following(edge.centre.ledger, watch.history).catch_up()
    look = watch.desk.look

    def fails_once(tender: str) -> Warnings:
        if tender == bad.tender and not watch.desk.load(good.tender).recorded:
            raise OSError("no")
        return look(tender)

    monkeypatch.setattr(watch.desk, "look", fails_once)
    with pytest.raises(ExceptionGroup, match="未能预警"):
        watch.look()
    assert watch.desk.load(good.tender).recorded
    monkeypatch.setattr(time, "monotonic", lambda: 1e9)  # its pause is over
    watching(edge)
    assert watch.desk.load(bad.tender).recorded


def test_a_name_that_is_too_long_here_is_kept_under_another(
    edge: TestEdge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other systems count characters, this one bytes."""
    homes = dossiers(tmp_path)
    long = "乡村道路硬化工程施工组织设计" * 7 + ".txt"
    described = builders.describe_files
    stored = content._stored
    monkeypatch.setattr(
        builders,
        "describe_files",
        lambda folder: tuple(
            msgspec.structs.replace(file, name=long) if file.name == "方案.txt" else file
            for file in described(folder)
        ),
    )
    exactly = content._exactly
    monkeypatch.setattr(
        content,
        "_exactly",
        lambda path, size: exactly(path.with_name("方案.txt") if path.name == long else path, size),
    )
    story = opened(edge, FAR, *homes)
    watching(edge)
    (lot,) = page(edge, story)
    assert {match["kind"] for match in lot["matches"]} == {"machine", "text"}
    assert stored(long).endswith(".txt")


def test_what_becomes_of_a_lot_before_it_is_looked_at_changes_nothing(
    edge: TestEdge, tmp_path: Path
) -> None:
    """All bids of the first lot are rejected before the watch comes to it."""
    edge.actors["owner"] = edge.centre.owner
    lots = (Lot(1, "一", 1_000_000), Lot(2, "二", 20_000_000))
    story = AStory(edge.centre, pace=PACE, lots=lots).drafted().formed().published(3 / 86_400)
    homes = dossiers(tmp_path)
    for number, fen in enumerate(FAR, 1):
        bidder = f"9133000000000000{number:02d}"
        folder = homes[number - 1] if number <= 2 else None
        story.hand_in(ABid(bidder, fen, lot=1), ABid(bidder, fen, lot=2, folder=folder))
    story.closed().shared().opened().ranked()
    assert 1 in story.state.failed_lots
    watch = watching(edge, a_model(tmp_path))
    first, second = page(edge, story)
    assert first["score"]
    assert {match["kind"] for match in second["matches"]} == {"machine", "text"}
    assert watch.history.due() == []


def test_a_page_shows_whom_its_firms_have_met_since(edge: TestEdge) -> None:
    story = opened(edge, FAR)
    watching(edge)
    assert page(edge, story)[0]["network"]["edges"] == []
    opened(edge, CLOSE)  # the same firms once more
    watching(edge)
    (lot,) = page(edge, story)
    assert len(lot["network"]["edges"]) == 6
    assert {line["met"] for line in lot["network"]["edges"]} == {2}


def test_two_nodes_at_once_say_it_once(edge: TestEdge) -> None:
    story = opened(edge, FAR)
    nodes = [Watch(edge.centre.office) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda node: node.desk.look(story.tender), nodes))
    assert [one.height for one in found] == [1, 1]
    assert len(edge.centre.ledger.stream(f"warnings:{story.tender}")) == 1


def test_nothing_is_said_of_what_is_not_opened(edge: TestEdge) -> None:
    edge.actors["owner"] = edge.centre.owner
    story = AStory(edge.centre, pace=PACE).drafted().formed().published(3 / 86_400).with_three()
    watching(edge)
    assert page(edge, story) == []
    assert edge.send("inspector", "GET", "/v1/warnings").json() == []


def test_a_warning_about_other_prices_is_found_by_a_stranger(tmp_path: Path) -> None:
    """The operator writes what it likes past the desk; `verify` says so."""
    edge = TestEdge(tmp_path)
    try:
        edge.centre.publisher.publish()
        story = opened(edge, FAR)
        forged: Fact = WarningRecorded(
            lot=1,
            model="",
            given="0" * 64,
            features=(),
            score="",
            band="unscored",
            reasons=(),
            abstains=True,
            cleared=0,
            matches=(
                Match("text", "线索级", "a", "b", "x", "y", "雷同", "alike", "条例 第四十条"),
            ),
        )
        office = edge.centre.office
        stream = f"warnings:{story.tender}"
        office.ledger.append(stream, ANY, [office.draft(stream, forged, None)])
        with pytest.raises(EntryBroken, match="与开标记录不符"):
            edge.centre.verify_everything()
    finally:
        edge.close()


def test_envelopes_a_minute_apart_long_before_the_deadline_are_a_clue(edge: TestEdge) -> None:
    edge.actors["owner"] = edge.centre.owner
    story = AStory(edge.centre).drafted().formed().published(25)
    for number, minutes in ((1, 0.0), (2, 0.5), (3, 300.0), (4, 300.0)):
        edge.centre.advance(minutes=minutes)
        story.hand_in(ABid(f"9133000000000000{number:02d}", FAR[number - 1]))
    story.closed().shared().opened()
    (found,) = traces(story.state, 1)
    assert {found.first[-2:], found.second[-2:]} == {"01", "02"}
    assert "30 秒" in found.zh
    assert "账本第" in found.where_first


def test_a_report_from_a_ledger(edge: TestEdge, tmp_path: Path) -> None:
    story = opened(edge, CLOSE)
    model, out = a_model(tmp_path), tmp_path / "r.pdf"
    wanted = ("analytics", "report", "--model", model, "--input", edge.centre.export())
    done = kaifeng(*wanted, "--auction", f"{story.tender}/1", "--out", out)
    assert done.returncode == 0, done.stderr
    shown = "".join(page.extract_text() for page in PdfReader(out).pages)
    assert story.tender in shown.replace("\n", "")
    assert kaifeng(*wanted, "--auction", "nothing/1", "--out", out).returncode == 2


def test_a_follower_that_cannot_go_on_is_seen_by_the_operator(edge: TestEdge) -> None:
    """And no longer when it can."""
    opened(edge, FAR)
    history, failing = edge.ports.desks.watch.history, [True]

    def then() -> None:
        if failing:
            raise OSError("no")

    def troubled(value: float) -> None:
        give_up = time.monotonic() + 30
        line = f'kaifeng_follower_troubled{{follower="{history.name}"}} {value}'
        while line not in prometheus_client.generate_latest().decode():
            assert time.monotonic() < give_up, line
            time.sleep(0.05)

    trailing = Trailing(edge.centre.ledger, history, then, afresh=True)
    try:
        troubled(1.0)
        failing.clear()
        troubled(0.0)
    finally:
        trailing.close()
