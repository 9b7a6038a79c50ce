"""清标线索: each of the 46 has its page and its golden pair, and innocent lots raise none."""

import importlib
import json
from pathlib import Path

import msgspec
import pytest
from commands import kaifeng

from analytics.clue import Case, Group
from analytics.clueing import clues_of, points_of, read_cases
from analytics.clues import CLUES
from trading.kernel.errors import InputUnusable

GOLDEN = Path(__file__).parents[1] / "golden" / "clues"
CODES = [clue.code for clue in CLUES]
HEADINGS = ("名称", "定义", "理由", "数据", "方法", "阈值", "例外", "来源")


def test_there_are_forty_six_in_four_groups() -> None:
    counts = {group: sum(clue.group is group for clue in CLUES) for group in Group}
    assert sum(counts.values()) == 46
    assert counts[Group.TRIGGER] == 11
    assert {path.stem for path in GOLDEN.glob("*.jsonl")} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_the_golden_pair(code: str) -> None:
    found = CLUES[code].look(read_cases(GOLDEN / f"{code}.jsonl"))
    expected = json.loads((GOLDEN / f"{code}.expected").read_text("utf-8"))
    assert [[hit.lot, list(hit.who), hit.value] for hit in found] == expected
    assert expected


@pytest.mark.parametrize("code", CODES)
def test_the_page_has_its_eight_headings(code: str) -> None:
    page = importlib.import_module(f"analytics.clues.{code.replace('-', '_')}").__doc__ or ""
    lines = page.splitlines()
    assert [line.split(" ")[0] for line in lines if line.startswith(HEADINGS)] == list(HEADINGS)
    assert CLUES[code].article in page.replace("\n", " ")
    assert lines[0].startswith(CLUES[code].zh)


def innocents() -> list[Case]:
    """Ten lots with everything known and nothing odd."""
    cases = []
    for number in range(10):
        bids = [
            {
                "bidder": f"firm-{place}",
                "price": 90_000_00
                + (place**3 * 1_913_57 + number * 777_01 + 7 * place**2) % 9_000_00,
                **{
                    field: f"{field}-{place}"
                    for field in ("machine", "file", "dongle", "contact", "phone", "email")
                },
                "upload_ip": f"10.0.{place}.1",
                "decrypt_ip": f"10.0.{place}.2",
                "download_ip": f"10.0.{place}.3",
                "uploaded_at": 5000.0 * place + number,
                "errors": [f"slip-{place}-{number}"],
            }
            for place in range(5)
        ]
        marks = [
            {
                "expert": f"expert-{expert}",
                "bidder": f"firm-{place}",
                "item": "plan",
                "share": 0.55 + 0.05 * place + 0.01 * ((expert * 3 + place * 5 + number) % 4),
            }
            for expert in range(7)
            for place in range(5)
        ]
        case = {
            "lot": f"{number}",
            "buyer": "交通局",
            "agent": "某代理",
            "agent_contacts": ["13900000000"],
            "ceiling": 100_000_00,
            "winner": f"firm-{number % 5}",
            "bids": bids,
            "takers": [f"firm-{place}" for place in range(7)],
            "challenges": ["firm-1"],
            "extensions": 1,
            "panel": [{"expert": f"expert-{expert}", "ties": ["某大学"]} for expert in range(7)],
            "marks": marks,
            "alike": [{"first": "firm-0", "second": "firm-1", "share": 0.4}],
        }
        cases.append(msgspec.convert(case, Case))
    return cases


def test_innocent_lots_raise_none() -> None:
    assert clues_of(innocents()) == []


def test_nothing_known_says_nothing() -> None:
    bare = [Case(lot="1", bids=()), msgspec.convert({"lot": "2"}, Case)]
    assert {one.code for one in clues_of(bare)} == {"bidder-count"}


def test_points_count_each_indicator_once(tmp_path: Path) -> None:
    bids = [{"bidder": name, "machine": "m", "phone": "p"} for name in "甲乙丙"]
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps({"lot": "1", "bids": bids}), "utf-8")
    said = clues_of(read_cases(path))
    assert points_of(said) == {"1": 35}
    printed = kaifeng("analytics", "clues", path)
    assert "机器码雷同" in printed.stdout
    assert json.loads(kaifeng("analytics", "clues", path, "--json").stdout)[0]["points"] == 30


@pytest.mark.parametrize(
    "content", ["{", '{"bids": []}', '{"lot": 1}', "[]", '{"lot":"1","bids":3}']
)
def test_what_is_no_case_is_refused_with_its_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(f'{{"lot": "1"}}\n\n{content}\n', "utf-8")
    with pytest.raises(InputUnusable, match="3"):
        read_cases(path)
