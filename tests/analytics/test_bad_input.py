"""坏数据: what files from outside get wrong is refused or left out, and no score is made up."""

import gzip
import json
from pathlib import Path

import msgspec
import pytest
from analytics_markets import a_market, real_markets
from commands import kaifeng

from analytics.company import Company
from analytics.dossier import read_dossier
from analytics.flagging import read_processes
from analytics.honest import evaluate
from analytics.market import Market, read_market
from analytics.model import Model
from analytics.network import communities
from analytics.synth import synthesize
from analytics.training import train
from analytics.warning import INSUFFICIENT, warn
from analytics.who import suspects
from trading.kernel.errors import InputUnusable


@pytest.fixture(scope="module")
def model() -> Model:
    return train([Market(f"m{seed}", a_market(seed)) for seed in range(2)])


def read(folder: Path, text: str) -> Market:
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    return read_market(path)


def test_a_short_line_lacks_what_it_does_not_say(tmp_path: Path) -> None:
    market = read(tmp_path, "auction_id,bid,winner,bidder_id\nA,100\nA,95,1,x\n")
    assert market.winner.tolist() == [False, True]
    assert market.bidders == ["", "x"]


def test_a_line_with_too_many_cells_is_refused_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="第 3 行"):
        read(tmp_path, "auction_id,bid\nA,100\nA,95,1\n")


@pytest.mark.parametrize("bid", ["1e308", "5e-324", "inf", "-1"])
def test_what_can_be_no_price_is_refused(bid: str, tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="第 2 行"):
        read(tmp_path, f"auction_id,bid\nA,{bid}\n")


def test_a_bid_that_stands_four_times_is_one_bid(model: Model, tmp_path: Path) -> None:
    market = read(tmp_path, "auction_id,bidder_id,bid\n" + "A,f,100\n" * 4)
    assert len(market.bids) == 1
    assert [one.band for one in warn(model, market)] == [INSUFFICIENT]


def test_one_firm_with_three_prices_is_no_competition(model: Model, tmp_path: Path) -> None:
    one = read(tmp_path, "auction_id,bidder_id,bid\nA,f,100\nA,f,101\nA,f,102\n")
    assert [said.score for said in warn(model, one)] == [None]
    three = read(tmp_path, "auction_id,bidder_id,bid\nA,f,100\nA,g,101\nA,h,102\n")
    assert all(said.score is not None for said in warn(model, three))


def test_a_ceiling_is_known_from_whichever_line_says_it(model: Model) -> None:
    whole = [row | {"control_price": "200"} for row in a_market(4)]
    seen: set[str] = set()
    some = []
    for row in reversed(whole):
        some.append(row if row["auction_id"] not in seen else row | {"control_price": ""})
        seen.add(row["auction_id"])
    expected = {one.auction: one.score for one in warn(model, Market("m", whole))}
    assert {one.auction: one.score for one in warn(model, Market("m", some[::-1]))} == expected


def test_a_ceiling_of_nothing_is_none(tmp_path: Path) -> None:
    market = read(tmp_path, "auction_id,bid,control_price,label_auction\nA,100,0,1e300\nA,90,0,\n")
    assert str(market.controls.tolist()) == "[nan]"
    assert market.labels.tolist() == [-1]


def test_an_auction_that_was_rigged_is_not_taken_for_cleared(model: Model) -> None:
    """What people found rigged does not move the bands, even in a file of cleared ones."""
    clean = [row for row in a_market(6, auctions=120) if row["label_auction"] == "0"]
    rigged = [row for row in a_market(6, auctions=120) if row["label_auction"] == "1"]
    here = Market("here", a_market(7))
    expected = warn(model, here, Market("cleared", clean))
    assert warn(model, here, Market("cleared", clean + rigged)) == expected
    unsaid = [row | {"label_auction": ""} for row in clean + rigged]
    assert warn(model, here, Market("cleared", unsaid)) != expected


def test_a_model_that_lacks_numbers_is_refused(model: Model, tmp_path: Path) -> None:
    msgspec.structs.replace(model, usual=[]).save(tmp_path / "m.json")
    with pytest.raises(InputUnusable, match="不完整"):
        Model.load(tmp_path / "m.json")


def test_a_crowd_is_no_company(model: Model) -> None:
    rows = [{"auction_id": "A", "bidder_id": f"f{n}", "bid": f"{100 + n}"} for n in range(20_000)]
    market = Market("crowd", rows)
    assert Company.of(market).met.nnz == 0
    assert len(suspects(market, warn(model, market))) == len(rows)


def test_firms_that_met_nobody_are_communities_of_their_own() -> None:
    rows = [{"auction_id": f"A{n}", "bidder_id": f"f{n}", "bid": "1"} for n in range(3)]
    assert sorted(communities(Market("m", rows)).values()) == [0, 1, 2]


def test_no_community_is_scored_by_a_model_that_saw_it() -> None:
    """Brazil's firms keep so much company that too little is left of it; another market helps."""
    brazil, other = (read_market(real_markets() / f"{one}.csv.gz") for one in ("brazil", "ticino"))
    assert evaluate([brazil])[0].community is None
    assert evaluate([brazil, other])[0].community is not None


@pytest.mark.parametrize("kind", ["package", "records", "list", "indented", "mark", "packed"])
def test_processes_come_in_any_wrapping(kind: str, tmp_path: Path) -> None:
    release, path = {"ocid": "x-1", "tender": {}}, tmp_path / "f.json"
    given = {
        "package": json.dumps({"releases": [release]}),
        "records": json.dumps({"records": [{"ocid": "x-1", "compiledRelease": release}]}),
        "list": json.dumps([release]),
        "indented": json.dumps({"releases": [release]}, indent=2),
        "mark": "\ufeff" + json.dumps(release),
        "packed": json.dumps(release),
    }[kind].encode()
    path.write_bytes(gzip.compress(given) if kind == "packed" else given)
    assert [process.ocid for process in read_processes(path)] == ["x-1"]


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 1500, b"{}\n", b'{"releases": ['])
def test_a_file_without_processes_is_no_clean_bill_of_health(
    content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "f.json").write_bytes(content)
    done = kaifeng("flags", tmp_path / "f.json")
    assert done.returncode == 2
    assert "ocid" in done.stderr
    assert not done.stdout


def test_a_bill_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    synthesize(7, tmp_path)
    home = next(path for path in sorted((tmp_path / "equal-ratio").iterdir()) if path.is_dir())
    (home / "bill.json").write_text("{broken", encoding="utf-8")
    done = kaifeng("analytics", "similar", tmp_path / "equal-ratio")
    assert done.returncode == 2
    assert "bill.json" in done.stderr
    assert any("bill.json" in one for one in read_dossier(home, "甲", lenient=True).unread)


def test_seeds_are_counted_from_nothing(tmp_path: Path) -> None:
    done = kaifeng("analytics", "synth", "--seed", "-1", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
