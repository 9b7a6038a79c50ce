"""评委行为: who favours, who scores wildly, who scores together, who keeps meeting whom."""

import numpy as np
import pytest

from analytics.experts import Score, cliques, closeness, outliers, partialities, residuals

EXPERTS = tuple(f"expert-{n}" for n in range(7))
BIDDERS = tuple(f"firm-{n}" for n in range(6))


def sheets(seed: int, tenders: int = 6, **shift: float) -> list[Score]:
    """Honest experts with noise; `shift`: what an expert adds to a bidder, `expert_firm=…`."""
    draw, found = np.random.default_rng(seed), []
    for tender in range(tenders):
        quality = draw.uniform(0.4, 0.8, len(BIDDERS))
        for number, expert in enumerate(EXPERTS):
            for place, bidder in enumerate(BIDDERS):
                more = shift.get(f"e{number}_f{place}", 0.0)
                share = float(np.clip(quality[place] + draw.normal(0, 0.03) + more, 0, 1))
                found.append(Score(expert, f"t{tender}", bidder, "plan", share))
    return found


def test_a_favourite_is_found_and_honest_experts_are_not() -> None:
    told = partialities(residuals(sheets(1, e3_f2=0.15)))
    assert (told[0].expert, told[0].bidder) == ("expert-3", "firm-2")
    assert told[0].mean == pytest.approx(0.15, abs=0.04)
    honest = [partialities(residuals(sheets(seed))) for seed in range(20)]
    pairs = len(EXPERTS) * len(BIDDERS) * len(honest)
    assert sum(map(len, honest)) <= 0.02 * pairs


def test_a_residual_leaves_the_member_itself_out() -> None:
    given = [Score(f"e{n}", "t", "b", "i", share) for n, share in enumerate((0.9, 0.5, 0.7))]
    assert residuals(given)[given[0]] == pytest.approx(0.9 - 0.6)
    assert residuals(given[:1]) == {}  # nobody to compare with


def test_one_wild_sheet_does_not_hide_itself() -> None:
    scores = sheets(2)
    wild = Score("expert-0", "t0", "firm-0", "extra", 1.0)
    others = [Score(one, "t0", "firm-0", "extra", 0.5) for one in EXPERTS[1:]]
    assert outliers(residuals([*scores, wild, *others]))[0].score == wild
    assert outliers({}) == []


def test_three_who_score_together_are_a_clique_and_two_are_none() -> None:
    draw = np.random.default_rng(3)
    for together, expected in (((0, 1, 2), [("expert-0", "expert-1", "expert-2")]), ((0, 1), [])):
        found = []
        for tender in range(8):
            for bidder in BIDDERS:
                common = draw.normal(0, 0.1)
                for number, expert in enumerate(EXPERTS):
                    own = common if number in together else 0.0
                    share = float(np.clip(0.6 + own + draw.normal(0, 0.03), 0, 1))
                    found.append(Score(expert, f"t{tender}", bidder, "plan", share))
        assert [one.experts for one in cliques(found)] == expected


def test_who_meets_more_often_than_chance_is_close() -> None:
    draw, found = np.random.default_rng(4), []
    for tender in range(60):
        seated = set(draw.choice(range(1, 30), 5, replace=False).tolist())
        entered = set(draw.choice(range(1, 20), 5, replace=False).tolist())
        if tender % 6 == 0:
            seated, entered = seated | {0}, entered | {0}
        found += [
            Score(f"e{expert}", f"t{tender}", f"f{bidder}", "i", 0.5, bidder == 0)
            for expert in seated
            for bidder in entered
        ]
    closest = closeness(found)[0]
    assert (closest.expert, closest.bidder, closest.met) == ("e0", "f0", 10)
    assert closest.expected == pytest.approx(10 * 10 / 60)
    assert (closest.won_with, closest.won_without) == (1.0, None)
