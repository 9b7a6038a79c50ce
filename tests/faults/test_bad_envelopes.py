"""What comes over the counter: truncated, oversized, copied, replayed, altered, for another tender.

Each is refused with its code, the refusal is logged, and the bids already in are untouched.
"""

import hashlib
import os
from collections.abc import Callable

import pytest
from builders import ABid, AStory
from centre import TestCentre

from trading.envelope.layout import PREFIX, Prefix
from trading.facts.bidding import EnvelopeRefused
from trading.kernel.errors import Refusal


@pytest.fixture
def story(centre: TestCentre) -> AStory:
    return AStory(centre).bidding().with_three()


def sealed(story: AStory, **changes: object) -> bytes:
    return ABid("91339", 100, **changes).seal(story.state)  # type: ignore[arg-type]


def other_tender(story: AStory) -> bytes:
    return ABid("91339", 100).seal(AStory(story.centre).bidding().state)


def copied(story: AStory) -> bytes:
    """Somebody else's envelope as it lies in the store."""
    eid = next(iter(story.state.received))
    return story.centre.objects.path(eid).read_bytes()


def oversized(story: AStory) -> bytes:
    return sealed(story) + bytes(33 << 20)


def relot(envelope: bytes) -> bytes:
    return envelope[:27] + b"\x09" + envelope[28:]


def replacing_nothing(story: AStory) -> bytes:
    return sealed(story, replaces=Prefix.parse(sealed(story)[:PREFIX]))


CASES: dict[str, tuple[str, Callable[[AStory], bytes]]] = {
    "nothing": ("KF-301", lambda _: b""),
    "a PDF": ("KF-301", lambda _: b"%PDF-1.7\n" + bytes(70_000)),
    "a truncated prefix": ("KF-302", lambda s: sealed(s)[:300]),
    "a prefix alone": ("KF-305", lambda s: sealed(s)[:PREFIX]),
    "a truncated body": ("KF-305", lambda s: sealed(s)[:-1]),
    "an extended body": ("KF-305", lambda s: sealed(s) + b"x"),
    "an altered body": ("KF-305", lambda s: sealed(s)[:-1] + b"\0"),
    "an oversized file": ("KF-311", oversized),
    "a copied envelope": ("KF-309", copied),
    "another tender's": ("KF-303", other_tender),
    "a lot that is not": ("KF-303", lambda s: relot(sealed(s))),
    "a co-key nobody asked for": ("KF-303", lambda s: sealed(s, cokey=os.urandom(32))),
    "a replacement of nothing": ("KF-310", replacing_nothing),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_logged_and_harmless(story: AStory, name: str) -> None:
    code, make = CASES[name]
    envelope, centre = make(story), story.centre
    before, files = dict(story.state.received), centre.objects.names()
    chunks = [envelope[i : i + 100_000] for i in range(0, len(envelope), 100_000)]
    with pytest.raises(Refusal) as refused:
        centre.bidder.hand_in(story.tender, chunks)
    assert refused.value.code == code
    assert story.state.received == before
    assert centre.objects.names() == files
    logged = [fact for fact, _ in centre.ledger.stream(f"refusals:{story.tender}")]
    digest = hashlib.sha256(envelope[:PREFIX]).hexdigest()
    assert logged == [
        EnvelopeRefused(
            digest=digest,
            code=code,
            problem=refused.value.text("zh"),
            article=str(refused.value.facts.get("article", "")),
        )
    ]
    story.closed().shared().opened()
    assert len(story.state.opened) == 3


def test_a_replayed_envelope_is_one_bid(story: AStory) -> None:
    envelope = sealed(story)
    first = story.centre.bidder.hand_in(story.tender, [envelope])
    with pytest.raises(Refusal) as again:
        story.centre.bidder.hand_in(story.tender, [envelope])
    assert again.value.code == "KF-309"
    assert story.state.received[first.eid].index == first.index


def test_envelopes_come_in_any_pieces(story: AStory) -> None:
    for size in (1, 417, 418, 419, 65_536):
        envelope = sealed(story)
        pieces = [envelope[i : i + size] for i in range(0, len(envelope), size)]
        taken = story.centre.bidder.hand_in(story.tender, iter(pieces))
        assert story.centre.objects.path(taken.eid).read_bytes() == envelope


def test_a_withdrawal_by_a_stranger_is_refused(story: AStory) -> None:
    from trading.envelope.seal import BidKey, withdrawal_message

    eid, bid = next(iter(story.state.received.items()))
    message = withdrawal_message(bid.prefix, bid.prefix.header.seq)
    for name, signature in ((eid, BidKey().sign(message)), ("00" * 32, b"")):
        with pytest.raises(Refusal) as refused:
            story.centre.bidder.withdraw(story.tender, name, signature)
        assert refused.value.code == "KF-310"


def test_a_rival_cannot_be_thrown_out_by_an_imitation(centre: TestCentre) -> None:
    """Another bid under its number, certified by a CA nobody named: only the imitation falls."""
    from datetime import UTC, datetime

    from trading.envelope.identity import Authority

    own_ca = Authority.create("自建 CA", datetime(2026, 1, 1, tzinfo=UTC))
    story = AStory(centre).bidding().with_three()
    imitation = ABid("91330", 1, identity=own_ca.issue("91330", "冒名"))
    borrowed = ABid("91331", 2, identity=own_ca.issue("91330", "x"))
    story.hand_in(imitation, borrowed)
    story.closed().shared().opened().ranked()
    recommended = story.state.recommended
    assert recommended
    assert [c.bidder_id for c in recommended.ranking] == ["91330", "91331", "91332"]
    assert {r.article for r in recommended.rejections} == {"招标投标法实施条例 第五十一条（一）"}
