"""坏数据: what files from outside get wrong is refused or left out, and no score is made up."""

import gzip
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from analytics_markets import a_market, real_markets, write_market
from commands import kaifeng

from analytics.company import Company
from analytics.dossier import read_dossier
from analytics.flagging import read_processes
from analytics.honest import evaluate
from analytics.leaks import leaks
from analytics.market import Market, read_market
from analytics.model import Model
from analytics.near import near_files
from analytics.network import communities
from analytics.synth import synthesize
from analytics.training import train
from analytics.warning import INSUFFICIENT, warn
from analytics.who import shares, suspects
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


def test_a_spreadsheet_from_china_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(
        "auction_id,bidder_id,bid,winner\nA,江河建设,100,是\nA,众诚,95,否\n".encode("gbk")
    )
    market = read_market(path)
    assert market.bidders == ["江河建设", "众诚"]
    assert market.winner.tolist() == [True, False]


def test_what_is_no_text_at_all_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"auction_id,bid\nA,\xff\xff\n")
    with pytest.raises(InputUnusable, match="另存为 UTF-8"):
        read_market(path)
    path.write_bytes(gzip.compress(b"auction_id,bid\nA,1\n" * 99)[:-20])
    with pytest.raises(InputUnusable, match="压缩数据不完整"):
        read_market(path)


@pytest.mark.parametrize("bid", ["1_000", "1,000", "百万"])
def test_a_price_is_written_as_a_number(bid: str, tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="第 2 行不是报价"):
        read(tmp_path, f'auction_id,bid\nA,"{bid}"\n')


def test_a_winner_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="第 3 行 winner 须为 0 或 1"):
        read(tmp_path, "auction_id,bid,winner\nA,100,0\nA,95,banana\n")


def test_one_nameless_bid_takes_no_others_company_away() -> None:
    """A bid without a name is judged by its price; all the others by whom they keep meeting too."""
    rows = a_market(8, auctions=90)
    whole, without = Market("m", rows), Market("m", [{**rows[0], "bidder_id": ""}, *rows[1:]])
    known, found = shares(whole), shares(without)
    rest = slice(int(whole.starts[1]), None)
    assert np.corrcoef(known[rest], found[rest])[0, 1] > 0.98
    prices_alone = shares(Market("m", [{**row, "bidder_id": ""} for row in rows]))
    assert found[0] == prices_alone[0]
    assert np.corrcoef(known[rest], prices_alone[rest])[0, 1] < 0.9


def test_nameless_bids_of_several_auctions_are_not_one_busy_firm() -> None:
    rows = [
        {"auction_id": f"A{n}", "bidder_id": firm, "bid": f"{100 + place}", "winner": "1"}
        for n in range(9)
        for place, firm in enumerate(("", f"f{n}", f"g{n}"))
    ]
    company = Company.of(Market("m", rows))
    assert "" not in company.firms
    assert set(company.bids.tolist()) == {1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("copy", "copies the labels of bids"),
        ("noisy", "copies the labels of bids"),
        ("pair", "identifies firms"),
        ("nearly", "identifies firms"),
        ("month", "follows the date"),
        ("taste", ""),
    ],
)
def test_columns_that_tell_the_answer_are_named(name: str, said: str) -> None:
    draw, rows = np.random.default_rng(5), a_market(3, auctions=150)
    firms = sorted({row["bidder_id"] for row in rows})
    for row in rows:
        label, firm = int(row["label_auction"] == "1" and draw.random() < 0.6), row["bidder_id"]
        row["label_bid"] = str(label)
        row["copy"] = f"{7 + label}"
        row["noisy"] = f"{7 + (label if draw.random() < 0.97 else 1 - label)}"
        row["pair"] = f"{firms.index(firm) // 2}"
        row["nearly"] = firm[::-1] if draw.random() < 0.8 else f"{draw.integers(40)}"
        row["month"] = f"20{int(row['date_raw']) // 12 + 10}-{int(row['date_raw']) % 12 + 1:02d}-01"
        row["taste"] = f"{draw.integers(4)}"
    found = {leak.column: leak.en for leak in leaks(Market("m", rows))}
    assert (said in found[name]) if said else name not in found


def test_results_are_written_where_they_are_wanted(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "m.json")
    given = tmp_path / "in.csv"
    given.write_text("auction_id,bidder_id,bid\nA,f,1\nA,g,2\nA,h,3\n", encoding="utf-8")
    wanted = ("analytics", "score", "--model", tmp_path / "m.json", "--input", given)
    for more in ((), ("--bidders",)):
        out = tmp_path / f"new{len(more)}" / "deep" / "out.csv"
        done = kaifeng(*wanted, "--out", out, *more)
        assert (done.returncode, out.exists()) == (0, True), done.stderr
    done = kaifeng(*wanted, "--out", tmp_path)
    assert (done.returncode, "读写" in done.stderr) == (2, True)


def test_a_single_bidder_has_nobody_to_be_like(tmp_path: Path) -> None:
    (tmp_path / "bids" / "甲").mkdir(parents=True)
    done = kaifeng("analytics", "similar", tmp_path / "bids")
    assert done.returncode == 2
    assert str(tmp_path / "bids") in done.stderr.replace("\n", "")


def test_seeds_are_counted_from_nothing(tmp_path: Path) -> None:
    done = kaifeng("analytics", "synth", "--seed", "-1", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_game_with_too_few_auctions_is_not_played(tmp_path: Path) -> None:
    rows = a_market(3, auctions=60)
    kinds = {"clean": "0", "rigged": "1", "unlabelled": ""}
    for name, label in kinds.items():
        write_market(tmp_path / f"{name}.csv.gz", [{**row, "label_auction": label} for row in rows])
    write_market(tmp_path / "real.csv.gz", rows)
    done = kaifeng("analytics", "evaluate", "--data", tmp_path, "--game")
    assert done.returncode == 0, done.stderr
    told = {line.split(":")[0].strip(): line for line in done.stdout.splitlines() if ":" in line}
    assert all("too few" in told[name] for name in kinds)
    assert "±" in told["real"]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_no_case_is_no_clean_bill(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_bytes(content)
    done = kaifeng("analytics", "clues", tmp_path / "cases.jsonl")
    assert (done.returncode, "KF-610" in done.stderr) == (2, True)


def test_what_near_cannot_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "甲").mkdir()
    (tmp_path / "甲" / "坏.docx").write_bytes(b"PK none")
    done = kaifeng("analytics", "near", tmp_path)
    assert (done.returncode, "KF-610" in done.stderr) == (2, True)
    (tmp_path / "甲" / "好.txt").write_text("一段文字" * 20, "utf-8")
    done = kaifeng("analytics", "near", tmp_path)
    assert (done.returncode, "坏.docx" in done.stderr) == (0, True)


def test_folders_of_one_bidder_are_its_own(tmp_path: Path) -> None:
    for place in ("t/甲/技术", "t/甲/商务", "t/乙/技术"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "f.txt").write_text("同样的一段施工方案文字" * 30, "utf-8")
    _, found, _ = near_files(tmp_path)
    assert {(one.first, one.second) for one in found} == {
        ("t/乙/技术/f.txt", "t/甲/商务/f.txt"),
        ("t/乙/技术/f.txt", "t/甲/技术/f.txt"),
    }
