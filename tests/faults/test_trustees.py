"""A centre that lies to its trustees gets no share; two of five are too few; cheats are named."""

from datetime import timedelta
from itertools import combinations

import msgspec
import pytest
from builders import ABid, AStory
from centre import LocalTrustee, TestCentre

from trading.desks.trustee import (
    AskCertificate,
    AskDeal,
    AskHandover,
    AskShare,
    Refused,
    Shared,
    Trustee,
)
from trading.envelope.layout import Stage
from trading.facts.bidding import BiddingClosed
from trading.facts.notice import NoticeCorrected
from trading.facts.opening import CokeyRevealed, TechnicalOpened
from trading.kernel.errors import Refusal, ShareInvalid, TooFewShares
from trading.kernel.party import Role
from trading.keys import schnorr
from trading.keys.dkg import Ceremony
from trading.keys.group import base
from trading.ledger.fact import Fact
from trading.ledger.mirror import Sync, WireRecord
from trading.ledger.port import ANY
from trading.opening import share_message
from trading.tender import Phase, stream_of


def sync_of(centre: TestCentre, start: int = 0, size: int | None = None) -> Sync:
    note = centre.publisher.publish().note
    records = tuple(
        WireRecord(r.leaf, r.salt, r.raw)
        for r in centre.ledger.records(start, size or centre.ledger.size())
    )
    return Sync(start, records, note)


def ask(centre: TestCentre, trustee: LocalTrustee, story: AStory, **changes: object) -> object:
    request = AskShare(story.tender, Stage.PRICE, sync_of(centre))
    return trustee.ask(msgspec.structs.replace(request, **changes))


def refused(answer: object, *words: str) -> bool:
    assert isinstance(answer, Refused), answer
    assert all(word in answer.zh + answer.en for word in words), answer
    return True


