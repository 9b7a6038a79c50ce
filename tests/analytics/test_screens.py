"""Screens mean what the papers say they mean, whatever the currency and the order of the bids."""

from itertools import combinations

import numpy as np
import pytest
from analytics_markets import a_market, bids_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analytics.market import Market
from analytics.screens import SCREENS, SUBSETS, screens

PRICES = st.lists(st.integers(10_000, 10_000_000).map(float), min_size=4, max_size=11, unique=True)


def one(prices: list[float], **columns: str) -> dict[str, float]:
    return {name: float(column[0]) for name, column in screens(bids_of(prices, **columns)).items()}


@given(PRICES)
def test_screens_are_those_of_the_papers(prices: list[float]) -> None:
    bids, found = np.sort(prices), one(prices, control_price="20000000")
    losers = bids[1:]
    assert found["cv"] == pytest.approx(bids.std(ddof=1) / bids.mean())
    assert found["spd"] == pytest.approx((bids[-1] - bids[0]) / bids[0])
    assert found["diffp"] == pytest.approx((bids[1] - bids[0]) / bids[0])
    assert found["rd"] == pytest.approx((bids[1] - bids[0]) / losers.std(ddof=1))
    assert found["skew"] == pytest.approx(stats.skew(bids, bias=False), rel=1e-6, abs=1e-6)
    assert found["kurt"] == pytest.approx(stats.kurtosis(bids, bias=False), rel=1e-6, abs=1e-6)
    assert found["won_control"] == pytest.approx(bids[0] / 20_000_000)


@given(PRICES)
def test_subsets_are_all_of_them(prices: list[float]) -> None:
    found = one(prices)
    for size in (3, 4):
        cvs = [np.std(c, ddof=1) / np.mean(c) for c in combinations(prices, size)]
        assert found[f"median_cv_{size}"] == pytest.approx(np.median(cvs))
        assert found[f"least_cv_{size}"] == pytest.approx(min(cvs))
        assert found[f"most_cv_{size}"] == pytest.approx(max(cvs))


@given(PRICES, st.floats(0.01, 1000), st.integers(0, 99))
def test_neither_currency_nor_order_matters(prices: list[float], rate: float, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(prices))
    shuffled = [prices[place] * rate for place in order]
    before, after = one(prices), one(shuffled)
    for name in (*SCREENS, *SUBSETS):
        assert after[name] == pytest.approx(before[name], rel=1e-6, abs=1e-9, nan_ok=True), name


@pytest.mark.parametrize(
    ("size", "known"), [(1, set()), (2, {"cv", "spd", "diffp"}), (3, {"rd", "skew"})]
)
def test_what_too_few_bids_cannot_tell_is_not_told(size: int, known: set[str]) -> None:
    found = one([100.0 + n for n in range(size)])
    told = {name for name, value in found.items() if np.isfinite(value)}
    assert known <= told
    assert ("kurt" in told) == (size >= 4)
    assert ("cv" in told) == (size >= 2)


def test_equal_bids_are_no_error() -> None:
    found = one([100.0] * 6)
    assert found["cv"] == found["skew"] == found["kurt"] == 0
    assert all(np.isfinite(v) for n, v in found.items() if "control" not in n)


def test_many_auctions_at_once_are_the_same_as_one_by_one() -> None:
    rows = a_market(3)
    together = screens(Market("all", rows))
    for place, name in enumerate(dict.fromkeys(row["auction_id"] for row in rows)):
        alone = screens(Market("one", [row for row in rows if row["auction_id"] == name]))
        for code, column in together.items():
            assert column[place] == pytest.approx(alone[code][0], nan_ok=True), (name, code)


def test_of_many_bids_subsets_are_a_fixed_draw() -> None:
    prices = [1000.0 + n * n for n in range(73)]
    assert one(prices) == pytest.approx(one(prices), nan_ok=True)
    assert one(prices)["median_cv_4"] > 0
