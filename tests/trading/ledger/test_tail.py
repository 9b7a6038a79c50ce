"""The tail tells the same as the store would, or admits that it does not know."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from trading.ledger.entry import Stamp
from trading.ledger.fact import Fact
from trading.ledger.tail import Tail

AT = datetime(2026, 1, 1, tzinfo=UTC)
STREAMS = ("tender:a", "tender:b", "parties")


class Seen(Fact, frozen=True, tag="test.tail.seen/1"):
    number: int


class Private(Fact, frozen=True, tag="test.tail.private/1"):
    personal = True
    number: int


def act(kind: type[Seen | Private], index: int, stream: str, height: int) -> tuple[Fact, Stamp]:
    return kind(number=index), Stamp(index, AT, stream, height, "", "")


@given(
    written=st.lists(
        st.tuples(st.sampled_from(STREAMS), st.sampled_from((Seen, Seen, Seen, Private))),
        max_size=60,
    ),
    most=st.integers(1, 20),
)
def test_what_it_tells_is_what_was_written(
    written: list[tuple[str, type[Seen | Private]]], most: int
) -> None:
    tail, store = Tail(most), {name: list[tuple[Fact, Stamp]]() for name in STREAMS}
    for index, (stream, kind) in enumerate(written):
        store[stream].append(act(kind, index, stream, len(store[stream])))
        tail.add(store[stream][-1:])
    for stream, acts in store.items():
        for height in range(len(acts) + 2):
            told = tail.since(stream, height)
            assert told is None or told == acts[height:]
            assert not any(fact.personal for fact, _ in told or [])


def test_a_process_that_writes_alone_knows_its_newest_acts_to_the_last() -> None:
    tail, acts = Tail(4), [act(Seen, index, "tender:a", index) for index in range(10)]
    tail.add(acts)
    assert tail.since("tender:a", 5) is None
    assert tail.since("tender:a", 6) == acts[6:]
    assert tail.since("tender:a", 10) == []
    assert tail.since("tender:b", 0) is None


def test_a_personal_fact_ends_the_run_it_stands_in() -> None:
    tail = Tail()
    tail.add([act(Seen, 0, "parties", 0), act(Private, 1, "parties", 1)])
    assert tail.since("parties", 0) is None
    tail.add([act(Seen, 2, "parties", 2)])
    assert tail.since("parties", 1) is None
    assert [fact for fact, _ in tail.since("parties", 2) or []] == [Seen(number=2)]


def test_the_acts_of_one_stream_do_not_cost_another_its_run() -> None:
    tail = Tail(3)
    tail.add([act(Seen, 0, "tender:a", 0)])
    tail.add([act(Seen, index, "tender:b", index - 1) for index in (1, 2, 3)])
    assert tail.since("tender:a", 0) is None  # the oldest goes first
    assert len(tail.since("tender:b", 0) or []) == 3
