"""Resharing: t trustees hand the same key to a new committee without anyone ever seeing it.

Each dealer deals its own x_i with a fresh polynomial to the new members; the new share is the
interpolation of what was dealt. Y and kid stay: sealed envelopes open under the new committee.
"""

import msgspec

from trading.kernel.errors import DealInvalid, TooFewShares
from trading.keys.dkg import (
    Ceremony,
    Committee,
    Deal,
    Secrets,
    check_deal,
    deal,
    evaluate_points,
    open_share,
)
from trading.keys.group import ORDER, add, lagrange, multiply

__all__ = ["Handover", "hand_over", "receive_handover", "reshared"]


class Handover(msgspec.Struct, frozen=True):
    """What dealer `index` of the old committee deals, and the long-term key it deals from.

    The channel of a deal runs between two members of one ceremony, so the dealer's ceremony lists
    the new members and, last, the dealer itself; that last share is for nobody.
    """

    index: int
    dealer: bytes
    dealt: Deal


def _ceremony(handover_to: Ceremony, dealer: bytes) -> Ceremony:
    return Ceremony(handover_to.threshold, (*handover_to.members, dealer), handover_to.session)


def hand_over(index: int, secret: int, dealer: bytes, share: int, to: Ceremony) -> Handover:
    """`secret` is the dealer's long-term key, `share` its x_i."""
    drawn = Secrets.draw(to.threshold, constant=share)
    return Handover(index, dealer, deal(len(to.members) + 1, secret, _ceremony(to, dealer), drawn))


def check_handover(handover: Handover, old: Committee, to: Ceremony) -> None:
    check_deal(_ceremony(to, handover.dealer), handover.index, handover.dealt)
    if not 1 <= handover.index <= len(old.shares):
        raise DealInvalid(
            dealer=handover.index, problem="不是原委员会成员 / not a member of the old committee"
        )
    if handover.dealt.commitments[0] != old.shares[handover.index - 1]:
        raise DealInvalid(
            dealer=handover.index, problem="分发的不是自己的份额 / it does not deal its own share"
        )


def receive_handover(
    own: int, secret: int, to: Ceremony, old: Committee, handovers: list[Handover]
) -> int:
    """The new share of member `own`; DealInvalid names the dealer to blame."""
    chosen = _chosen(handovers, old, to)
    weights = lagrange([handover.index for handover in chosen])
    share = 0
    for handover in chosen:
        ceremony = _ceremony(to, handover.dealer)
        dealer = len(ceremony.members)
        share += weights[handover.index] * open_share(own, secret, ceremony, dealer, handover.dealt)
    return share % ORDER


def reshared(to: Ceremony, old: Committee, handovers: list[Handover]) -> Committee:
    """The public side: the same key under the new verification shares."""
    chosen = _chosen(handovers, old, to)
    weights = lagrange([handover.index for handover in chosen])
    sums: list[bytes] = []
    for power in range(to.threshold):
        terms = [
            multiply(weights[handover.index], handover.dealt.commitments[power])
            for handover in chosen
        ]
        point = terms[0]
        for term in terms[1:]:
            point = add(point, term)
        sums.append(point)
    if sums[0] != old.key:
        raise DealInvalid(dealer=0, problem="密钥会改变 / the key would change")
    count = len(to.members)
    shares = tuple(evaluate_points(tuple(sums), index) for index in range(1, count + 1))
    return Committee(old.key, shares, to.threshold)


def _chosen(handovers: list[Handover], old: Committee, to: Ceremony) -> list[Handover]:
    to.check()
    if len({handover.index for handover in handovers}) < old.threshold:
        raise TooFewShares(count=len(handovers), threshold=old.threshold)
    chosen = sorted(handovers, key=lambda handover: handover.index)[: old.threshold]
    for handover in chosen:
        check_handover(handover, old, to)
    return chosen
