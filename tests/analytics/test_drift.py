"""校准与漂移: figures worked out by hand; what moved is told, what did not is left alone."""

from pathlib import Path

import numpy as np
import pytest
from analytics_markets import a_market, write_market
from commands import kaifeng

from analytics.calibration import calibration, with_prior
from analytics.drift import drift


def test_brier_and_ece_are_what_one_works_out_by_hand() -> None:
    labels = np.array([0, 0, 1, 1])
    sure = calibration(labels, np.array([0.0, 0.0, 1.0, 1.0]))
    assert (sure.brier, sure.base, sure.ece) == (0.0, 0.25, 0.0)
    wrong = calibration(labels, np.array([1.0, 1.0, 0.0, 0.0]))
    assert (wrong.brier, wrong.ece) == (1.0, 1.0)
    flat = calibration(labels, np.full(4, 0.5))
    assert (flat.brier, flat.ece) == (0.25, 0.5)


def test_another_share_is_another_probability() -> None:
    assert with_prior(np.array([0.1]), 0.1, 0.5) == pytest.approx([0.5])
    assert with_prior(np.array([0.2, 0.9]), 0.3, 0.3) == pytest.approx([0.2, 0.9])
    assert np.isfinite(with_prior(np.array([0.0, 1.0]), 0.1, 0.5)).all()


def test_what_moved_is_told_and_what_did_not_is_left_alone() -> None:
    draw = np.random.default_rng(1)
    before, after = draw.normal(size=(400, 3)), draw.normal(size=(200, 3))
    after[:, 1] += 1.0
    after[:, 2] = np.nan
    same, moved, gone = drift(["same", "moved", "gone"], before, after)
    assert (same.alarm, moved.alarm, gone.alarm) == (False, True, False)
    assert gone.psi is None
    alarms = [
        one.alarm
        for _ in range(100)
        for one in drift(["x"], draw.normal(size=(200, 1)), draw.normal(size=(100, 1)))
    ]
    assert sum(alarms) <= 1


def test_drift_from_the_command_line(tmp_path: Path) -> None:
    old = write_market(tmp_path / "old.csv", a_market(1, auctions=200))
    same = write_market(tmp_path / "same.csv", a_market(2, auctions=200))
    wide = write_market(tmp_path / "wide.csv", a_market(3, auctions=200, spread=4.0))
    few = write_market(tmp_path / "few.csv", a_market(4, auctions=10))
    said = {
        path.stem: kaifeng("analytics", "drift", "--before", old, "--after", path).stdout
        for path in (same, wide, few)
    }
    assert "!" not in said["same"]
    assert "! cv" in said["wide"]
    assert "太少" in said["few"]
