"""本地背景: one opening is scored beside what else was opened and cleared in its place."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest
from analytics_markets import a_market

from analytics.features import FEATURES
from analytics.market import Market
from analytics.model import Model
from analytics.opening import Bid, Opening
from analytics.place import Beside, Place
from analytics.scoring import score
from analytics.training import train
from trading.facts.warning import Verdict

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
CLOSE = (9_800_000, 9_802_000, 9_805_000, 9_809_000)
CEILING = 10_000_000
ALONE = Beside()


@cache
def a_model(place: str = "") -> Model:
    one = Market("one", a_market(1, name="one"))
    return train([one, Market("two", a_market(2, spread=2.0, name="two"))], place=place)


def an_opening(number: int, prices: tuple[int, ...], *, lowest_wins: bool | None = True) -> Opening:
    bids = tuple(
        Bid(f"e{number}-{n}", f"firm-{number}-{n}", "", price) for n, price in enumerate(prices)
    )
    return Opening(f"t{number}", "", "", 1, AT, CEILING, bids, lowest_wins)


def openings(seed: int, *, is_odd: bool = False) -> list[Opening]:
    """Thirty of a place; odd: the ceiling speaks against what closeness says, as no theory has it,
    so that the model's order is not theory's.
    """
    draw = np.random.default_rng(seed)
    found = []
    for number in range(30):
        spread = float(draw.uniform(0.001, 0.2))
        level = (0.2 + 4 * spread if is_odd else 0.9) * CEILING
        prices = level * (1 + spread * draw.uniform(0, 1, 5))
        found.append(an_opening(number, tuple(int(price) for price in prices)))
    return found


def a_place(known: list[Opening], cleared: int = 0) -> Place:
    place = Place()
    for index, opening in enumerate(known):
        place.open(index, [opening])
    for index, opening in enumerate(known[:cleared]):
        place.judge(100 + index, (opening.tender, 1), Verdict.CLEARED, AT)
    return place


def test_where_the_model_ranks_against_theory_it_abstains_of_a_single_opening_too() -> None:
    opening = an_opening(99, CLOSE)
    beside = a_place(openings(1, is_odd=True)).beside(opening, 100)
    assert score(a_model(), opening, beside).abstains
    assert not score(a_model(), opening, ALONE).abstains
    assert not score(a_model(), opening, a_place(openings(1)).beside(opening, 100)).abstains


def test_the_ceiling_counts_only_where_the_lowest_wins() -> None:
    column = [feature.code for feature in FEATURES].index("won_control")
    rules = (True, None, False)
    found = [score(a_model(), an_opening(1, CLOSE, lowest_wins=rule), ALONE) for rule in rules]
    assert [one.features[column] for one in found] == ["0.98", "0.98", "nan"]
    assert [any("控制价" in why for why in one.reasons) for one in found] == [
        True,
        True,
        False,
    ]
    assert float(found[2].score) < float(found[0].score)


def test_an_average_bid_tender_among_others_keeps_its_own_rule() -> None:
    opening = an_opening(99, CLOSE, lowest_wins=False)
    beside = a_place(openings(1)).beside(opening, 100)
    assert "nan" in score(a_model(), opening, beside).features


@pytest.mark.parametrize(
    ("cleared", "said"), [(0, "其他市场"), (18, "已核清 18 场，不足 19 场"), (19, "")]
)
def test_what_the_bands_stand_on_is_said(cleared: int, said: str) -> None:
    opening = an_opening(99, CLOSE)
    beside = a_place(openings(1), cleared).beside(opening, 200)
    assert len(beside.cleared) == cleared
    reasons = score(a_model(), opening, beside).reasons
    assert any("其他市场" in why for why in reasons) == (cleared < 19)
    assert any("已核清" in why for why in reasons) == (cleared == 18)
    assert not said or any(said in why for why in reasons)


def test_only_what_had_been_read_stands_beside() -> None:
    known = openings(1)
    place, opening = a_place(known, 5), an_opening(99, CLOSE)
    assert [one.tender for one in place.beside(opening, 10).recent] == [f"t{n}" for n in range(10)]
    assert len(place.beside(opening, 103).cleared) == 3
    assert known[4] not in place.beside(known[4], 200).recent
    place.judge(105, ("t0", 1), Verdict.CONFIRMED, AT)
    assert len(place.beside(opening, 105).cleared) == 5
    assert len(place.beside(opening, 106).cleared) == 4


def test_a_place_model_says_where_it_is_from_and_gives_its_own_reasons() -> None:
    found = score(a_model("two"), an_opening(1, CLOSE), ALONE)
    assert any("只适用于 two" in why for why in found.reasons)
    assert not any("其他市场" in why for why in found.reasons)
    general = score(a_model(), an_opening(1, CLOSE), ALONE)
    assert not any("只适用于" in why for why in general.reasons)
    own = [why for why in found.reasons if "一般为" in why]
    assert own
    assert own != [why for why in general.reasons if "一般为" in why]  # usual there, not elsewhere


def test_a_place_that_learnt_from_size_says_so() -> None:
    """Rigged auctions there are the large ones; nothing else tells them apart."""
    rows = a_market(7, auctions=200, name="large")
    draw = np.random.default_rng(3)
    large = {row["auction_id"]: draw.random() < 0.4 for row in rows}
    for row in rows:
        is_large = large[row["auction_id"]]
        row["label_auction"] = str(int(is_large))
        row["bid"] = f"{(1e7 if is_large else 1e4) * (1 + 0.1 * draw.random()):.2f}"
        row["control_price"] = ""
    model = train([Market("large", rows), Market("one", a_market(1, name="one"))], place="large")
    prices = (1_000_000_000, 1_030_000_000, 1_070_000_000, 1_090_000_000)
    said = score(model, an_opening(1, prices), ALONE)
    assert any("家数 4、报价中位数 10,500,000.00" in why for why in said.reasons)
    small = score(model, an_opening(1, tuple(price // 1000 for price in prices)), ALONE)
    assert not any("中位数" in why for why in small.reasons)
