"""Cover envelopes: like bids to everybody until the closing, and no bids afterwards."""

from datetime import timedelta

import pytest
from builders import ABid, AStory
from centre import TestCentre

from trading.cover import covers_digest
from trading.desks.cover import CoverDesk
from trading.envelope.seal import BidKey
from trading.kernel.errors import CommitteeRefusal, CoverRefusal, TooEarly, TrusteeRefuses
from trading.kernel.party import Actor, Role
from trading.tender import Phase

SALT = "5a" * 32


class Maker:
    def __init__(self, centre: TestCentre, story: AStory, name: str = "notary") -> None:
        self.desk, self.story = CoverDesk(centre.office), story
        self.actor: Actor = centre.actor(name, Role.WITNESS)
        self.keys = [BidKey() for _ in range(3)]

    @property
    def public(self) -> tuple[str, ...]:
        return tuple(sorted(key.public.hex() for key in self.keys))

    def promise(self) -> None:
        self.desk.promise(self.actor, self.story.tender, covers_digest(SALT, self.public))

    def hand_in(self, count: int) -> None:
        self.story.hand_in(*(ABid("cover", 7, key=key) for key in self.keys[:count]))

    def reveal(self, salt: str = SALT, keys: tuple[str, ...] | None = None) -> None:
        self.desk.reveal(self.actor, self.story.tender, salt, keys or self.public)


@pytest.fixture
def story(centre: TestCentre) -> AStory:
    return AStory(centre).bidding()


@pytest.fixture
def maker(centre: TestCentre, story: AStory) -> Maker:
    return Maker(centre, story)


def test_covers_are_reconciled_before_anything_is_opened(story: AStory, maker: Maker) -> None:
    maker.promise()
    maker.hand_in(2)
    story.with_three().closed()
    with pytest.raises((CommitteeRefusal, TrusteeRefuses)):
        story.shared()
    maker.reveal()
    story.shared().opened()
    assert len(story.state.opened) == 3


def test_covers_do_not_make_up_for_bidders_who_are_missing(story: AStory, maker: Maker) -> None:
    maker.promise()
    maker.hand_in(3)
    story.hand_in(ABid("9133", 100))
    story.closed()
    assert story.state.phase is Phase.SEALED
    maker.reveal()
    assert story.centre.opening.settle(story.tender).phase is Phase.FAILED


def test_a_bid_cannot_be_called_a_cover_afterwards(story: AStory, maker: Maker) -> None:
    maker.promise()
    bid = ABid("9133", 100)
    story.hand_in(bid)
    story.with_three().closed()
    with_bid = tuple(sorted({*maker.public, bid.key.public.hex()}))
    for salt, keys in ((SALT, with_bid), ("00" * 32, maker.public), (SALT, maker.public[:2])):
        with pytest.raises(CoverRefusal):
            maker.reveal(salt, keys)
    maker.reveal()
    assert len(story.state.final(2)) == 4


def test_an_envelope_from_before_the_promise_is_a_bid(story: AStory, maker: Maker) -> None:
    maker.hand_in(1)
    maker.promise()
    story.with_three().closed()
    with pytest.raises(CoverRefusal):
        maker.reveal()
    story.centre.advance(hours=1)
    story.centre.opening.end_covers_window(story.tender)


def test_a_maker_that_does_not_reveal_holds_nobody_up_for_ever(story: AStory, maker: Maker) -> None:
    maker.promise()
    maker.hand_in(1)
    story.with_three().closed()
    with pytest.raises(TooEarly):
        story.centre.opening.end_covers_window(story.tender)
    story.centre.clock.advance(timedelta(minutes=11))
    story.centre.opening.end_covers_window(story.tender)
    story.shared().opened()
    assert len(story.state.opened) == 4


def test_one_promise_a_maker_and_only_while_bids_come_in(story: AStory, maker: Maker) -> None:
    maker.promise()
    with pytest.raises(CoverRefusal):
        maker.promise()
    story.with_three().closed()
    late = Maker(story.centre, story, "late")
    with pytest.raises(CoverRefusal):
        late.promise()
    maker.reveal()
    with pytest.raises(CoverRefusal):
        maker.reveal()
