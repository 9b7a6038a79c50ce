"""Followers and erasure: what is derived can be rebuilt, what is erased is gone and proven."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from builders import AStory
from centre import TestCentre

from trading.kernel.database import open_database
from trading.kernel.errors import Broken, NotErasable
from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.follow import Following
from trading.tables import TenderList
from trading.tender import Phase


class Counting:
    name = "counting"

    def __init__(self) -> None:
        self.seen: list[int] = []

    def handle(self, page: Sequence[tuple[Fact, Stamp]]) -> None:
        self.seen += [stamp.index for _, stamp in page]


def test_a_follower_sees_every_entry_once_and_in_order(centre: TestCentre) -> None:
    follower = Counting()
    following = Following(centre.ledger, follower)
    AStory(centre).bidding()
    assert following.lag == centre.ledger.size()
    assert following.catch_up(most=3) == 3
    AStory(centre).drafted()
    while following.catch_up(most=2):
        pass
    assert following.lag == 0
    assert follower.seen == list(range(centre.ledger.size()))


def test_a_crash_between_handling_and_cursor_repeats_and_never_skips(centre: TestCentre) -> None:
    class Failing(Counting):
        def handle(self, page: Sequence[tuple[Fact, Stamp]]) -> None:
            super().handle(page)
            if self.seen.count(4) == 1:
                raise ConnectionError("the database went away")

    follower = Failing()
    following = Following(centre.ledger, follower)
    AStory(centre).bidding()
    with pytest.raises(ConnectionError):
        following.catch_up()
    following.catch_up()
    assert sorted(set(follower.seen)) == list(range(centre.ledger.size()))
    assert follower.seen.count(4) == 2


def test_the_list_of_tenders_is_the_same_however_often_it_is_built(
    centre: TestCentre, tmp_path: Path
) -> None:
    story = AStory(centre).to_opening().ranked()
    AStory(centre).drafted()
    first = TenderList(open_database(f"sqlite:///{tmp_path / 'one.db'}"))
    Following(centre.ledger, first).catch_up()
    again = TenderList(open_database(f"sqlite:///{tmp_path / 'two.db'}"))
    centre.store.move_cursor(again.name, 0)
    Following(centre.ledger, again).catch_up()
    centre.store.move_cursor(again.name, 5)
    Following(centre.ledger, again).catch_up()
    assert first.rows() == again.rows()
    row = next(row for row in first.rows() if row.id == story.tender)
    assert (row.phase, row.envelopes) == (Phase.RECOMMENDED.value, 3)
    assert row.deadline == story.state.deadline


def test_erased_personal_data_leaves_the_disk_and_the_proofs_hold(centre: TestCentre) -> None:
    secret = "李四 13900000000"
    index = centre.registrar.describe(centre.owner, secret)
    AStory(centre).bidding()
    before = centre.export()
    assert secret.encode() in (before / "entries.jsonl").read_bytes()
    centre.registrar.erase(index, "本人要求")
    after = centre.export()
    assert secret.encode() not in (after / "entries.jsonl").read_bytes()
    for path in centre.data.glob("ledger.db*"):
        assert secret.encode() not in path.read_bytes(), path.name
    centre.verify(after)
    centre.verify(before)
    again = centre.registrar.describe(centre.owner, "王五")
    assert again > index


def test_only_personal_data_can_be_erased(centre: TestCentre) -> None:
    AStory(centre).drafted()
    size = centre.ledger.size()
    for index in (0, size - 1, size + 5):
        with pytest.raises(NotErasable):
            centre.registrar.erase(index, "x")
    assert centre.ledger.size() == size


def test_an_erasure_without_its_fact_is_red(centre: TestCentre) -> None:
    index = centre.registrar.describe(centre.owner, "赵六")
    centre.publisher.publish()
    centre.ledger.erase(index)
    with pytest.raises(Broken) as red:
        centre.verify(centre.data)
    assert red.value.facts["index"] == index
    centre.is_forged = True
