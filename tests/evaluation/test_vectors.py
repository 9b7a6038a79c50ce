"""Golden vectors of the evaluation methods, worked out by hand; and what each of them refuses."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import msgspec
import pytest

from evaluation.low_price import LowPrice, abnormally_low
from evaluation.method import Offer, Placed, within
from evaluation.methods import METHODS
from trading.kernel.canonical import sha256
from trading.kernel.errors import DraftIncomplete, ScoreInvalid
from trading.kernel.money import Money

COMPREHENSIVE, LOW = "comprehensive-evaluation", "reasonable-low-price"
GOVERNMENT, LOWEST = "government-comprehensive-score", "government-lowest-price"
QUALITY, LIFE, QUALITATIVE = "quality-and-cost", "life-cycle-cost", "qualitative-review"


def offer(number: int, price: str, **more: Any) -> Offer:
    scores = {item: Decimal(points) for item, points in more.pop("scores", {}).items()}
    return Offer(str(number), number, Money.yuan(price), scores=scores, **more)


def placed(code: str, offers: list[Offer], given: Mapping[str, str]) -> list[Placed]:
    """In the order of the offers."""
    found = {place.eid: place for place in METHODS[code].rank(offers, given)}
    return [found[one.eid] for one in offers]


def scores(code: str, prices: list[str], given: Mapping[str, str] | None = None) -> list[str]:
    offers = [offer(number, price) for number, price in enumerate(prices)]
    return [place.score for place in placed(code, offers, given or {})]


def number(place: Placed, name: str) -> str:
    return next(line.value for line in place.lines if line.name == name)


@pytest.mark.parametrize(
    ("prices", "benchmark"),
    [
        (["90", "100", "200"], "130.00"),  # three: all of them
        (["90", "100", "110", "200"], "100.00"),  # four to six: the highest dropped
        (["10", "90", "95", "100", "105", "110"], "80.00"),
        (["10", "90", "95", "100", "105", "110", "500"], "100.00"),  # from seven on both
    ],
)
def test_the_bids_that_make_the_benchmark(prices: list[str], benchmark: str) -> None:
    for code in (COMPREHENSIVE, LOW):
        offers = [offer(index, price) for index, price in enumerate(prices)]
        found = {number(place, "benchmark") for place in placed(code, offers, {})}
        assert found == {benchmark}


@pytest.mark.parametrize(
    ("given", "benchmark"),
    [
        ({"benchmark": "mean"}, "130.00"),
        ({"benchmark": "mean", "float_percent": "10"}, "117.00"),
        ({"benchmark": "weighted", "ceiling_weight": "50"}, "180.00"),
        ({"benchmark": "weighted", "ceiling_weight": "30", "float_percent": "2"}, "156.80"),
    ],
)
def test_what_is_weighed_and_what_is_drawn(given: dict[str, str], benchmark: str) -> None:
    prices = ("90", "100", "200")
    offers = [offer(n, price, ceiling=Money.yuan("230")) for n, price in enumerate(prices)]
    assert number(placed(COMPREHENSIVE, offers, given)[0], "benchmark") == benchmark


def test_a_price_loses_more_above_the_benchmark_than_below() -> None:
    assert scores(LOW, ["98", "100", "102"]) == ["99.00", "100.00", "98.00"]
    assert scores(COMPREHENSIVE, ["98", "100", "102"]) == ["59.00", "60.00", "58.00"]
    steeper = {"above": "2", "below": "1", "price_weight": "40"}
    assert scores(COMPREHENSIVE, ["98", "100", "102"], steeper) == ["38.00", "40.00", "36.00"]


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("proportional", ["99.40", "100.00", "98.80"]),
        ("whole", ["99.50", "100.00", "99.00"]),
        ("started", ["99.00", "100.00", "98.00"]),
    ],
)
def test_a_part_of_a_percent(per: str, expected: list[str]) -> None:
    """1.2 percent below, nothing, and 1.2 percent above."""
    assert scores(LOW, ["98.80", "100", "101.20"], {"per": per}) == expected


def test_nobody_falls_below_nothing() -> None:
    assert scores(LOW, ["1", "1", "1000"], {"benchmark": "mean"})[2] == "0.00"


def test_the_panels_points_count_beside_the_price() -> None:
    offers = [
        offer(1, "98", scores={"technical": "30", "credit": "5.5"}),
        offer(2, "100", scores={"technical": "35", "credit": "5"}),
        offer(3, "102", scores={"technical": "25"}),
    ]
    found = placed(COMPREHENSIVE, offers, {})
    assert [place.score for place in found] == ["94.50", "100.00", "83.00"]
    assert [place.rank for place in found] == [2, 1, 3]


def test_the_governments_scores_and_its_deduction_for_small_firms() -> None:
    prices = ("98", "100", "120")
    offers = [
        offer(n, price, scores={"technical": points})
        for n, (price, points) in enumerate(zip(prices, ("60", "65", "70"), strict=True))
    ]
    assert [p.score for p in placed(GOVERNMENT, offers, {})] == ["90.00", "94.40", "94.50"]
    small = [offer(1, "98"), offer(2, "100", is_small=True)]
    found = placed(GOVERNMENT, small, {"small_deduction": "10"})
    assert [place.score for place in found] == ["27.55", "30.00"]
    assert number(found[1], "evaluated") == "90.00"
    assert [p.score for p in placed(GOVERNMENT, small, {"small_deduction": "0"})] == [
        "30.00",
        "29.40",
    ]
    lowest = placed(LOWEST, [offer(1, "95"), offer(2, "100", is_small=True)], {})
    assert [(place.rank, place.score) for place in lowest] == [(2, "95.00"), (1, "90.00")]


def test_quality_and_cost_with_and_without_a_budget() -> None:
    offers = [
        offer(1, "200", scores={"quality": "90"}),
        offer(2, "100", scores={"quality": "80"}),
        offer(3, "201", scores={"quality": "99"}),
    ]
    found = placed(QUALITY, offers[:2], {"quality_weight": "80"})
    assert [place.score for place in found] == ["82.00", "84.00"]
    fixed = placed(QUALITY, offers, {"quality_weight": "100", "budget": "200"})
    assert [place.rank for place in fixed] == [1, 2, 0]
    assert [place.score for place in fixed[:2]] == ["90.00", "80.00"]


def test_what_a_thing_costs_until_its_end() -> None:
    offers = [
        offer(1, "100", scores={"year-1": "105"}),
        offer(2, "90", scores={"year-1": "105", "year-2": "110.25", "residual": "110.25"}),
        offer(3, "199.99"),
    ]
    found = placed(LIFE, offers, {"discount": "5"})
    assert [(place.rank, place.score) for place in found] == [
        (3, "200.00"),
        (1, "190.00"),
        (2, "199.99"),
    ]


def test_a_qualitative_review_ranks_nobody() -> None:
    found = METHODS[QUALITATIVE].rank([offer(2, "1"), offer(1, "9")], {})
    assert [(place.eid, place.rank) for place in found] == [("1", 0), ("2", 0)]


@pytest.mark.parametrize(
    ("code", "given"),
    [
        (COMPREHENSIVE, {"price_weight": "101"}),
        (COMPREHENSIVE, {"price_weight": "NaN"}),
        (COMPREHENSIVE, {"above": "-1"}),
        (COMPREHENSIVE, {"benchmark": "median"}),
        (COMPREHENSIVE, {"benchmark": "weighted"}),  # and no ceiling
        (COMPREHENSIVE, {"benchmark": "mean", "float_percent": "100"}),
        (COMPREHENSIVE, {"unknown": "1"}),
        (GOVERNMENT, {"weight": "9"}),
        (GOVERNMENT, {"small_deduction": "21"}),
        (LIFE, {"discount": "Infinity"}),
        (QUALITATIVE, {"weight": "1"}),
    ],
)
def test_parameters_that_a_method_does_not_take(code: str, given: dict[str, str]) -> None:
    with pytest.raises(DraftIncomplete):
        METHODS[code].rank([offer(1, "100")], given)


@pytest.mark.parametrize(
    ("code", "points"),
    [
        (COMPREHENSIVE, {"technical": "-1"}),
        (COMPREHENSIVE, {"technical": "NaN"}),
        (COMPREHENSIVE, {"technical": "30", "credit": "10.01"}),  # the price leaves forty
        (GOVERNMENT, {"technical": "70.5"}),
        (QUALITY, {"quality": "100.1"}),
        (LIFE, {"yearly": "1"}),
    ],
)
def test_scores_outside_their_range(code: str, points: dict[str, str]) -> None:
    with pytest.raises(ScoreInvalid):
        METHODS[code].rank([offer(1, "100", scores=points)], {})


def test_reviewed_prices_count_their_adjustments() -> None:
    """100,000 with late completion at 3,000 stands behind 101,000 with better terms at −500."""
    slow = msgspec.structs.replace(
        offer(1, "100000"), adjustments={"completion": Money.yuan("3000")}
    )
    good = msgspec.structs.replace(offer(2, "101000"), adjustments={"terms": Money.yuan("-500")})
    placed = METHODS["lowest-reviewed-price"].rank([slow, good], {})
    assert [(place.eid, place.score) for place in placed] == [
        ("2", "100,500.00"),
        ("1", "103,000.00"),
    ]
    assert placed[0].lines[0].text == "101,000.00 + (terms -500.00) = 100,500.00"


@pytest.mark.parametrize("amount", ["-100000", "-100000.01"])
def test_an_adjustment_leaves_something_of_the_price(amount: str) -> None:
    low = msgspec.structs.replace(offer(1, "100000"), adjustments={"x": Money.yuan(amount)})
    with pytest.raises(ScoreInvalid):
        METHODS["lowest-reviewed-price"].rank([low], {})


def test_other_methods_take_no_adjustments() -> None:
    adjusted = msgspec.structs.replace(offer(1, "100"), adjustments={"x": Money(1)})
    for method in METHODS:
        if not method.adjusts:
            with pytest.raises(ScoreInvalid):
                method.rank([adjusted], {})


def test_double_random_keeps_to_the_band_and_weighs_by_credit() -> None:
    """Mean of 95, 100, 105 and 140 without the highest: 100; 140 lies 40 % off."""
    offers = [
        offer(1, "95", scores={"credit": "90"}),
        offer(2, "100", scores={"credit": "60"}),
        offer(3, "105", scores={"credit": "0"}),
        offer(4, "140", scores={"credit": "100"}),
    ]
    method = METHODS["double-random-credit"]
    firsts = [method.rank(offers, {"seed": sha256(bytes([n])).hex()}) for n in range(250)]
    assert {tuple(place.eid for place in placed[2:]) for placed in firsts} == {("3", "4")}
    times = sum(placed[0].eid == "1" for placed in firsts)
    assert 125 < times < 175  # 150 expected: 90 of 150 lots; the seeds are fixed


@pytest.mark.parametrize("seed", ["", "zz" * 32, "00" * 31])
def test_a_seed_is_a_hash(seed: str) -> None:
    with pytest.raises(DraftIncomplete):
        METHODS["double-random-credit"].rank([offer(1, "100")], {"seed": seed})


LOW_PRICES = [
    (["100", "100", "49"], None, {"3": ["second"]}),  # mean of all 83: 41.5; second lowest 50
    (["100", "100", "50"], None, {}),  # strictly below
    (["100", "100", "100", "100", "41.99"], "93.33", {"5": ["mean", "second", "ceiling"]}),
    (["45"], "100", {}),
    (["44.99"], "100", {"1": ["ceiling"]}),
    (["10"], None, {}),
    ([], None, {}),
]


@pytest.mark.parametrize(("prices", "ceiling", "found"), LOW_PRICES)
def test_abnormally_low_prices(prices: list[str], ceiling: str | None, found: dict) -> None:
    offers = [
        offer(n, price, ceiling=Money.yuan(ceiling) if ceiling else None)
        for n, price in enumerate(prices, 1)
    ]
    since = datetime(2026, 1, 31, 16, tzinfo=UTC)  # midnight at Beijing
    low = abnormally_low(offers, LowPrice(), since)
    assert {eid: [line.name for line in lines] for eid, lines in low.items()} == found
    assert abnormally_low(offers, LowPrice(), since - timedelta(seconds=1)) == {}


def test_a_tender_may_raise_the_limits_to_65_percent() -> None:
    offers = [offer(1, "100"), offer(2, "64.99")]
    since = datetime(2026, 2, 1, tzinfo=UTC)
    raised = LowPrice(of_second_lowest=Decimal(65))
    assert abnormally_low(offers, LowPrice(), since) == {}
    assert set(abnormally_low(offers, raised, since)) == {"2"}
    for percent in ("65.01", "44", "NaN"):
        with pytest.raises(DraftIncomplete):
            within("low-price", LowPrice(of_second_lowest=Decimal(percent)))


def test_the_ratio_is_the_one_that_bid_evaluation_computes() -> None:
    """A peer from PyPI, in floats: its min_ratio criterion with weight 0.3."""
    criteria = import_module("bid_evaluation.criteria")
    pandas = import_module("pandas")
    prices = ["98", "100", "120", "333.33", "98.01"]
    peer = criteria.MinimumRatioCriterion("price", 0.3).evaluate(
        pandas.Series([float(price) for price in prices])
    )
    placed = METHODS["government-price-score"].rank(
        [offer(n, price) for n, price in enumerate(prices)], {"weight": "30"}
    )
    ours = {place.eid: float(place.score) for place in placed}
    assert [ours[str(n)] for n in range(len(prices))] == pytest.approx(list(peer), abs=0.005)
