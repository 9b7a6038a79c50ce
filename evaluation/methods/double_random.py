"""双随机信用法 double random with credit: chance draws the benchmark's float and then the winner.

Whoever lies within the band around the benchmark takes part in the second draw with as many lots
as it has points of credit; the smallest ticket is first. Both draws are verifiable ones.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from evaluation.benchmark import Against, Benchmark, benchmark_of
from evaluation.method import Bounds, Line, Method, Offer, Placed, two_places
from trading.kernel.errors import DraftIncomplete, ScoreInvalid

__all__ = ["METHOD"]

_SEED = 64
_TICKET = b"kaifeng credit lot v1\n"
CREDIT = "credit"
_MOST = 100  # points of credit


class DoubleRandom(Against, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`float_percent` and `seed` (hex) come out of draws; `band`: percent around the benchmark.
    Zeros for a seed are good for a trial and for nothing else.
    """

    bounds: ClassVar[Bounds] = {**Against.bounds, "band": (0, 100)}

    band: Decimal = Decimal(5)
    seed: str = "0" * _SEED


def _place(offers: Sequence[Offer], parameters: DoubleRandom) -> list[Placed]:
    """Outside the band: in order of the distance, behind everybody inside."""
    benchmark = benchmark_of(offers, parameters)
    seed = _seed(parameters.seed)
    inside = [offer for offer in offers if _off(offer, benchmark) <= Fraction(parameters.band)]
    tickets = {offer.eid: _ticket(seed, offer) for offer in inside}
    drawn = sorted(inside, key=lambda offer: (not _credit(offer), tickets[offer.eid]))
    others = [offer for offer in offers if offer.eid not in tickets]
    others.sort(key=lambda offer: (_off(offer, benchmark), offer.price, offer.arrival))
    return [
        _placed(offer, rank, benchmark, tickets.get(offer.eid, ""))
        for rank, offer in enumerate([*drawn, *others], 1)
    ]


def _placed(offer: Offer, rank: int, benchmark: Benchmark, ticket: str) -> Placed:
    off = two_places(_off(offer, benchmark))
    deviation = Line("deviation", off, f"|{offer.price} − 基准价 benchmark| = {off} %")
    if not ticket:
        score = "0"
        text = f"得分 score {score}：偏离 {off}%，超出范围，不参加第二次抽取 / outside the band"
        return Placed(offer.eid, rank, score, text, (*benchmark.lines, deviation))
    credit = _credit(offer)
    shown = ticket[:16]
    lots = Line("lots", str(credit), f"信用分 credit {credit} = 签数 lots")
    smallest = Line("ticket", shown, f"最小签号 smallest ticket {shown}…")
    text = f"信用分 credit {credit}，签 {credit} 支，最小签号 {shown}… 排第 {rank} / by ticket"
    return Placed(offer.eid, rank, str(credit), text, (*benchmark.lines, deviation, lots, smallest))


def _off(offer: Offer, benchmark: Benchmark) -> Fraction:
    return abs(offer.price.fen - benchmark.price) / benchmark.price * 100


def _credit(offer: Offer) -> int:
    """Whole points; without any, a bid has no lot and stands behind those that have."""
    given = offer.scores.get(CREDIT, Decimal(0))
    if given > _MOST or set(offer.scores) - {CREDIT}:
        problem = f"{given}，至多 / at most {_MOST}"
        raise ScoreInvalid(eid=offer.eid, item="、".join(offer.scores), problem=problem)
    return int(given)


def _ticket(seed: bytes, offer: Offer) -> str:
    """The smallest of its lots: the chance to be first is its share of all lots."""
    lots = range(max(1, _credit(offer)))
    return min(
        hashlib.sha256(_TICKET + seed + f"{offer.eid}\n{lot}".encode()).hexdigest() for lot in lots
    )


def _seed(text: str) -> bytes:
    try:
        seed = bytes.fromhex(text)
    except ValueError:
        seed = b""
    if len(text) != _SEED or len(seed) * 2 != _SEED:
        raise DraftIncomplete(problem=f"seed：须为 {_SEED} 位十六进制 / hex digits")
    return seed


METHOD = Method(
    code="double-random-credit",
    zh="双随机信用法",
    en="Double random with credit",
    place=_place,
    parameters=DoubleRandom,
    is_monotone=False,
    drawn=("float_percent", "seed"),
)
