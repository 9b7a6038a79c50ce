"""The committee: any t of n open, fewer never, cheats are named, keys are handed over."""

from itertools import combinations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.kernel.errors import (
    DealInvalid,
    PointInvalid,
    ShareInvalid,
    TooFewShares,
    TranscriptDiffers,
)
from trading.keys import dkg, reshare
from trading.keys.dkg import Ceremony, Committee, Secrets
from trading.keys.group import (
    ORDER,
    add,
    base,
    decode_scalar,
    encode_scalar,
    is_point,
    lagrange,
    lift,
    multiply,
    random_scalar,
    to_montgomery,
)
from trading.keys.opening import Share, check_share, combine, make_share

N, T = 5, 3


class Made(msgspec.Struct):
    secrets: list[int]
    ceremony: Ceremony
    deals: list[dkg.Deal]
    shares: list[int]
    committee: Committee


def make(n: int = N, t: int = T) -> Made:
    secrets = [random_scalar() for _ in range(n)]
    ceremony = Ceremony(t, tuple(map(base, secrets)), b"session")
    deals = [dkg.deal(i, secret, ceremony, Secrets.draw(t)) for i, secret in enumerate(secrets, 1)]
    shares = [dkg.receive(i, secret, ceremony, deals) for i, secret in enumerate(secrets, 1)]
    return Made(secrets, ceremony, deals, shares, dkg.committee(ceremony, deals))


@pytest.fixture(scope="module")
def made() -> Made:
    return make()


@pytest.fixture(scope="module")
def lifted() -> list[bytes]:
    return [base(random_scalar()) for _ in range(4)]


def shares_of(made: Made, lifted: list[bytes], who: tuple[int, ...]) -> list[Share]:
    return [make_share(i, made.shares[i - 1], lifted, b"bind") for i in who]


def test_every_subset_of_three_combines_to_the_same_points(made: Made, lifted) -> None:
    results = {
        tuple(
            combine(shares_of(made, lifted, who), made.committee, position) for position in range(4)
        )
        for who in combinations(range(1, N + 1), T)
    }
    assert len(results) == 1


def test_two_trustees_are_too_few(made: Made, lifted) -> None:
    with pytest.raises(TooFewShares) as refused:
        combine(shares_of(made, lifted, (1, 2)), made.committee, 0)
    assert refused.value.facts == {"count": 2, "threshold": 3}


def test_two_shares_and_all_public_data_give_another_point(made: Made, lifted) -> None:
    right = combine(shares_of(made, lifted, (1, 2, 3)), made.committee, 0)
    two = Committee(made.committee.key, made.committee.shares, 2)
    assert combine(shares_of(made, lifted, (1, 2)), two, 0) != right


def test_proofs_of_honest_shares_hold(made: Made, lifted) -> None:
    for share in shares_of(made, lifted, (1, 3, 5)):
        check_share(share, made.committee, lifted, b"bind")


def test_each_way_to_cheat_with_a_share_is_caught(made: Made, lifted) -> None:
    share = shares_of(made, lifted, (2,))[0]
    points = share.points
    replace = msgspec.structs.replace
    cheats = [
        replace(share, points=(add(points[0], base(1)), *points[1:])),
        replace(share, points=(points[1], points[0], *points[2:])),
        replace(share, points=points[:-1]),
        replace(share, index=3),
        replace(share, index=0),
        replace(share, index=6),
        replace(share, proof=bytes(64)),
        replace(share, proof=share.proof[:32] + encode_scalar(1)),
        replace(share, proof=share.proof[:32] + b"\xff" * 32),
        replace(share, points=(bytes(32), *points[1:])),
        replace(share, proof=b""),
    ]
    for cheat in cheats:
        with pytest.raises(ShareInvalid):
            check_share(cheat, made.committee, lifted, b"bind")
    with pytest.raises(ShareInvalid):
        check_share(share, made.committee, lifted, b"another event")


def test_no_envelopes_need_no_proof(made: Made) -> None:
    empty = make_share(1, made.shares[0], [], b"bind")
    check_share(empty, made.committee, [], b"bind")
    with pytest.raises(ShareInvalid):
        check_share(msgspec.structs.replace(empty, proof=b"x"), made.committee, [], b"bind")


def test_a_cheating_dealer_is_named(made: Made) -> None:
    deal = made.deals[1]
    replace = msgspec.structs.replace
    elevated = (*deal.commitments, base(5))
    flipped = bytes([deal.shares[0][0] ^ 1]) + deal.shares[0][1:]
    cheats = [
        replace(deal, commitments=elevated),
        replace(deal, commitments=deal.commitments[:-1]),
        replace(deal, possession=bytes(64)),
        replace(deal, ephemeral=bytes(32)),
        replace(deal, shares=(flipped, *deal.shares[1:])),
        replace(deal, shares=(deal.shares[0][:-1], *deal.shares[1:])),
        replace(deal, shares=deal.shares[1:]),
    ]
    for cheat in cheats:
        deals = [made.deals[0], cheat, *made.deals[2:]]
        with pytest.raises(DealInvalid) as refused:
            dkg.receive(1, made.secrets[0], made.ceremony, deals)
        assert refused.value.facts["dealer"] == 2


