"""The hot way of readers answers what the application answers, only sooner."""

import itertools
from pathlib import Path

import httpx
import pytest
from edge import ANYONE, TestEdge

from trading.tender import Phase
from web.feed import FeedPages

ASKED = (
    "/v1/feed",
    "/v1/feed?cursor=2&limit=3",
    "/v1/feed?limit=1000",
    "/v1/feed?cursor=999999",
    "/v1/feed?limit=1001",
    "/v1/feed?limit=0",
    "/v1/feed?cursor=-1",
    "/v1/feed?cursor=1&cursor=2",
    "/v1/feed?limit=2&cursor=1",
    "/v1/feed?nothing=1",
    "/tile/0/000.p/2",
    "/tile/entries/000.p/2",
    "/tile/0/000",
    "/tile/nowhere",
    "/tile/0/000.p/2?a=b",
    "/checkpoint",
    "/checkpoint?a=b",
)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory):
    made = TestEdge(tmp_path_factory.mktemp("reads"))
    made.tender(Phase.OPENED)
    made.tender(Phase.BIDDING)
    yield made
    made.close()


def _said(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    wanted = ("content-type", "cache-control", "content-length")
    content = answer.content if answer.status_code == 200 else answer.json()["code"].encode()
    return answer.status_code, content, {name: answer.headers.get(name, "") for name in wanted}


@pytest.mark.parametrize("path", ASKED)
def test_both_ways_say_the_same(edge: TestEdge, path: str) -> None:
    hot = edge.send(ANYONE, "GET", path)
    cold = edge.send(ANYONE, "GET", path, app=edge.bare_app())
    left_alone = {"cache-control"} if hot.status_code != 200 or "feed" in path else set()
    status, content, headers = _said(hot)
    assert (status, content) == _said(cold)[:2]
    for name in headers.keys() - left_alone:
        assert headers[name].split(";")[0] == _said(cold)[2][name].split(";")[0], name


def test_a_sealed_entry_shows_itself_once_its_tender_is_opened(tmp_path: Path) -> None:
    """Although the page was asked for, and kept, while the bids were sealed."""
    edge = TestEdge(tmp_path)
    try:
        story = edge.tender(Phase.BIDDING)
        story.with_three()
        feed = FeedPages(edge.centre.ledger, edge.centre.office.phase_of)
        before = feed.page(0, 1000)
        story.closed()
        after = feed.page(0, 1000)
    finally:
        edge.close()
    sealed = [item.index for item in before.items if item.entry is None]
    assert sealed
    shown = {item.index for item in after.items if item.entry is not None}
    assert set(sealed) <= shown
    assert [item.leaf for item in before.items] == [
        item.leaf for item in after.items[: before.size]
    ]


def test_what_is_kept_of_the_feed_is_bounded_and_still_tells_all(edge: TestEdge) -> None:
    ledger, phase_of = edge.centre.ledger, edge.centre.office.phase_of
    narrow, wide = FeedPages(ledger, phase_of, kept=3), FeedPages(ledger, phase_of)
    for _ in range(2):
        assert narrow.page(0, 1000) == wide.page(0, 1000)
    assert len(narrow._kept) == 3


def test_the_names_of_requests_do_not_count_them(edge: TestEdge) -> None:
    """Numbers would tell a stranger how many bids came between two of its own requests."""
    names = [edge.send(ANYONE, "GET", "/healthz").headers["x-request-id"] for _ in range(40)]
    assert len(set(names)) == len(names)
    assert sorted(names) != names
    steps = {int(b, 16) - int(a, 16) for a, b in itertools.pairwise(names)}
    assert len(steps) == len(names) - 1
