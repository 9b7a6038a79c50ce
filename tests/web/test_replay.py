"""`kaifeng replay` on real data: every bid opened, our first rank beside the record's."""

import contextlib
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from commands import ROOT, kaifeng

from trading.kernel.errors import RecordUnreadable
from web.cases import read_cases


def rows_of(*files: Path, code: int = 0, out: Path | None = None) -> dict[str, dict]:
    options = ["--out", out] if out else []
    done = kaifeng("replay", *files, *options, "--json", timeout=400)
    assert done.returncode == code, done.stderr
    return {row["tender"]: row for row in json.loads(done.stdout)}


def test_the_restated_tenders_in_the_docs(tmp_path: Path) -> None:
    out = tmp_path / "export"
    rows = rows_of(ROOT / "docs/data/real-tenders.json", out=out)
    assert [row["bids"] for row in rows.values()] == [5, 2, 4, 8]
    assert all(row["opened"] == row["bids"] for row in rows.values())
    assert all(row["agree"] for row in rows.values()), rows
    verified = kaifeng("verify", out)
    assert verified.returncode == 0, verified.stderr
    assert "draws: 3" in verified.stdout  # three of the four had a disqualified bid: a panel met
    assert "evaluations: 3 / 4" in verified.stdout


def test_all_shared_ocds_files(shared, tmp_path: Path) -> None:
    files = sorted(shared("data", "ocds").glob("*.json"))
    out = tmp_path / "export"
    rows = rows_of(*files, out=out)
    assert len(rows) == 26
    assert sum(row["bids"] for row in rows.values()) == 46
    assert all(row["opened"] == row["bids"] for row in rows.values())
    assert sum(row["agree"] for row in rows.values()) == 17
    assert all(row["agree"] or row["reason"] for row in rows.values())
    assert "KF-801" in rows["ocds-213czf-000-00001"]["reason"]
    assert kaifeng("verify", out).returncode == 0


def test_the_brazilian_auctions(shared) -> None:
    rows = rows_of(shared("data", "collusion", "brazil.csv.gz"))
    assert len(rows) == 101
    assert sum(row["opened"] for row in rows.values()) == 683
    assert all(row["agree"] for row in rows.values())


BAD = {
    "empty.json": b"",
    "half.json": b'{"releases": [{"ocid": "x", "bids":',
    "list.json": b"[1, 2, 3]",
    "text.json": b'"releases"',
    "latin.json": b"\xff\xfe{}",
    "none.json": b'{"releases": []}',
    "deep.json": b"[" * 100_000,
    "columns.csv": b"a,b\n1,2\n",
    "cut.csv.gz": gzip.compress(b"auction_id,bid,winner\nA,1,1\n")[:-9],
    "plain.csv.gz": b"auction_id,bid,winner\n",
}


@pytest.mark.parametrize("name", BAD)
def test_malformed_files_are_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BAD[name])
    with pytest.raises(RecordUnreadable) as refused:
        read_cases(path)
    assert refused.value.code == "KF-800"
    assert name in str(refused.value)


def test_a_malformed_file_does_not_stop_the_others(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    rows = rows_of(bad, ROOT / "docs/data/real-tenders.json", code=2)
    assert len(rows) == 4


def release(*bids: object, **more: object) -> dict:
    return {
        "ocid": "x",
        "tender": {"procurementMethod": "open"},
        "bids": {"details": list(bids)},
    } | more


def bid(name: str, amount: object, **more: object) -> dict:
    return {"id": name, "value": {"amount": amount}, "tenderers": [{"id": f"T{name}"}]} | more


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (bid("1", "ninety"), "ninety"),
        (bid("1", True), "True"),
        (bid("1", {"v": 1}), "{"),
        (bid("1", 1e300), "300"),
        ("not a bid", "not an object"),
    ],
)
def test_one_unreadable_bid_is_reported_and_the_others_stay(
    tmp_path: Path, raw: object, fault: str
) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"releases": [release(raw, bid("2", 10), bid("3", 20.005))]}))
    (case,) = read_cases(path).cases
    assert [b.price.fen for b in case.bids] == [1000, 2001]
    assert len(case.faults) == 1
    assert fault in case.faults[0]


def test_shapes_of_releases_and_records_are_all_read(tmp_path: Path) -> None:
    one = release(bid("1", 5))
    shapes = [
        one,
        [one],
        {"releases": [one]},
        {"records": [{"compiledRelease": one}]},
        {"records": [{"releases": [one]}]},
        {"compiledRelease": one},
        {"releases": [release(), one | {"bids": {"details": [bid("1", 5)]}}]},
        release() | {"bids": [bid("1", 5)]},
    ]
    for number, shape in enumerate(shapes):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(shape))
        (case,) = read_cases(path).cases
        assert [b.price.fen for b in case.bids] == [500], number


def test_withdrawn_and_invited_bids_are_not_bids(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    raw = [bid("1", 5, status="withdrawn"), bid("2", 6, status="invited"), bid("3", 7)]
    path.write_text(json.dumps(release(*raw)))
    (case,) = read_cases(path).cases
    assert [b.id for b in case.bids] == ["3"]


def _mutations(value: object, path: tuple[object, ...] = ()):
    """Every place of a JSON value, to be replaced by something else."""
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from _mutations(inner, (*path, key))


def _replaced(value: object, path: tuple[object, ...], by: object) -> object:
    if not path:
        return by
    copy: Any = value.copy() if isinstance(value, (dict, list)) else None
    copy[path[0]] = _replaced(copy[path[0]], path[1:], by)
    return copy


@pytest.mark.parametrize("by", [None, "oops", 7, [], {}, [3], {"x": 1}, True], ids=repr)
def test_any_field_may_hold_anything(tmp_path: Path, by: object) -> None:
    """A record's mistake is reported or read around; reading never ends in a crash."""
    whole = json.loads((ROOT / "docs/data/real-tenders.json").read_text())
    whole["releases"] = whole["releases"][:2]
    path = tmp_path / "r.json"
    for place in _mutations(whole):
        path.write_text(json.dumps(_replaced(whole, place, by)))
        with contextlib.suppress(RecordUnreadable):
            read_cases(path)