def test_no_share_before_the_deadline(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three()
    assert all(refused(ask(centre, t, story), "尚未截标") for t in centre.trustees)


def test_a_forged_closing_gets_no_share(centre: TestCentre) -> None:
    """The centre writes the closing itself, with the checkpoints it has."""
    story = AStory(centre).bidding().with_three()
    note = centre.publisher.publish().note
    forged = BiddingClosed(before=note, closing=note, envelopes=tuple(story.state.received))
    write(centre, story, forged)
    assert refused(ask(centre, centre.trustees[0], story), "记录有误")
    clean(centre)


def test_a_deadline_moved_earlier_gets_no_share(centre: TestCentre) -> None:
    """Even signed by the owner, even logged: the trustee decides each fact again."""
    story = AStory(centre).bidding().with_three()
    past = centre.clock.at - timedelta(hours=1)
    write(centre, story, NoticeCorrected(text="提前", deadline=past), owner=True)
    assert refused(ask(centre, centre.trustees[0], story), "截标时间不得提前")
    clean(centre)


def test_records_that_no_witness_saw_are_not_followed(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three()
    seen = centre.publisher.publish().note
    centre.purchaser.ask(story.tender, "x")
    whole = sync_of(centre)
    answer = ask(centre, centre.trustees[0], story, sync=msgspec.structs.replace(whole, note=seen))
    assert refused(answer, "检查点")


def test_withheld_entries_are_not_erased_entries(centre: TestCentre) -> None:
    """The centre hides the correction that moved the deadline later."""
    story = AStory(centre).bidding()
    deadline = story.state.deadline
    assert deadline
    later = deadline + timedelta(days=5)
    centre.purchaser.correct(centre.owner, story.tender, "顺延", later)
    story.with_three()
    index = next(
        s.index
        for f, s in centre.ledger.stream(stream_of(story.tender))
        if isinstance(f, NoticeCorrected)
    )
    sync = sync_of(centre)
    blank = list(sync.records)
    blank[index] = WireRecord(blank[index].leaf, b"", b"")
    answer = ask(
        centre, centre.trustees[0], story, sync=msgspec.structs.replace(sync, records=tuple(blank))
    )
    assert refused(answer, "withheld")


def test_a_fake_owner_or_panel_convinces_nobody(centre: TestCentre) -> None:
    story = AStory(centre).to_opening()
    fake = centre.actor("fake", Role.PURCHASER, Role.PANEL)
    with pytest.raises(Refusal) as panel:
        centre.evaluation.recommend(fake, story.tender)
    assert panel.value.code == "KF-105"
    story.ranked()
    with pytest.raises(Refusal) as owner:
        centre.award.publish_candidates(fake, story.tender)
    assert owner.value.code == "KF-105"


@pytest.mark.parametrize("fact", [TechnicalOpened(opened=3), CokeyRevealed(eid="00", cokey="00")])
def test_forged_steps_of_the_opening_get_no_share(centre: TestCentre, fact: Fact) -> None:
    stages = (Stage.TECHNICAL, Stage.PRICE) if isinstance(fact, TechnicalOpened) else (Stage.PRICE,)
    story = AStory(centre, stages=stages).bidding()
    from builders import THREE

    for n, fen in enumerate(THREE):
        story.hand_in(*(ABid(f"9133{n}", fen, stage=stage) for stage in stages))
    story.closed()
    write(centre, story, fact)
    assert refused(ask(centre, centre.trustees[0], story), "记录有误")
    clean(centre)


def test_a_key_is_handed_only_to_members_of_the_charter(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three()
    trustee, sync = centre.trustees[0], sync_of(centre)
    own = tuple(t.key for t in centre.trustees[:3])
    session = f"kaifeng ceremony v1 {story.tender} 2 x".encode()
    thief = base(5)
    for ceremony in (
        Ceremony(1, (thief,), session),
        Ceremony(3, (*own[:2], thief), session),
        Ceremony(2, own, session),
        Ceremony(3, own, b"another session"),
    ):
        request = AskHandover(story.tender, Stage.PRICE, ceremony, sync)
        assert isinstance(trustee.ask(request), Refused)
    late = AskHandover(story.tender, 9, Ceremony(3, own, session), sync)
    assert isinstance(trustee.ask(late), Refused)


def test_a_committee_outside_the_charter_is_neither_dealt_nor_signed(centre: TestCentre) -> None:
    sybil = base(7)
    own = tuple(t.key for t in centre.trustees)
    for ceremony in (
        Ceremony(1, own, b"low threshold"),
        Ceremony(3, (*own[:4], sybil), b"sybil"),
    ):
        assert refused(centre.trustees[0].ask(AskDeal(ceremony)), "章程")
        request = AskCertificate(ceremony, (), sync_of(centre))
        assert isinstance(centre.trustees[0].ask(request), Refused)


def test_one_ceremony_has_one_transcript(centre: TestCentre) -> None:
    ceremony = Ceremony(3, tuple(t.key for t in centre.trustees), b"once")
    deals = tuple(t.ask(AskDeal(ceremony)).deal for t in centre.trustees)
    first = AskCertificate(ceremony, deals, sync_of(centre))
    assert not isinstance(centre.trustees[0].ask(first), Refused)
    assert not isinstance(centre.trustees[0].ask(first), Refused)
    AStory(centre).drafted()
    again = AskCertificate(ceremony, deals, sync_of(centre))
    assert refused(centre.trustees[0].ask(again), "another transcript")
    short = AskCertificate(ceremony, deals[:2], sync_of(centre))
    assert isinstance(centre.trustees[0].ask(short), Refused)


def test_without_a_charter_a_trustee_does_nothing(centre: TestCentre) -> None:
    lone = Trustee.create(centre.folder / "lone", centre.policy_text, centre.clock)
    ceremony = Ceremony(1, (lone.public,), b"s")
    assert refused(lone.answer(AskDeal(ceremony)), "章程")


def test_every_absent_pair_of_trustees_leaves_the_opening_possible(centre: TestCentre) -> None:
    """3-of-5: whoever two are absent, the other three open."""
    for present in combinations(range(5), 3):
        story = AStory(centre).bidding().with_three((100, 200, 300))
        story.closed().shared(who=present).opened()
        assert len(story.state.opened) == 3
        assert next(iter(story.state.opened.values())).trustees == tuple(n + 1 for n in present)


def test_two_trustees_do_not_open(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three().closed().shared(who=(1, 4))
    with pytest.raises(TooFewShares) as few:
        story.opened()
    assert few.value.code == "KF-404"
    assert story.state.phase is Phase.SEALED
    story.shared(who=(2,)).opened()
    assert len(story.state.opened) == 3


def test_a_wrong_share_is_blamed_and_another_takes_its_place(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three().closed().shared(who=(0, 1))
    good = centre.ceremony.ask_share(story.tender, Stage.PRICE, centre.trustees[2])
    share = msgspec.structs.replace(good.share, points=good.share.points[::-1])
    message = share_message(story.state.opening_bind(Stage.PRICE), share)
    wrong = Shared(share, schnorr.sign(centre.trustees[2].trustee._secret, message))
    with pytest.raises(ShareInvalid) as blamed:
        centre.opening.accept_share(story.tender, Stage.PRICE, wrong)
    assert blamed.value.facts["trustee"] == 3
    story.shared(who=(3,)).opened()
    assert len(story.state.opened) == 3


def test_nobody_is_blamed_for_a_share_it_did_not_sign(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three().closed()
    good = centre.ceremony.ask_share(story.tender, Stage.PRICE, centre.trustees[0])
    for index in (1, 5, 0, 9):
        share = msgspec.structs.replace(good.share, index=index, points=good.share.points[::-1])
        with pytest.raises(Refusal) as refused:
            centre.opening.accept_share(story.tender, Stage.PRICE, Shared(share, good.signature))
        assert refused.value.code == "KF-400"
    story.shared().opened()


def test_one_bad_envelope_never_blocks_the_others(centre: TestCentre) -> None:
    """Soundly sealed around a key that opens nothing: invalid with a reason, the others open."""
    story = AStory(centre).bidding()
    bad, *good = (ABid(f"9133{n}", 100 + n) for n in range(4))
    eids = story.hand_in(*good)
    wrong = centre.bidder.hand_in(story.tender, [with_another_dek(story, bad)]).eid
    story.closed().shared().opened().ranked()
    assert story.state.unopened[wrong].code == "KF-320"
    assert set(story.state.opened) == set(eids)


def with_another_dek(story: AStory, bid: ABid) -> bytes:
    """A cheat wraps a key that is not the body's, hoping to reveal the right one later."""
    from trading.envelope.layout import PREFIX, Prefix
    from trading.envelope.seal import Sealing, _wrap

    sealed = bid.seal(story.state)
    prefix = Prefix.parse(sealed[:PREFIX])
    address = story.state.address(bid.lot, bid.stage)
    rewrapped = _wrap(prefix.header, bytes(32), Sealing(address=address, key=bid.key))
    return rewrapped.pack() + sealed[PREFIX:]


def test_damage_in_our_own_store_is_no_bidders_fault(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three().closed().shared()
    path = centre.objects.path(next(iter(story.state.received)))
    whole = path.read_bytes()
    for damaged in (whole[:-1] + b"\0", b""):
        path.write_bytes(damaged)
        size = centre.ledger.size()
        with pytest.raises(Refusal) as fatal:
            story.opened()
        assert fatal.value.code == "KF-703"
        assert centre.ledger.size() == size
    path.write_bytes(whole)
    story.opened()
    assert len(story.state.opened) == 3


def test_a_key_is_reshared_twice_and_still_opens(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three()
    t = centre.trustees
    first = centre.ceremony.reshare(story.tender, Stage.PRICE, 3, t[:3], [t[2], t[3], t[4], t[0]])
    centre.purchaser.reshare(story.tender, first)
    second = centre.ceremony.reshare(story.tender, Stage.PRICE, 3, [t[2], t[3], t[4]], t[1:])
    centre.purchaser.reshare(story.tender, second)
    story.closed().shared(who=(1, 3, 4)).opened()
    assert len(story.state.opened) == 3


def test_a_trustee_that_lost_all_but_its_key_still_answers(centre: TestCentre) -> None:
    import shutil

    story = AStory(centre).bidding().with_three().closed()
    for index in range(3):
        local = centre.trustees[index]
        for name in ("mirror", "dealt", "certified"):
            shutil.rmtree(local.folder / name)
        local.trustee, local.synced = Trustee(local.folder, centre.clock), 0
    story.shared().opened()
    assert len(story.state.opened) == 3


def test_a_mirror_never_goes_back(centre: TestCentre) -> None:
    story = AStory(centre).bidding()
    old = sync_of(centre)
    story.with_three()
    ask(centre, centre.trustees[0], story)
    answer = ask(centre, centre.trustees[0], story, sync=old)
    assert refused(answer, "older than my copy")


def write(centre: TestCentre, story: AStory, fact: Fact, *, owner: bool = False) -> None:
    """As somebody with the centre's keys can: past every desk and rule."""
    stream = stream_of(story.tender)
    draft = centre.office.draft(stream, fact, centre.owner if owner else None)
    centre.ledger.append(stream, ANY, [draft])


def clean(centre: TestCentre) -> None:
    """These ledgers are forged: the verification at the end must be red, and is."""
    with pytest.raises(Refusal) as red:
        centre.verify(centre.data)
    assert red.value.code.startswith("KF-6")
    centre.is_forged = True
