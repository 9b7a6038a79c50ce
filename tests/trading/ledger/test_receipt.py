"""Receipts: one text that proves an entry offline, in exactly one spelling."""

import pytest
from builders import AStory
from centre import TestCentre

from trading.desks.bidder import receipt_of
from trading.kernel.errors import Broken, QuorumMissing
from trading.ledger.policy import Policy, write_policy
from trading.ledger.receipt import TlogProof, check_receipt


@pytest.fixture
def receipt(centre: TestCentre) -> str:
    story = AStory(centre).bidding().with_three()
    return receipt_of(centre.office, story.state.height)


def test_it_holds_against_the_policy(centre: TestCentre, receipt: str) -> None:
    found = check_receipt(receipt, centre.policy)
    assert found.entry.stream.startswith("tender:")
    assert set(found.witnessed.times) == {"w1", "w2"}


def test_it_is_bound_to_its_witnesses(centre: TestCentre, receipt: str) -> None:
    logs = [key.verifier for key in centre.log_keys]
    from trading.ledger.signature import KeyType, NoteKey

    stranger = NoteKey.generate("stranger.example", KeyType.COSIGN_MLDSA44).verifier
    policy = Policy.parse(write_policy(logs, {"s": stranger}, quorum=1))
    with pytest.raises(QuorumMissing):
        check_receipt(receipt, policy)


def test_a_changed_character_never_proves_anything_else(centre: TestCentre, receipt: str) -> None:
    """Refused; or, where it makes a signature unknown that the quorum does not need, the same."""
    right, refused = check_receipt(receipt, centre.policy), 0
    places = range(0, len(receipt), max(1, len(receipt) // 400))
    for place in places:
        other = "A" if receipt[place] != "A" else "B"
        try:
            found = check_receipt(receipt[:place] + other + receipt[place + 1 :], centre.policy)
        except Broken:
            refused += 1
            continue
        assert (found.index, found.entry) == (right.index, right.entry)
        assert found.witnessed.checkpoint == right.witnessed.checkpoint
    assert refused > 0.95 * len(places)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n\nx",
        "c2sp.org/tlog-proof@v1\nindex " + "9" * 5000 + "\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nx",
        "c2sp.org/tlog-proof@v1\nextra !!\nindex 1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + "A\n" * 64 + "\nx",
    ],
)
def test_malformed_receipts_are_refused(centre: TestCentre, text: str) -> None:
    with pytest.raises(Broken):
        check_receipt(text, centre.policy)


def test_one_proof_has_one_text(receipt: str) -> None:
    assert str(TlogProof.parse(receipt)) == receipt
    for other in (receipt.replace("\n", "\r\n"), receipt.replace("index", "index ", 1)):
        with pytest.raises(Broken):
            TlogProof.parse(other)
