"""On the very line: what is still in time, what is already not, what may happen once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from builders import ABid, AStory
from centre import TestCentre

from trading.bidding import (
    bracket_incident,
    check_bracket,
    check_right,
    claims,
    decide_issue,
    decide_publish,
)
from trading.envelope.layout import PREFIX, Prefix
from trading.envelope.seal import withdrawal_message
from trading.envelope.token import TokenIssuer, blind, finish
from trading.facts.bidding import EnvelopeReceived, TokenIssued
from trading.facts.notice import QuestionAsked
from trading.facts.tender import TenderPublished
from trading.kernel.errors import LostRace, RuleBroken, TokenInvalid, TooEarly, TooLate
from trading.kernel.instant import FrozenClock, Reading
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.committer import GroupLedger
from trading.ledger.policy import Witnessed
from trading.ledger.port import Draft
from trading.ledger.signature import KeyType, NoteKey
from trading.ledger.store_sqlite import SqliteStore
from trading.tender import Tender

SECOND, MICRO = timedelta(seconds=1), timedelta(microseconds=1)
DEADLINE = datetime(2026, 3, 30, 1, 0, tzinfo=UTC)


def seen(at: datetime, size: int = 5) -> Witnessed:
    """A head that its one witness dates then."""
    return Witnessed(Checkpoint("o", size, b"r" * 32), {"w": int(at.timestamp())}, "")


# -- publication ----------------------------------------------------------------------------------


def test_a_deadline_may_lie_on_the_first_moment_that_the_law_allows(centre: TestCentre) -> None:
    story = AStory(centre).drafted().formed()
    now, calendar = centre.clock.read(), centre.office.calendar
    rule = story.state.procedure.tender_period
    assert rule
    period = rule.at(now.at).period.after(now.at, calendar, story.state.drafted.pace)
    first = calendar.roll(period, story.state.drafted.pace)
    wanted = TenderPublished(deadline=first, documents_until=now.at + timedelta(days=6))
    assert decide_publish(story.state, wanted, now, calendar) == wanted
    early = msgspec.structs.replace(wanted, deadline=first - MICRO)
    with pytest.raises(RuleBroken):
        decide_publish(story.state, early, now, calendar)


# -- rights ---------------------------------------------------------------------------------------


def test_a_token_is_good_for_one_envelope(centre: TestCentre) -> None:
    issuer = TokenIssuer.generate()
    story = AStory(centre, token_key=issuer.public.hex()).bidding()
    tokens = []
    for _ in range(2):
        blinding = blind(issuer.public)
        tokens.append(finish(issuer.public, blinding, issuer.sign(blinding.blinded)))
    state, spent = story.state, tokens[0]
    check_right(state, spent)
    sealed = ABid("91330", 1).seal(state)
    bid = Prefix.parse(sealed[:PREFIX])
    centre.objects.put(bid.eid, [sealed])
    fact = EnvelopeReceived(prefix=bid.pack().hex(), token=spent.hex())
    centre.office.act(story.tender, lambda _, __: [fact])
    with pytest.raises(TokenInvalid):
        check_right(story.state, spent)
    check_right(story.state, tokens[1])


def test_tokens_are_signed_while_the_tender_takes_bids_and_at_no_other_time(
    centre: TestCentre,
) -> None:
    key = TokenIssuer.generate().public.hex()
    story, wanted = AStory(centre, token_key=key).drafted().formed(), TokenIssued(digest="0" * 64)
    with pytest.raises(TooLate):
        decide_issue(story.state, wanted, centre.clock.read())
    story.published()
    assert decide_issue(story.state, wanted, centre.clock.read()) == wanted
    deadline = story.state.deadline
    assert deadline
    with pytest.raises(TooLate):
        decide_issue(story.state, wanted, Reading(deadline))


def test_an_envelope_after_a_withdrawal_takes_another_place_than_one_before(
    centre: TestCentre,
) -> None:
    """The same predecessor, so only what became of it tells the two claims apart."""
    story, bid = AStory(centre).bidding(), ABid("91330", 1)
    (eid,) = story.hand_in(bid)
    again = EnvelopeReceived(prefix=story.state.received[eid].prefix.pack().hex())
    prefix = story.state.received[eid].prefix
    before = _after(claims(story.state, again))
    signature = bid.key.sign(withdrawal_message(prefix, prefix.header.seq))
    centre.bidder.withdraw(story.tender, eid, signature)
    after = _after(claims(story.state, again))
    assert before.removesuffix(":received") == after.removesuffix(":withdrawn")
    assert before != after


def _after(names: tuple[str, ...]) -> str:
    return next(name for name in names if name.startswith("after:"))


# -- the closing ----------------------------------------------------------------------------------


def test_the_checkpoint_before_the_deadline_lies_before_it(centre: TestCentre) -> None:
    state = _closing(centre)
    check_bracket(state, DEADLINE, seen(DEADLINE - SECOND), seen(DEADLINE))
    with pytest.raises(TooEarly):
        check_bracket(state, DEADLINE, seen(DEADLINE), seen(DEADLINE))
    with pytest.raises(TooEarly):
        check_bracket(state, DEADLINE, seen(DEADLINE - 2 * SECOND), seen(DEADLINE - SECOND))


def test_a_bracket_of_two_seconds_is_none_of_three_an_incident() -> None:
    before = seen(DEADLINE - SECOND)
    assert bracket_incident(before, seen(DEADLINE + SECOND)) is None
    incident = bracket_incident(before, seen(DEADLINE + 2 * SECOND))
    assert incident
    assert (incident.seconds, incident.limit) == (3, 2)


def _closing(centre: TestCentre) -> Tender:
    return msgspec.structs.replace(AStory(centre).bidding().state, bidding_size=5)


# -- the writer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_a_decision_is_written_up_to_its_last_moment(tmp_path: Path, late: bool) -> None:
    clock, key = FrozenClock(DEADLINE), NoteKey("o.example/l", KeyType.ED25519, b"1" * 32)
    moment = clock.at + clock.tick  # what the writer will read
    fresh_until = moment - MICRO if late else moment
    draft = Draft(QuestionAsked(question="q", text="t"), "k", fresh_until=fresh_until)
    with GroupLedger(SqliteStore(tmp_path / "ledger.db"), [key], clock) as ledger:
        if late:
            with pytest.raises(LostRace):
                ledger.append("s", 0, [draft])
        else:
            assert ledger.append("s", 0, [draft])[0].at == moment
