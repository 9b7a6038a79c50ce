"""The market over HTTP: anyone asks, nothing shows before an opening."""

from typing import Any

from builders import AStory
from edge import ANYONE, PACE, TestEdge

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
    assert get(edge, "/v1/market/deals").json() == []
    assert get(edge, "/v1/market").json()["total"]["lots"] == 0


def test_a_lot_from_its_opening_to_its_contract(edge: TestEdge) -> None:
    story = a_story(edge).closed().shared().opened()
    caught_up(edge)
    (deal,) = get(edge, "/v1/market/deals").json()
    assert deal["winner"] is None
    assert len(deal["takers"]) == 3
    story.ranked().publicised().awarded().contracted()
    caught_up(edge)
    (deal,) = get(edge, f"/v1/market/deals?text={deal['number']}").json()
    market = get(edge, "/v1/market?by=procedure").json()
    assert market["total"]["volume"] == deal["winner"]["price"]
    assert list(market["groups"]) == [deal["procedure"]]
    firm = get(edge, f"/v1/market/parties/{deal['winner']['bidder']}").json()
    assert (firm["wins"], firm["won"]) == (1, deal["winner"]["price"])


def test_tables_to_take_along(edge: TestEdge) -> None:
    a_story(edge).closed().shared().opened()
    caught_up(edge)
    table = get(edge, "/v1/market/deals/tables/csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert len(table.content.decode("utf-8-sig").splitlines()) == 2
    assert get(edge, "/v1/market/deals/tables/xlsx").content[:2] == b"PK"
    assert edge.send(ANYONE, "GET", "/v1/market/deals/tables/exe").status_code == 400
    assert edge.send(ANYONE, "GET", "/v1/market?since=2026-01-01T00:00:00").status_code == 422