def test_a_share_off_the_polynomial_is_proof_of_blame(made: Made) -> None:
    """A dealer who encrypts a wrong scalar: the receiver publishes it, anyone checks."""
    drawn = Secrets.draw(T)
    honest = dkg.deal(2, made.secrets[1], made.ceremony, drawn)
    lying = dkg.deal(2, made.secrets[1], made.ceremony, Secrets.draw(T))
    mixed = msgspec.structs.replace(lying, commitments=honest.commitments)
    assert not dkg.share_matches(12345, 1, mixed.commitments)
    with pytest.raises(DealInvalid):
        dkg.receive(1, made.secrets[0], made.ceremony, [made.deals[0], mixed, *made.deals[2:]])


def test_the_certificate_needs_every_signature(made: Made) -> None:
    from trading.keys import schnorr

    text = dkg.transcript(made.ceremony, made.deals, b"")
    signatures = [schnorr.sign(secret, text) for secret in made.secrets]
    assert dkg.certify(made.ceremony, text, signatures)
    with pytest.raises(TranscriptDiffers) as missing:
        dkg.certify(made.ceremony, text, signatures[:-1])
    assert missing.value.facts["signer"] == 5
    other = dkg.transcript(made.ceremony, made.deals, b"split view")
    with pytest.raises(TranscriptDiffers):
        dkg.certify(made.ceremony, other, signatures)


@pytest.mark.parametrize("members", [(1, 2, 2), (1, 2, 0)])
def test_repeated_or_invalid_members_stop_the_ceremony(members: tuple[int, ...]) -> None:
    keys = tuple(base(m) if m else bytes(32) for m in members)
    with pytest.raises(DealInvalid):
        Ceremony(2, keys, b"").check()


@pytest.mark.parametrize("threshold", [0, 4])
def test_thresholds_outside_the_committee_are_refused(threshold: int) -> None:
    with pytest.raises(DealInvalid):
        Ceremony(threshold, tuple(base(n) for n in (1, 2, 3)), b"").check()


def test_a_handed_over_key_stays_the_same_key(made: Made, lifted) -> None:
    fresh = [random_scalar() for _ in range(4)]
    to = Ceremony(2, tuple(map(base, fresh)), b"new")
    handovers = [
        reshare.hand_over(i, made.secrets[i - 1], base(made.secrets[i - 1]), made.shares[i - 1], to)
        for i in (1, 4, 5)
    ]
    committee = reshare.reshared(to, made.committee, handovers)
    assert committee.key == made.committee.key
    shares = [
        reshare.receive_handover(i, secret, to, made.committee, handovers)
        for i, secret in enumerate(fresh, 1)
    ]
    new = [make_share(i, shares[i - 1], lifted, b"bind") for i in (2, 4)]
    for share in new:
        check_share(share, committee, lifted, b"bind")
    old = shares_of(made, lifted, (1, 2, 3))
    assert combine(new, committee, 0) == combine(old, made.committee, 0)


def test_a_dealer_cannot_hand_over_another_secret(made: Made) -> None:
    to = Ceremony(2, tuple(base(random_scalar()) for _ in range(3)), b"new")
    handovers = [
        reshare.hand_over(i, made.secrets[i - 1], base(made.secrets[i - 1]), share, to)
        for i, share in ((1, 7), (2, made.shares[1]), (3, made.shares[2]))
    ]
    with pytest.raises(DealInvalid) as refused:
        reshare.reshared(to, made.committee, handovers)
    assert refused.value.facts["dealer"] == 1
    with pytest.raises(TooFewShares):
        reshare.reshared(to, made.committee, handovers[1:])


@pytest.mark.parametrize(
    "encoded",
    [
        bytes(32),
        b"\1" + bytes(31),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        (2**255 - 20).to_bytes(32, "little"),
        (2**255 - 19).to_bytes(32, "little"),
        b"\xff" * 32,
        b"short",
    ],
)
def test_small_order_and_malformed_points_are_refused(encoded: bytes) -> None:
    with pytest.raises(PointInvalid):
        lift(encoded)


@given(st.integers(1, ORDER - 1))
def test_lift_inverts_the_montgomery_map_up_to_sign(secret: int) -> None:
    point = base(secret)
    lifted = lift(to_montgomery(point))
    assert lifted in (point, base(ORDER - secret))
    assert is_point(lifted)


@given(st.sets(st.integers(1, 200), min_size=1, max_size=7))
def test_lagrange_interpolates_a_constant(indices: set[int]) -> None:
    assert sum(lagrange(sorted(indices)).values()) % ORDER == 1


def test_scalars_have_one_encoding() -> None:
    assert decode_scalar(encode_scalar(5)) == 5
    with pytest.raises(ValueError, match="canonical"):
        decode_scalar(ORDER.to_bytes(32, "little"))
    with pytest.raises(PointInvalid):
        multiply(3, bytes(32))
