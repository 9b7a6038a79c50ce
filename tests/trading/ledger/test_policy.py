"""The trust policy's file format and quorum rule (c2sp.org/tlog-policy)."""

import pytest

from trading.kernel.errors import Broken, PolicyMalformed, QuorumMissing
from trading.ledger.checkpoint import Checkpoint, sign_checkpoint
from trading.ledger.policy import Policy, write_policy
from trading.ledger.signature import KeyType, NoteKey

LOG = NoteKey("log.example", KeyType.ED25519, b"L" * 32)
W = {
    name: NoteKey(f"{name}.example", KeyType.COSIGN_ED25519, name.encode() * 16)
    for name in ("X1", "X2", "Y1")
}


def note(*witnesses: str, times: tuple[int, ...] = (100, 200, 300)) -> str:
    signed = sign_checkpoint(Checkpoint("log.example", 1, bytes(32)), [LOG], 0)
    lines = [W[name].sign(signed.text, time) for name, time in zip(witnesses, times, strict=False)]
    return str(signed.with_signatures(lines))


NESTED = "\n".join(
    [
        "# 两组见证人 / two groups",
        f"log {LOG.verifier}",
        *(f"\twitness {name} {key.verifier} https://example.com/{name}" for name, key in W.items()),
        "group X any X1 X2",
        "group both all X Y1",
        "quorum both",
        "",
    ]
)


def test_nested_groups_decide_the_quorum() -> None:
    policy = Policy.parse(NESTED)
    assert policy.check(note("X2", "Y1")).times == {"X2": 100, "Y1": 200}
    for present in (("X1", "X2"), ("Y1",), ()):
        with pytest.raises(QuorumMissing):
            policy.check(note(*present))


def test_the_median_is_a_time_some_witness_said() -> None:
    policy = Policy.parse(
        write_policy([LOG.verifier], {n: k.verifier for n, k in W.items()}, quorum=2)
    )
    assert policy.check(note("X1", "X2", "Y1")).median.timestamp() == 200
    assert policy.check(note("X1", "X2")).median.timestamp() == 100


def test_unknown_signatures_are_ignored_and_known_wrong_ones_are_not() -> None:
    policy = Policy.parse(NESTED)
    stranger = NoteKey.generate("X1.example", KeyType.COSIGN_ED25519)
    good = note("X1", "Y1")
    extended = good + str(stranger.sign("something else\n", 5))
    assert set(policy.check(extended).times) == {"X1", "Y1"}
    wrong = W["X2"].sign("log.example\n2\n" + "A" * 43 + "=\n", 7)
    with pytest.raises(Broken):
        policy.check(good + str(wrong))


def test_no_quorum_needs_no_witness() -> None:
    policy = Policy.parse(write_policy([LOG.verifier], {}, quorum=0))
    assert policy.check(note()).times == {}


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "quorum none\nquorum none\n",
        "quorum X\n",
        "group g any later\nquorum none\n",
        f"witness none {W['X1'].verifier}\nquorum none\n",
        f"witness a {W['X1'].verifier}\nwitness b {W['X1'].verifier}\nquorum none\n",
        f"witness a {W['X1'].verifier}\ngroup g 2 a\nquorum g\n",
        f"witness a {W['X1'].verifier}\ngroup g 0 a\nquorum g\n",
        f"witness a {W['X1'].verifier}\ngroup g any a\ngroup h any a\nquorum h\n",
        "log nonsense\nquorum none\n",
        "speak friend\nquorum none\n",
    ],
)
def test_malformed_policies_are_refused_with_their_line(bad: str) -> None:
    with pytest.raises(PolicyMalformed) as refused:
        Policy.parse(bad)
    assert refused.value.code == "KF-607"
