"""An hour holds so many deadlines and no more: whoever wants one too many is shown a free hour."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from builders import AStory
from edge import ANYONE, TestEdge, check_form

from trading.kernel.calendar import BEIJING
from trading.kernel.errors import DeadlineCrowded
from trading.tender import Phase
from web.client import act_id
from web.deadlines import hour_of

_HOUR = timedelta(hours=1)


@pytest.fixture
def make_edge(tmp_path: Path) -> Iterator[Callable[[int], TestEdge]]:
    """An edge where an hour may hold that many deadlines."""
    made: list[TestEdge] = []

    def make(limit: int) -> TestEdge:
        made.append(TestEdge(tmp_path, deadline_limit=limit))
        return made[0]

    yield make
    made[0].centre.verify_everything()
    made[0].close()


def office_hour(edge: TestEdge, hour: int) -> datetime:
    """A quarter past that hour of UTC, on a working day that no deadline lies on yet."""
    day = edge.centre.clock.at + timedelta(days=2)
    return working_day(edge, day.replace(hour=hour, minute=15, second=0, microsecond=0))


def working_day(edge: TestEdge, day: datetime) -> datetime:
    """That day or the first one after it."""
    while not edge.centre.office.calendar.is_working(day.astimezone(BEIJING).date()):
        day += timedelta(days=1)
    return day


def published(edge: TestEdge, story: AStory, deadline: datetime) -> httpx.Response:
    dates = {"deadline": deadline, "documents_until": deadline}
    path = f"/v1/tenders/{story.tender}/publication"
    answer = edge.act("purchaser", path, {"id": act_id(), **dates})
    check_form(answer)
    return answer


def corrected(edge: TestEdge, story: AStory, deadline: datetime | None) -> httpx.Response:
    path = f"/v1/tenders/{story.tender}/corrections"
    body = {"id": act_id(), "text": "更正", "deadline": deadline}
    answer = edge.act("purchaser", path, body)
    check_form(answer)
    return answer


def crowd(edge: TestEdge, wanted: datetime) -> dict[str, Any]:
    query = httpx.QueryParams({"wanted": wanted.isoformat()})
    found: dict[str, Any] = edge.send(ANYONE, "GET", f"/v1/deadlines?{query}").json()
    return found


def check_crowded(edge: TestEdge, answer: httpx.Response, wanted: datetime) -> datetime:
    """Refused for the crowd alone, in both languages with the free hour that anybody is shown."""
    said = answer.json()
    assert (answer.status_code, said.get("code")) == (422, DeadlineCrowded.code), said
    free = datetime.fromisoformat(crowd(edge, wanted)["suggestion"])
    facts = {"moment": wanted, "count": 1, "limit": 1, "free": free}
    assert said["title"] == DeadlineCrowded(**facts).text("zh")
    assert said["detail"] == DeadlineCrowded(**facts).text("en")
    return free


def test_a_publication_into_a_full_hour_is_refused_and_the_hour_it_names_is_free(
    make_edge: Callable[[int], TestEdge],
) -> None:
    edge = make_edge(1)
    first, second, full = edge.story(), edge.story(), office_hour(edge, 2)
    assert published(edge, first, full).status_code == 201
    for minutes in (-15, 0, 44):  # anywhere in the hour
        wanted = full + timedelta(minutes=minutes)
        free = check_crowded(edge, published(edge, second, wanted), wanted)
        assert hour_of(free) == hour_of(full + _HOUR)
    assert second.state.phase is Phase.DRAFT
    assert crowd(edge, full)["hours"] == {hour_of(full): 1}
    assert published(edge, second, free).status_code == 201
    assert second.state.deadline == free
    assert crowd(edge, full)["hours"] == {hour_of(full): 1, hour_of(free): 1}


def test_after_the_last_hour_of_an_office_day_the_next_working_morning_is_named(
    make_edge: Callable[[int], TestEdge],
) -> None:
    edge = make_edge(1)
    first, second, last = edge.story(), edge.story(), office_hour(edge, 9)
    assert published(edge, first, last).status_code == 201
    free = check_crowded(edge, published(edge, second, last), last)
    next_morning = working_day(edge, office_hour(edge, 1) + timedelta(days=1))
    assert hour_of(free) == hour_of(next_morning)
    assert published(edge, second, free).status_code == 201


def test_a_correction_into_a_full_hour_is_refused_and_the_hour_it_names_is_free(
    make_edge: Callable[[int], TestEdge],
) -> None:
    edge = make_edge(1)
    first, second, early = edge.story(), edge.story(), office_hour(edge, 1)
    full = early + _HOUR
    assert published(edge, first, full).status_code == 201
    assert published(edge, second, early).status_code == 201
    free = check_crowded(edge, corrected(edge, second, full), full)
    assert (second.state.deadline, second.state.corrections) == (early, [])
    assert corrected(edge, second, None).status_code == 201  # of the text alone, the hour may be
    later = early + timedelta(minutes=10)
    assert corrected(edge, second, later).status_code == 201  # within its own hour, full by itself
    early = later
    assert corrected(edge, second, free).status_code == 201
    assert second.state.deadline == free
    assert crowd(edge, early)["hours"] == {hour_of(full): 1, hour_of(free): 1}
    assert published(edge, edge.story(), early).status_code == 201  # it has left its first hour


def test_an_hour_with_room_for_two_takes_two(make_edge: Callable[[int], TestEdge]) -> None:
    """The control: the very same publication and correction, where the hour is not full."""
    edge = make_edge(2)
    early, wanted = office_hour(edge, 1), office_hour(edge, 2)
    stories = [edge.story() for _ in range(3)]
    answers = [published(edge, stories[0], wanted), published(edge, stories[1], early)]
    answers.append(corrected(edge, stories[1], wanted))
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    with pytest.raises(AssertionError, match="201"):
        check_crowded(edge, published(edge, stories[2], early), early)
