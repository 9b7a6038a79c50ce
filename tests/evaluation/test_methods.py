"""Evaluation methods: golden vectors for each, properties that every registered one must keep."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.desks.ranking import check_method
from evaluation.method import Method, Offer
from evaluation.methods import METHODS
from trading.facts.tender import Lot, TenderDrafted
from trading.kernel.errors import DraftIncomplete, Refusal
from trading.kernel.money import Money

PRICE_SCORE = METHODS["government-price-score"]
LOWEST = METHODS["lowest-reviewed-price"]
OFFERS = st.lists(st.integers(1, 10**12), min_size=1, max_size=9).map(
    lambda prices: [Offer(f"e{n}", n, Money(fen)) for n, fen in enumerate(prices)]
)


def scores(prices: list[str], weight: str = "30") -> list[str]:
    offers = [Offer(str(n), n, Money.yuan(price)) for n, price in enumerate(prices)]
    placed = {place.eid: place.score for place in PRICE_SCORE.rank(offers, {"weight": weight})}
    return [placed[str(n)] for n in range(len(prices))]


@pytest.mark.parametrize(
    ("prices", "weight", "expected"),
    [
        (["98", "100", "120"], "30", ["30.00", "29.40", "24.50"]),
        (["120", "98", "100"], "30", ["24.50", "30.00", "29.40"]),
        (["3", "7"], "10", ["10.00", "4.29"]),
        (["1", "8"], "100", ["100.00", "12.50"]),
        (["2", "2"], "60", ["60.00", "60.00"]),
    ],
)
def test_government_price_scores(prices: list[str], weight: str, expected: list[str]) -> None:
    assert scores(prices, weight) == expected


@pytest.mark.parametrize("weight", ["0", "101", "-1", "3.5", "", "三十"])
def test_weights_outside_the_rule_are_refused(weight: str) -> None:
    with pytest.raises(DraftIncomplete):
        scores(["1"], weight)


def test_the_lowest_price_ranks_first_and_ties_go_to_the_earlier_bid() -> None:
    offers = [Offer("c", 3, Money(5)), Offer("a", 1, Money(7)), Offer("b", 2, Money(5))]
    assert [place.eid for place in LOWEST.rank(offers, {})] == ["b", "c", "a"]


@pytest.mark.parametrize("method", list(METHODS), ids=lambda method: method.code)
@given(offers=OFFERS)
def test_the_order_of_the_offers_does_not_matter(method: Method, offers: list[Offer]) -> None:
    assert method.rank(offers, {}) == method.rank(offers[::-1], {})


@pytest.mark.parametrize(
    "method", [m for m in METHODS if m.is_ranked], ids=lambda method: method.code
)
@given(offers=OFFERS)
def test_everybody_has_a_rank_of_its_own(method: Method, offers: list[Offer]) -> None:
    ranks = [place.rank for place in method.rank(offers, {})]
    assert sorted(ranks) == list(range(1, len(offers) + 1))


@pytest.mark.parametrize(
    "method",
    [m for m in METHODS if m.is_monotone and m.is_ranked],
    ids=lambda method: method.code,
)
@given(offers=OFFERS)
def test_a_lower_price_never_ranks_behind(method: Method, offers: list[Offer]) -> None:
    ranks = {place.eid: place.rank for place in method.rank(offers, {})}
    for one in offers:
        for other in offers:
            if one.price < other.price:
                assert ranks[one.eid] < ranks[other.eid]


@pytest.mark.parametrize("method", list(METHODS), ids=lambda method: method.code)
@given(offers=OFFERS)
def test_every_number_is_explained(method: Method, offers: list[Offer]) -> None:
    for place in method.rank(offers, {}):
        assert place.score in place.explanation or not method.is_ranked
        for line in place.lines:
            assert line.value in line.text, line
        assert method.zh
        assert method.en


@given(OFFERS, st.integers(1, 100))
def test_scores_are_exact_to_half_a_cent(offers: list[Offer], weight: int) -> None:
    lowest = min(offer.price.fen for offer in offers)
    prices = {offer.eid: offer.price.fen for offer in offers}
    for place in PRICE_SCORE.rank(offers, {"weight": str(weight)}):
        exact = Fraction(lowest * weight, prices[place.eid])
        assert abs(Fraction(place.score) - exact) <= Fraction(1, 200)


@pytest.mark.parametrize(
    ("code", "parameters", "refusal"),
    [
        ("reasonable-low-price", {"float_percent": "100"}, "KF-206"),
        ("quality-and-cost", {"budget": "a million"}, "KF-005"),
        ("qualitative-review", {}, "KF-206"),
        ("lowest-reviewed-price", {"weight": "1"}, "KF-206"),
    ],
)
def test_a_draft_is_refused_what_its_evaluation_would_fail_on(
    code: str, parameters: dict[str, str], refusal: str
) -> None:
    draft = TenderDrafted(
        tender="t",
        number="1",
        title="t",
        buyer="b",
        buyer_id="b",
        procedure="open-tender",
        method=code,
        lots=(Lot(1, "l"),),
        parameters=parameters,
    )
    with pytest.raises(Refusal) as refused:
        check_method(draft)
    assert refused.value.code == refusal
