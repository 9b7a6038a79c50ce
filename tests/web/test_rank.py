"""`kaifeng methods` and `kaifeng rank`: methods on the command line, every number explained."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import kaifeng

from evaluation.methods import METHODS

BIDS = [{"bidder": "甲", "price": "98.00"}, {"bidder": "乙", "price": "100"}]


def rank(folder: Path, method: str, given: Any) -> Any:
    path = folder / "bids.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given), "utf-8")
    return kaifeng("rank", "--method", method, "--input", path)


def test_every_method_is_listed_with_the_schema_of_its_parameters() -> None:
    done = kaifeng("methods")
    listed = {item["code"]: item for item in json.loads(done.stdout)}
    assert set(listed) == {method.code for method in METHODS}
    weight = listed["comprehensive-evaluation"]["parameters"]["properties"]["price_weight"]
    assert (weight["default"], weight["minimum"], weight["maximum"]) == ("60", 0, 100)


def test_bids_are_ranked_and_every_number_has_its_sentence(tmp_path: Path) -> None:
    third = {"bidder": "丙", "price": "120.00", "scores": {"technical": "70"}}
    given = {"params": {"weight": "30"}, "bids": [*BIDS, third]}
    done = rank(tmp_path, "government-comprehensive-score", given)
    assert done.returncode == 0, done.stderr
    ranking = json.loads(done.stdout)["ranking"]
    assert [(item["rank"], item["bidder"], item["score"]) for item in ranking] == [
        (1, "丙", "94.50"),
        (2, "甲", "30.00"),
        (3, "乙", "29.40"),
    ]
    for item in ranking:
        assert item["score"] in item["explanation"]
        assert {line["name"] for line in item["lines"]} >= {"evaluated", "lowest", "price", "total"}
        assert all(line["value"] in line["text"] for line in item["lines"])


def test_the_same_input_gives_the_same_bytes_and_amounts_are_plain(tmp_path: Path) -> None:
    given = {"bids": [{"bidder": "甲", "price": "1234567.89"}]}
    first = rank(tmp_path, "lowest-reviewed-price", given)
    assert json.loads(first.stdout)["ranking"][0]["score"] == "1234567.89"
    assert rank(tmp_path, "lowest-reviewed-price", given).stdout == first.stdout


@pytest.mark.parametrize(
    ("method", "given", "code"),
    [
        ("no-such-method", {"bids": BIDS}, "KF-004"),
        ("lowest-reviewed-price", "{", "KF-"),
        ("lowest-reviewed-price", {"bids": []}, "KF-"),
        ("lowest-reviewed-price", {"bids": [*BIDS, BIDS[0]]}, "KF-"),
        ("lowest-reviewed-price", {"bids": [{"bidder": "甲", "price": "0"}]}, "KF-"),
        ("lowest-reviewed-price", {"bids": [{"bidder": "甲", "price": "NaN"}]}, "KF-005"),
        ("lowest-reviewed-price", {"bids": [{"bidder": "甲", "price": "1.001"}]}, "KF-005"),
        ("lowest-reviewed-price", {"bids": BIDS, "params": {"weight": 1}}, "KF-206"),
        (
            "lowest-reviewed-price",
            {"bids": [{"bidder": "甲", "price": "9", "ceiling": "8.99"}]},
            "KF-",
        ),
        (
            "comprehensive-evaluation",
            {"bids": [{"bidder": "甲", "price": "9", "scores": {"technical": "NaN"}}]},
            "KF-",
        ),
        (
            "comprehensive-evaluation",
            {"bids": [{"bidder": "甲", "price": "9", "scores": {"technical": "41"}}]},
            "KF-212",
        ),
    ],
)
def test_what_cannot_be_ranked_is_refused_by_a_code(
    tmp_path: Path, method: str, given: Any, code: str
) -> None:
    done = rank(tmp_path, method, given)
    assert done.returncode in (1, 2)
    assert code in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
