"""预警: scores that travel, bands that keep their promise, a trainer that nobody flatters."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from analytics_markets import a_market, real_markets, write_market
from commands import kaifeng

from analytics.bands import ALPHA, RED, Bands, red_share
from analytics.features import FEATURES, matrix
from analytics.honest import evaluate, found_at
from analytics.labelled import Labelled
from analytics.leaks import leaks
from analytics.market import Market, read_market, read_markets
from analytics.model import Model
from analytics.training import auc, train
from analytics.warning import INSUFFICIENT, Warned, has_signal, warn
from analytics.who import suspects
from trading.kernel.errors import InputUnusable

TAUGHT = [Market(f"m{seed}", a_market(seed, spread=0.6 + 0.3 * seed)) for seed in range(3)]


@pytest.fixture(scope="module")
def model() -> Model:
    return train(TAUGHT)


def test_an_unseen_market_is_ranked_in_any_currency_and_spread(model: Model) -> None:
    for spread in (0.3, 1, 3):
        rows = a_market(77, spread=spread)
        dear = [
            row | {name: str(float(row[name]) * 8.3) for name in ("bid", "control_price")}
            for row in rows
        ]
        seen, same = (warn(model, Market("new", given)) for given in (rows, dear))
        scores = np.array([one.score for one in seen], dtype=float)
        assert auc(Market("new", rows).labels, scores) > 0.9
        assert scores == pytest.approx([one.score for one in same])


def test_the_same_markets_make_the_same_model_to_the_byte(model: Model, tmp_path: Path) -> None:
    again = train(TAUGHT)
    model.save(tmp_path / "a.json")
    again.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    loaded = Model.load(tmp_path / "a.json")
    assert loaded.digest == model.digest
    market = Market("new", a_market(5))
    assert warn(loaded, market) == warn(model, market)


def test_theory_holds_in_every_model(model: Model) -> None:
    """More of what speaks for collusion never lowers the score, whatever was learnt."""
    rows = matrix(TAUGHT[0])
    before = model.blend.scores(rows)
    for column, feature in enumerate(FEATURES):
        moved = rows.copy()
        if feature.code == "skew":
            moved[:, column] += feature.sign
        else:
            moved[:, column] *= 1 + 0.2 * feature.sign
        assert (model.blend.scores(moved) >= before - 1e-9).all(), feature.code


def test_below_three_bids_nothing_is_said(model: Model) -> None:
    rows = [row for row in a_market(4) if row["auction_id"] == "made-up-0"][:2]
    (said,) = warn(model, Market("two", rows))
    assert (said.score, said.band, said.abstain) == (None, INSUFFICIENT, True)


def test_a_market_that_theory_cannot_read_is_left_alone(model: Model) -> None:
    features = matrix(Market("new", a_market(6)))
    scores = model.blend.scores(features)
    assert has_signal(scores, features)
    assert not has_signal(-scores, features)
    assert has_signal(-scores[:10], features[:10])


def test_reasons_name_the_numbers_and_the_article(model: Model) -> None:
    market = Market("new", a_market(9))
    reddest = max(warn(model, market), key=lambda one: one.score or 0)
    told = "".join(reddest.reasons)
    assert reddest.band == RED
    assert "第四十条" in told or "第三十九条" in told
    assert "%" in told
    assert "firm-" in told
    assert "线索" in told


# -- bands ----------------------------------------------------------------------------------------


def test_thirty_cleared_auctions_keep_the_promise() -> None:
    draw = np.random.default_rng(1)
    shares = []
    for _ in range(300):
        clean = np.exp(draw.normal(3, 2, 530))  # nothing like what the model was calibrated on
        shares.append(red_share(clean[30:], clean[:30].tolist()))
    assert ALPHA - 0.03 < np.mean(shares) <= ALPHA + 0.02


def test_the_control_thresholds_of_elsewhere_break_it() -> None:
    elsewhere = Bands([float(n) for n in range(100)], [50.0])
    assert elsewhere.of(np.full(50, 1000.0)) == [RED] * 50
    assert RED not in elsewhere.localised([1000.0] * 30).of(np.full(50, 1000.0))


def test_a_handful_of_cleared_auctions_changes_nothing() -> None:
    bands = Bands([1.0, 2.0], [3.0])
    assert bands.localised([0.0] * 18) is bands


# -- honesty --------------------------------------------------------------------------------------


def test_found_at_counts_at_the_budget() -> None:
    labels = np.array([0] * 100 + [1] * 10)
    scores = np.concatenate([np.arange(100.0), [94.5, 95.5, 98, 99, 200, 1, 2, 3, 4, 94]])
    assert found_at(labels, scores) == 0.5


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("case_no", lambda row: row["auction_id"], "identifies auctions"),
        ("tax_no", lambda row: f"x{row['bidder_id']}", "identifies firms"),
        ("line_no", lambda row: f"{row['auction_id']}/{row['bidder_id']}", "identifies bids"),
        ("when", lambda row: f"{float(row['date_raw']) * 86_400 + 5}", "follows the date"),
        ("docket", lambda row: f"{int(row['label_auction']) * 10}", "separates the cases"),
        ("weather", lambda row: f"{len(row['bid']) % 2}", ""),
    ],
)
def test_an_injected_column_is_found_out(column: str, value: object, reason: str) -> None:
    rows = [row | {column: value(row)} for row in a_market(2)]  # type: ignore[operator]
    found = {leak.column: leak.en for leak in leaks(Market("m", rows))}
    assert reason in found.get(column, "")
    assert bool(reason) == (column in found)


def test_a_firms_number_is_found_out_where_firms_have_no_names() -> None:
    rows = [row | {"firm_no": row["bidder_id"], "bidder_id": ""} for row in a_market(2)]
    assert {leak.column: leak.en for leak in leaks(Market("m", rows))}["firm_no"].endswith(
        "identifies firms: not used"
    )


def test_only_prices_are_trained_on() -> None:
    plain, named = a_market(2), [row | {"oracle": row["label_auction"]} for row in a_market(2)]
    assert train([Market("m", plain)]).digest == train([Market("m", named)]).digest


def test_labels_of_one_kind_teach_nothing() -> None:
    rows = [row | {"label_auction": "0"} for row in a_market(2)]
    with pytest.raises(InputUnusable, match="两类"):
        train([Market("m", rows)])


# -- the published markets ------------------------------------------------------------------------


def test_on_published_markets_the_model_beats_the_screen_it_has_not_to_train() -> None:
    lessons = train(read_markets(real_markets())).card
    unseen, theory = lessons.unseen_auc, lessons.untrained_auc
    assert np.mean(list(unseen.values())) > np.mean(list(theory.values()))
    assert unseen["brazil"] > 0.9
    assert unseen["ticino"] > 0.8


def test_the_promise_holds_on_every_published_market() -> None:
    markets = [m for m in read_markets(real_markets()) if m.name != "gr-sg"]
    for report in evaluate(markets):
        assert report.red is not None
        assert report.red <= ALPHA + 0.02, report.market


# -- commands -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("markets")
    for seed in range(2):
        write_market(made / f"m{seed}.csv.gz", a_market(seed))
    return made


def test_train_score_and_evaluate_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "model.json", tmp_path / "out.csv"
    done = kaifeng("analytics", "train", "--data", str(folder), "--out", str(model))
    assert "AUC" in done.stdout
    given = [{k: row[k] for k in ("auction_id", "bid", "winner")} for row in a_market(9)]
    path = write_market(tmp_path / "in.csv", given)
    kaifeng("analytics", "score", "--model", str(model), "--input", str(path), "--out", str(out))
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["auction_id", "score", "band", "reasons", "abstain"]
    assert [row["auction_id"] for row in rows] == list(
        dict.fromkeys(g["auction_id"] for g in given)
    )
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    judged = kaifeng("analytics", "evaluate", "--data", str(folder)).stdout
    assert "宏平均" in judged
    assert json.loads(model.read_text("utf-8"))["card"]["markets"][0]["name"] == "m0"


def test_bidders_are_scored_in_their_auctions(folder: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "model.json", tmp_path / "out.csv"
    kaifeng("analytics", "train", "--data", str(folder), "--out", str(model))
    path = write_market(tmp_path / "in.csv", a_market(9))
    options = ("--model", str(model), "--input", str(path), "--out", str(out))
    kaifeng("analytics", "score", "--bidders", *options)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["auction_id", "bidder_id", "score"]
    asked = [(row["auction_id"], row["bidder_id"]) for row in a_market(9)]
    assert [(row["auction_id"], row["bidder_id"]) for row in rows] == asked


def test_who_meets_often_and_prices_closely_stands_out() -> None:
    """A ring of three that always bids together, beside firms that come and go."""
    draw = np.random.default_rng(3)
    rows = []
    for number in range(40):
        ring = [("r1", 100.0), ("r2", 101.0), ("r3", 100.6)]
        others = [(f"firm-{n}", float(draw.uniform(110, 150))) for n in draw.choice(60, 4, False)]
        for firm, price in [*ring, *others]:
            row = {"auction_id": str(number), "bidder_id": firm, "bid": f"{price:.2f}"}
            rows.append(row | {"winner": str(int(firm == "r1"))})
    market = Market("m", rows)
    told = suspects(market, [Warned(name, 0.5, RED, (), abstain=False) for name in market.auctions])
    ring_scores = [one.score or 0 for one in told if one.bidder.startswith("r")]
    assert min(ring_scores) > max(one.score or 0 for one in told if one.bidder[0] == "f")


def test_splitting_bids_is_refused(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.json"
    options = ("--data", str(folder), "--out", str(out), "--split", "bids")
    refused = kaifeng("analytics", "train", *options)
    assert refused.returncode == 2
    assert "KF-001" in refused.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("auction_id,price\na,1\n", "bid"),
        ("auction_id,bid\na,nan\n", "2"),
        ("auction_id,bid\na,-5\n", "-5"),
        ("auction_id,bid\n", "no bids"),
    ],
)
def test_a_file_that_is_no_market_is_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputUnusable, match=said):
        read_market(path)


def test_weights_let_every_market_and_class_count_alike() -> None:
    lesson = Labelled(TAUGHT[0])
    for label in (0, 1):
        assert lesson.weights[lesson.labels == label].sum() == pytest.approx(0.5)
