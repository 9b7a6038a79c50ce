"""评定分离: a committee apart from the panel awards, by the method that the tender named."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from builders import THREE, AStory
from centre import TestCentre
from panels import ASitting
from remedies import accepted

from trading.award_method import Standing
from trading.awarding import AWARDING_MACHINE, AwardingPhase, ballot_digest, record_digest
from trading.awards import AWARDS
from trading.desks.awarding import AwardingDesk
from trading.draw import TRUSTEE
from trading.facts.award import Awarded, Candidate
from trading.facts.awarding import (
    AwarderReplaced,
    AwardPresumed,
    AwardSigned,
    BallotForfeited,
    BallotOpened,
    BallotSealed,
    Choice,
)
from trading.facts.draw import DrawAnnounced, Option
from trading.facts.objection import (
    ComplaintDecided,
    Effect,
)
from trading.kernel.errors import AwardRefusal, Broken, DraftIncomplete, DrawRefusal, Refusal
from trading.kernel.party import Actor, Role
from trading.lots import commitment, draw_digest
from trading.tender import Phase

SALT = "ef" * 32
MEMBERS = tuple(f"awarder-{n}" for n in range(1, 6))


class AnAward:
    """A tender with unranked candidates and a committee of five."""

    def __init__(self, centre: TestCentre, award: str, method: str = "qualitative-review") -> None:
        self.centre, self.desk = centre, AwardingDesk(centre.office)
        self.story = AStory(centre, method=method, award=award).to_opening().ranked()
        self.tender = self.story.tender
        self.actors: dict[str, Actor] = {m: centre.actor(m, Role.AWARDER) for m in MEMBERS}
        self.supervisor = centre.actor("supervisor", Role.INSPECTOR)
        recommended = self.story.state.recommended
        assert recommended
        self.eids = [candidate.eid for candidate in recommended.ranking]

    def formed(self) -> "AnAward":
        self.desk.form(self.centre.owner, self.tender, MEMBERS)
        return self

    def vote(self, choices: str, number: int = 0) -> None:
        """`choices`: for each member the candidate, a, b or c."""
        ballots = {}
        for member, letter in zip(MEMBERS, choices, strict=True):
            ballots[member] = (Choice(1, self.eids["abc".index(letter)], "综合实力"),)
            digest = ballot_digest(member, number, ballots[member], SALT)
            self.desk.act(
                self.actors[member], self.tender, BallotSealed(round=number, digest=digest)
            )
        for member, choice in ballots.items():
            self.open(member, choice, number)

    def open(self, member: str, choices: tuple[Choice, ...], number: int = 0) -> None:
        fact = BallotOpened(round=number, choices=choices, salt=SALT)
        self.desk.act(self.actors[member], self.tender, fact)

    def concluded(self, draw: str = "") -> "AnAward":
        concluded = self.desk.conclude(self.tender, draw).concluded
        assert concluded
        for member in MEMBERS:
            signed = AwardSigned(digest=record_digest(concluded))
            self.desk.act(self.actors[member], self.tender, signed)
        return self

    @property
    def awards(self) -> tuple[Awarded, ...]:
        concluded = self.desk.load(self.tender).awarding.concluded
        assert concluded
        return concluded.awards

    def decide(self) -> Phase:
        self.story.publicised()
        self.centre.award.decide(self.centre.owner, self.tender, self.awards)
        return self.story.state.phase


def test_a_vote_with_a_majority_awards(centre: TestCentre) -> None:
    award = AnAward(centre, "vote").formed()
    award.vote("abbcb")
    award.concluded()
    assert award.awards == (Awarded(1, award.eids[1]),)
    assert award.decide() is Phase.AWARDED


def test_rounds_go_on_until_more_than_half_agree(centre: TestCentre) -> None:
    award = AnAward(centre, "vote").formed()
    award.vote("aabbc")
    with pytest.raises(AwardRefusal, match="尚未定标"):
        award.desk.conclude(award.tender)
    assert award.desk.load(award.tender).verdict(1).standing == (award.eids[0], award.eids[1])
    award.vote("aabbc", 1)  # the third is out: a vote for it counts for nobody
    with pytest.raises(AwardRefusal, match="尚未定标"):
        award.desk.conclude(award.tender)
    award.vote("aaabb", 2)
    award.concluded()


def test_the_second_round_decides_between_two(centre: TestCentre) -> None:
    award = AnAward(centre, "vote").formed()
    award.vote("aabbc")
    award.vote("aabbb", 1)
    award.concluded()
    assert award.awards[0].eid == award.eids[1]
    record = award.desk.load(award.tender).awarding.concluded
    assert record
    assert "第 2 轮" in record.record[0]


def test_price_competition_takes_the_lowest(centre: TestCentre) -> None:
    award = AnAward(centre, "price-competition").formed().concluded()
    state = award.story.state
    assert state.opened[award.awards[0].eid].price == min(THREE)
    assert award.decide() is Phase.AWARDED


def test_direct_award_goes_to_rank_one(centre: TestCentre) -> None:
    award = AnAward(centre, "first-rank", "lowest-reviewed-price").formed().concluded()
    assert award.awards[0].eid == award.eids[0]
    assert award.decide() is Phase.AWARDED


@pytest.mark.parametrize(("votes", "agreed"), [("aaabb", False), ("aaaab", True)])
def test_deliberation_needs_two_thirds(centre: TestCentre, votes: str, agreed: bool) -> None:
    award = AnAward(centre, "collective-deliberation").formed()
    award.vote(votes)
    if not agreed:
        with pytest.raises(AwardRefusal):
            award.desk.conclude(award.tender)
        award.vote("bbbba", 1)
    award.concluded()
    assert award.awards[0].eid == award.eids[0 if agreed else 1]


def lots(award: AnAward, **changed: Any) -> str:
    """A draw of the winner by owner, supervisor and a trustee."""
    centre, name = award.centre, f"{award.tender}:award:1"
    options, groups = award.desk.load(award.tender).lots()
    announced = DrawAnnounced(
        draw=name,
        tender=award.tender,
        purpose="award",
        options=options,
        groups=groups,
        contributors=("owner", "supervisor", TRUSTEE + centre.trustees[0].key.hex()),
    )
    announced = msgspec.structs.replace(announced, **changed)
    centre.draws.announce(centre.owner, announced)
    digest = draw_digest(announced)
    actors = {"owner": centre.owner, "supervisor": award.supervisor}
    for party, actor in actors.items():
        centre.draws.commit(actor, name, commitment(digest, party, bytes(32)))
    centre.draws.ask_commitments(name, centre.trustees)
    centre.draws.root(name)
    for actor in actors.values():
        centre.draws.reveal(actor, name, bytes(32).hex())
    centre.draws.ask_secrets(name, centre.trustees)
    return centre.draws.decide(name).present["1"][0]


def test_lots_are_drawn_verifiably(centre: TestCentre) -> None:
    award = AnAward(centre, "drawing-lots").formed()
    with pytest.raises(AwardRefusal):
        award.desk.conclude(award.tender)
    winner = lots(award)
    award.concluded(f"{award.tender}:award:1")
    assert award.awards == (Awarded(1, winner),)
    assert award.decide() is Phase.AWARDED


@pytest.mark.parametrize(
    "tags",
    [
        (("1",), ("1",)),  # among fewer than all candidates
        (("1",), ("x",), ("x",)),  # with one favourite
        (("1",), ("1", "away"), ("1",)),
    ],
)
def test_a_draw_that_is_not_among_exactly_the_candidates_does_not_count(
    centre: TestCentre, tags: tuple[tuple[str, ...], ...]
) -> None:
    award = AnAward(centre, "drawing-lots").formed()
    options = tuple(Option(e, t) for e, t in zip(award.eids, tags, strict=False))
    with pytest.raises(DrawRefusal):
        lots(award, options=options)
    assert lots(award) in award.eids  # and it does not stand in the way of the right one


def test_a_member_is_replaced_before_the_ballots_and_one_who_does_not_sign_is_presumed(
    centre: TestCentre,
) -> None:
    award = AnAward(centre, "vote").formed()
    choice = (Choice(1, award.eids[0], "好"),)
    for member in MEMBERS:
        digest = ballot_digest(member, 0, choice, SALT)
        award.desk.act(award.actors[member], award.tender, BallotSealed(round=0, digest=digest))
    award.actors["new"] = centre.actor("new", Role.AWARDER)
    for gone, member in ((MEMBERS[4], MEMBERS[0]), ("nobody", "new")):
        replaced = AwarderReplaced(gone=gone, member=member, ground="拒不开票")
        with pytest.raises(AwardRefusal):
            award.desk.act(centre.owner, award.tender, replaced)
    replaced = AwarderReplaced(gone=MEMBERS[4], member="new", ground="拒不开票")
    state = award.desk.act(centre.owner, award.tender, replaced)
    assert (state.seals, state.ballots) == ([], [])
    members = (*MEMBERS[:4], "new")
    for member in members:
        digest = ballot_digest(member, 0, choice, SALT)
        award.desk.act(award.actors[member], award.tender, BallotSealed(round=0, digest=digest))
    for member in members:
        award.open(member, choice)
    concluded = award.desk.conclude(award.tender).concluded
    assert concluded
    for member in members[:3]:
        signed = AwardSigned(digest=record_digest(concluded))
        award.desk.act(award.actors[member], award.tender, signed)
    inspector = centre.actor("inspector", Role.INSPECTOR)
    for member in members[3:]:
        state = award.desk.act(inspector, award.tender, AwardPresumed(member=member))
    assert state.is_signed
    assert award.decide() is Phase.AWARDED


def test_who_evaluated_does_not_award(centre: TestCentre) -> None:
    story = AStory(centre, method="qualitative-review", award="vote").to_opening()
    ASitting(centre, story).seated().reviewed_all().reported().concluded()
    story.ranked()
    desk = AwardingDesk(centre.office)
    with pytest.raises(AwardRefusal, match="评标委员会成员不得定标"):
        desk.form(centre.owner, story.tender, (*MEMBERS[:4], "seat-1"))


@pytest.mark.parametrize("members", [MEMBERS[:3], MEMBERS[:4], (*MEMBERS[:4], MEMBERS[0]), ()])
def test_a_committee_is_odd_and_at_least_five(centre: TestCentre, members: tuple) -> None:
    award = AnAward(centre, "vote")
    with pytest.raises(AwardRefusal):
        award.desk.form(centre.owner, award.tender, members)


def test_nobody_votes_after_having_seen_another_vote(centre: TestCentre) -> None:
    award = AnAward(centre, "vote").formed()
    choice = (Choice(1, award.eids[0], "好"),)
    for member in MEMBERS[:4]:
        digest = ballot_digest(member, 0, choice, SALT)
        award.desk.act(award.actors[member], award.tender, BallotSealed(round=0, digest=digest))
    with pytest.raises(AwardRefusal, match="尚未全部投票"):
        award.open(MEMBERS[0], choice)
    digest = ballot_digest(MEMBERS[4], 0, choice, SALT)
    award.desk.act(award.actors[MEMBERS[4]], award.tender, BallotSealed(round=0, digest=digest))
    with pytest.raises(AwardRefusal, match="与封存时不同"):
        award.open(MEMBERS[0], (Choice(1, award.eids[1], "好"),))
    with pytest.raises(AwardRefusal, match="已投票"):
        award.desk.act(award.actors[MEMBERS[0]], award.tender, BallotSealed(round=0, digest=digest))


@pytest.mark.parametrize(
    "choices", [(), ((2, 0, "x"),), ((1, 0, " "),), ((1, 0, "x"), (1, 1, "x"))]
)
def test_a_ballot_has_one_vote_and_a_reason_for_each_lot(
    centre: TestCentre, choices: tuple
) -> None:
    award = AnAward(centre, "vote").formed()
    given = tuple(Choice(lot, award.eids[n], reason) for lot, n, reason in choices)
    for member in MEMBERS:
        digest = ballot_digest(member, 0, given, SALT)
        award.desk.act(award.actors[member], award.tender, BallotSealed(round=0, digest=digest))
    with pytest.raises(Refusal):
        award.open(MEMBERS[0], given)


def test_the_owner_awards_nothing_else_than_the_committee_signed(centre: TestCentre) -> None:
    award = AnAward(centre, "vote").formed()
    award.vote("aaaaa")
    award.desk.conclude(award.tender)
    award.story.publicised()
    with pytest.raises(AwardRefusal, match="尚未定标并签字"):
        centre.award.decide(centre.owner, award.tender, award.awards)
    concluded = award.desk.load(award.tender).awarding.concluded
    assert concluded
    for member in MEMBERS:
        signed = AwardSigned(digest=record_digest(concluded))
        award.desk.act(award.actors[member], award.tender, signed)
    other = (Awarded(1, award.eids[1]),)
    with pytest.raises(AwardRefusal, match="结果不同"):
        centre.award.decide(centre.owner, award.tender, other)
    centre.award.decide(centre.owner, award.tender, award.awards)


def test_an_award_past_the_committee_is_caught_by_verify(centre: TestCentre) -> None:
    from trading.facts.award import AwardDecided

    award = AnAward(centre, "vote").formed()
    award.vote("aaaaa")
    award.concluded()
    award.story.publicised()
    forged = AwardDecided(awards=(Awarded(1, award.eids[2]),))
    centre.office.act(award.tender, lambda _, __: [forged], centre.owner)
    centre.is_forged = True
    with pytest.raises(Broken, match="结果不同"):
        centre.verify(centre.export())


def test_who_ranks_nobody_needs_a_committee(centre: TestCentre) -> None:
    for award in ("", "first-rank"):
        with pytest.raises(DraftIncomplete, match="定标委员会"):
            AStory(centre, method="qualitative-review", award=award).drafted()


def candidates(*prices: int) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(1, n, f"e{n}", f"b{n}", f"公司{n}", price, "", "")
        for n, price in enumerate(prices, 1)
    )


def test_equal_votes_for_all_mean_another_round_with_all() -> None:
    standing = Standing(1, candidates(1, 2), ("a", "b"), ({"a": "e1", "b": "e2"},))
    verdict = AWARDS["vote"].decide(standing)
    assert (verdict.eid, verdict.standing) == ("", ("e1", "e2"))


@pytest.mark.parametrize("award", list(AWARDS), ids=lambda award: award.code)
def test_every_way_to_award_says_how_it_came_about(award) -> None:
    ballots = (dict.fromkeys(MEMBERS, "e2"),)
    verdict = award.decide(Standing(1, candidates(3, 2, 1), MEMBERS, ballots, "e2"))
    assert verdict.eid
    assert verdict.text
    assert award.zh
    assert award.en


def test_every_phase_of_an_award_is_reached() -> None:
    reached = {target for _, _, target in AWARDING_MACHINE.rows} | {AWARDING_MACHINE.start}
    assert reached == set(AwardingPhase)


def test_once_a_ballot_is_open_nobody_is_replaced_and_who_does_not_open_forfeits(
    centre: TestCentre,
) -> None:
    """Else an owner would look at the ballots and have the vote repeated until it suits."""
    award = AnAward(centre, "vote").formed()
    choice = (Choice(1, award.eids[0], "好"),)
    forfeited = BallotForfeited(round=0, member=MEMBERS[4])
    inspector = centre.actor("inspector", Role.INSPECTOR)
    for member in MEMBERS:
        with pytest.raises(AwardRefusal, match="未开票"):
            award.desk.act(inspector, award.tender, forfeited)
        digest = ballot_digest(member, 0, choice, SALT)
        award.desk.act(award.actors[member], award.tender, BallotSealed(round=0, digest=digest))
    for member in MEMBERS[:4]:
        award.open(member, choice)
    centre.actor("friend", Role.AWARDER)
    replaced = AwarderReplaced(gone=MEMBERS[0], member="friend", ground="另有任用")
    with pytest.raises(AwardRefusal, match="开票前"):
        award.desk.act(centre.owner, award.tender, replaced)
    award.desk.act(inspector, award.tender, forfeited)
    assert award.concluded().awards[0].eid == award.eids[0]


def test_another_evaluation_needs_another_committee(centre: TestCentre) -> None:
    """What a committee concluded about candidates that no longer stand is worth nothing."""
    award = AnAward(centre, "price-competition").formed().concluded()
    inspector = centre.actor("inspector", Role.INSPECTOR)
    award.story.publicised()
    centre.clock.at -= timedelta(days=1)  # the publicity is not over yet
    desk = accepted(centre, award.tender, inspector)
    decided = ComplaintDecided(complaint="c", effect=Effect.RE_EVALUATE, ground="评审有误")
    desk.decide(inspector, award.tender, decided)
    centre.clock.advance(timedelta(hours=1))
    award.story.ranked()
    centre.clock.advance(timedelta(hours=1))
    award.story.publicised()
    with pytest.raises(AwardRefusal, match="尚未定标"):
        centre.award.decide(centre.owner, award.tender, award.awards)
    centre.clock.advance(timedelta(seconds=1))
    award.formed().concluded()
    centre.award.decide(centre.owner, award.tender, award.awards)
    assert award.story.state.phase is Phase.AWARDED


def test_a_round_that_is_none_is_refused(centre: TestCentre) -> None:
    award = AnAward(centre, "vote").formed()
    for fact in (
        BallotSealed(round=-1, digest="a" * 64),
        BallotOpened(round=-1, choices=(), salt=SALT),
        BallotForfeited(round=-1, member=MEMBERS[0]),
    ):
        actor = award.actors[MEMBERS[0]]
        if isinstance(fact, BallotForfeited):
            actor = centre.actor("inspector", Role.INSPECTOR)
        with pytest.raises(AwardRefusal):
            award.desk.act(actor, award.tender, fact)
