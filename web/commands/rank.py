"""`kaifeng rank`: what a method makes of some bids, with every number and its sentence."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import click
import msgspec

from evaluation.low_price import LOW_PRICE, LowPrice, abnormally_low
from evaluation.method import Line, Offer, Placed, within
from evaluation.methods import METHODS
from trading.kernel.errors import InputUnusable
from trading.kernel.files import read_text
from trading.kernel.money import Money

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Scores = dict[str, Decimal]


class _Bid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices are decimal text in yuan."""

    bidder: Name
    price: str
    ceiling: str | None = None
    scores: Scores = {}
    small: bool = False
    adjustments: dict[str, str] = {}


class _Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`low_price`: also say which prices are abnormally low, by these limits."""

    bids: Annotated[list[_Bid], msgspec.Meta(min_length=1)]
    params: dict[str, Any] = {}
    low_price: LowPrice | None = None


class _Ranked(msgspec.Struct, frozen=True):
    rank: int
    bidder: str
    price: str
    score: str
    explanation: str
    lines: tuple[Line, ...]


@click.command("rank", help="按评标办法排序并说明每个数字 / rank bids; explain every number.")
@click.option("--method", required=True, help="评标办法 / its code, see kaifeng methods")
@click.option(
    "--input",
    "path",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='JSON: {"params": {…}, "bids": [{"bidder", "price", "ceiling"?, "scores"?, "small"?, '
    '"adjustments"?}], "low_price"?: {…}}',
)
def command(method: str, path: Path) -> None:
    chosen = METHODS[method]
    try:
        given = msgspec.json.decode(
            read_text(path).removeprefix("\ufeff"), type=_Input, strict=False
        )
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise InputUnusable(path=path, problem=error) from error
    names = [bid.bidder for bid in given.bids]
    if len(set(names)) != len(names):
        raise InputUnusable(path=path, problem="投标人重复 / a bidder appears twice")
    offers = [_offer(path, number, bid) for number, bid in enumerate(given.bids)]
    placed = chosen.rank(offers, given.params)
    prices = {offer.eid: offer.price for offer in offers}
    ranking = [_ranked(place, prices[place.eid]) for place in placed]
    answer: dict[str, Any] = {"method": chosen.code, "ranking": ranking}
    if given.low_price:
        limits = within(LOW_PRICE, given.low_price)
        answer["abnormally_low"] = abnormally_low(offers, limits, datetime.max.replace(tzinfo=UTC))
    click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())


def _offer(path: Path, number: int, bid: _Bid) -> Offer:
    price = Money.yuan(bid.price)
    ceiling = Money.yuan(bid.ceiling) if bid.ceiling is not None else None
    if price.fen <= 0:
        raise InputUnusable(path=path, problem=f"{bid.bidder}: {bid.price}，须大于零 / above zero")
    if ceiling is not None and price > ceiling:
        problem = f"{bid.bidder}: {bid.price} 高于最高限价 / over the ceiling {bid.ceiling}"
        raise InputUnusable(path=path, problem=problem)
    adjustments = {name: Money.yuan(amount) for name, amount in bid.adjustments.items()}
    return Offer(bid.bidder, number, price, ceiling, bid.scores, bid.small, adjustments)


def _ranked(place: Placed, price: Money) -> _Ranked:
    """Amounts are plain decimals here: programs read them."""
    score = place.score.replace(",", "")
    return _Ranked(
        place.rank, place.eid, f"{price.decimal:.2f}", score, place.explanation, place.lines
    )
