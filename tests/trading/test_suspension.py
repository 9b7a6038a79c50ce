"""Interruptions: two persons, frozen clocks, and an outage that nobody can invent."""

from datetime import timedelta

import pytest
from builders import ABid, AStory
from centre import TestCentre

from trading.desks.suspension import SuspensionDesk
from trading.facts.suspension import PLATFORM_STREAM, OutageRecorded
from trading.kernel.errors import EntryBroken, LostRace, SuspensionRefusal, TooLate
from trading.kernel.party import Role
from trading.tender import Phase


@pytest.fixture
def desk(centre: TestCentre) -> SuspensionDesk:
    return SuspensionDesk(centre.office)


def test_the_clocks_stand_still_between_two_persons_words(
    centre: TestCentre, desk: SuspensionDesk
) -> None:
    story = AStory(centre).bidding()
    one, two = centre.actor("inspector-1", Role.INSPECTOR), centre.actor("two", Role.INSPECTOR)
    deadline = story.state.deadline
    desk.ask_suspension(one, story.tender, "停电")
    with pytest.raises(SuspensionRefusal):
        desk.suspend(one, story.tender)
    desk.suspend(two, story.tender)
    for act in (
        lambda: story.hand_in(ABid("9133", 100)),
        lambda: centre.purchaser.ask(story.tender, "?"),
        lambda: desk.suspend(one, story.tender),
    ):
        with pytest.raises(SuspensionRefusal):
            act()
    centre.advance(days=3, hours=1)
    desk.ask_resumption(two, story.tender, "供电恢复")
    with pytest.raises(SuspensionRefusal):
        desk.resume(two, story.tender)
    state = desk.resume(one, story.tender)
    assert deadline
    assert state.deadline == deadline + timedelta(days=3, hours=1, seconds=1)
    assert state.phase is Phase.BIDDING
    story.with_three().closed().shared().opened()


def test_a_deadline_that_has_passed_is_closed_not_suspended(
    centre: TestCentre, desk: SuspensionDesk
) -> None:
    story = AStory(centre).bidding()
    one, two = centre.actor("one", Role.INSPECTOR), centre.actor("two", Role.INSPECTOR)
    desk.ask_suspension(one, story.tender, "停电")
    centre.advance(days=30)
    with pytest.raises(TooLate):
        desk.suspend(two, story.tender)


def outage(centre: TestCentre, story: AStory, hours: float, ends: float) -> OutageRecorded:
    """Of so many hours, ending so many hours after the deadline."""
    deadline = story.state.deadline
    assert deadline
    end = deadline + timedelta(hours=ends)
    centre.clock.at = end + timedelta(seconds=1)
    return OutageRecorded(start=end - timedelta(hours=hours), end=end)


@pytest.mark.parametrize(
    ("hours", "ends", "later"),
    [(1, 0.5, 2.5), (2, 0.5, 2.5), (2.5, 0.5, 24.5), (1, -1, 1), (1, -3, None), (30, 29, 53)],
)
def test_the_published_rule_extends_what_the_outage_touched(
    centre: TestCentre, desk: SuspensionDesk, hours: float, ends: float, later: float | None
) -> None:
    story = AStory(centre).bidding()
    deadline = story.state.deadline
    desk.record_outage(outage(centre, story, hours, ends), 0)
    extended = desk.extend(story.tender)
    assert deadline
    assert extended.deadline == deadline + timedelta(hours=later or 0)
    assert desk.extend(story.tender) == extended


def test_an_outage_during_which_entries_were_written_turns_verify_red(
    centre: TestCentre, desk: SuspensionDesk
) -> None:
    story = AStory(centre).bidding()
    made_up = outage(centre, story, 1, 0.5)
    centre.clock.at = made_up.start + timedelta(minutes=1)
    centre.actor("busy", Role.BIDDER)
    centre.clock.at = made_up.end + timedelta(seconds=1)
    desk.record_outage(made_up, 0)
    desk.extend(story.tender)
    centre.is_forged = True
    with pytest.raises(EntryBroken):
        centre.verify(centre.export())


def test_an_outage_is_recorded_once(centre: TestCentre, desk: SuspensionDesk) -> None:
    story = AStory(centre).bidding()
    found = outage(centre, story, 1, 0.5)
    draft = centre.office.draft(PLATFORM_STREAM, found, None)
    centre.ledger.append(PLATFORM_STREAM, 0, [draft])
    with pytest.raises(LostRace):
        centre.ledger.append(
            PLATFORM_STREAM, 0, [centre.office.draft(PLATFORM_STREAM, found, None)]
        )
