"""The market over HTTP: anyone asks, nothing shows before an opening."""

from datetime import timedelta
from typing import Any

from builders import ABid, AStory
from edge import ANYONE, PACE, TestEdge

from trading.facts.tender import Lot
from trading.ledger.follow import Following


def caught_up(edge: TestEdge) -> None:
    Following(edge.centre.ledger, edge.ports.desks.trade).catch_up()


def get(edge: TestEdge, path: str) -> Any:
    answer = edge.send(ANYONE, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer


def a_story(edge: TestEdge) -> AStory:
    edge.actors["owner"] = edge.centre.owner
    return AStory(edge.centre, pace=PACE).drafted().formed().published(3 / 86_400).with_three()


def test_nothing_shows_while_bids_come_in(edge: TestEdge) -> None:
    a_story(edge)
    caught_up(edge)
    assert get(edge, "/v1/market/deals?rehearsals=true").json() == []
    assert get(edge, "/v1/market?rehearsals=true").json()["total"]["lots"] == 0


def test_a_lot_from_its_opening_to_its_contract(edge: TestEdge) -> None:
    story = a_story(edge).closed().shared().opened()
    caught_up(edge)
    (deal,) = get(edge, "/v1/market/deals?rehearsals=true").json()
    assert deal["winner"] is None
    assert len(deal["takers"]) == 3
    story.ranked().publicised().awarded().contracted()
    caught_up(edge)
    (deal,) = get(edge, f"/v1/market/deals?rehearsals=true&text={deal['number']}").json()
    market = get(edge, "/v1/market?rehearsals=true&by=procedure").json()
    assert market["total"]["volume"] == deal["winner"]["price"]
    assert list(market["groups"]) == [deal["procedure"]]
    firm = get(edge, f"/v1/market/parties/{deal['winner']['bidder']}?rehearsals=true").json()
    assert (firm["wins"], firm["won"]) == (1, deal["winner"]["price"])


def test_tables_to_take_along(edge: TestEdge) -> None:
    a_story(edge).closed().shared().opened()
    caught_up(edge)
    table = get(edge, "/v1/market/deals/tables/csv?rehearsals=true")
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.content.decode("utf-8-sig").splitlines()) == 2
    assert get(edge, "/v1/market/deals/tables/xlsx?rehearsals=true").content[:2] == b"PK"
    assert edge.send(ANYONE, "GET", "/v1/market/deals/tables/exe").status_code == 400
    assert edge.send(ANYONE, "GET", "/v1/market?since=2026-01-01T00:00:00").status_code == 422


def test_rehearsals_and_what_was_meant_are_never_mixed(edge: TestEdge) -> None:
    a_story(edge).closed().shared().opened()
    meant(edge).closed().shared().opened()
    caught_up(edge)
    for wanted in (False, True):
        query = f"?rehearsals={str(wanted).lower()}"
        (deal,) = get(edge, f"/v1/market/deals{query}").json()
        assert deal["is_rehearsal"] == wanted
        assert get(edge, f"/v1/market{query}").json()["total"]["lots"] == 1


def meant(edge: TestEdge, **wanted: Any) -> AStory:
    """A tender in days of twenty-four hours."""
    edge.actors["owner"] = edge.centre.owner
    return AStory(edge.centre, **wanted).drafted().formed().published().with_three()


def test_another_currency_is_in_no_sum_of_yuan(edge: TestEdge) -> None:
    meant(edge, currency="USD").closed().shared().opened()
    caught_up(edge)
    assert get(edge, "/v1/market").json()["total"]["lots"] == 0


def test_each_lot_has_its_own_contract_and_its_own_end(edge: TestEdge) -> None:
    lots = (Lot(1, "一", 20_000_000), Lot(2, "二", 20_000_000), Lot(3, "三", 1_000_000))
    edge.actors["owner"] = edge.centre.owner
    story = AStory(edge.centre, lots=lots).drafted().formed().published()
    for lot in lots:
        prices = enumerate((9_800_000, 10_000_000, 12_000_000))
        story.hand_in(*(ABid(f"9133{n}", fen, lot=lot.number) for n, fen in prices))
    story.closed().shared().opened().ranked()
    caught_up(edge)
    deals = {deal["lot"]: deal for deal in get(edge, "/v1/market/deals").json()}
    assert {deal["phase"] for deal in deals.values()} == {story.state.phase.value}
    assert [deals[lot]["has_failed"] for lot in (1, 2, 3)] == [False, False, True]
    assert len(deals[3]["takers"]) == 3  # rejected, and yet they bid
    story.publicised().awarded()
    edge.centre.award.sign(edge.centre.owner, story.tender, 1)
    edge.centre.clock.at += timedelta(days=20)
    edge.centre.award.sign(edge.centre.owner, story.tender, 2)
    caught_up(edge)
    signed = {deal["lot"]: deal["contracted_at"] for deal in get(edge, "/v1/market/deals").json()}
    assert signed[1] < signed[2]
    assert signed[3] is None
