"""红旗: the published vectors pass, and what no vector pins is pinned here."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from commands import kaifeng

from analytics.fences import Fences, quantile
from analytics.flagging import Flags, Settings, flag, read_processes
from analytics.indicators import INDICATORS
from analytics.process import Process
from trading.kernel.errors import InputUnusable, Usage

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "cardinal"
NAMES = ("R003", "R018", "R024", "R028", "R035", "R036", "R038", "R058")
TOP = """no_price_comparison_procurement_methods = NPC
[exclusions]
procurement_method_details = EXC
"""


@pytest.mark.parametrize("name", NAMES)
def test_published_vectors_pass_from_the_command_line(name: str, tmp_path: Path) -> None:
    if not VECTORS.exists() and not os.environ.get("REQUIRE_SHARED"):
        pytest.skip("shared/vectors/cardinal is absent")
    settings = tmp_path / "settings.ini"
    settings.write_text(f"{TOP}[{name}]\n", encoding="utf-8")
    vector = VECTORS / f"{name}.jsonl"
    said = kaifeng("flags", vector, "--settings", settings, "--no-meta")
    expected = json.loads((VECTORS / f"{name}.expected").read_text("utf-8"))
    assert json.loads(said.stdout) == expected


# -- builders -------------------------------------------------------------------------------------


def bid(
    tenderer: str, amount: float, status: str = "valid", currency: str = "CNY", **more: Any
) -> dict[str, Any]:
    value = {"amount": amount, "currency": currency}
    return {"status": status, "tenderers": [{"id": tenderer}], "value": value, **more}


def awarded(ocid: str, *bids: dict[str, Any], to: str = "A", **tender: Any) -> dict[str, Any]:
    award = {"status": "active", "suppliers": [{"id": to}]}
    return {"ocid": ocid, "bids": {"details": list(bids)}, "awards": [award], "tender": tender}


def flags(code: str, *releases: dict[str, Any], **options: Any) -> Flags:
    processes = [Process(release["ocid"], release) for release in releases]
    settings = Settings({code: {name: str(value) for name, value in options.items()}})
    return flag(processes, settings)


def ids(found: Flags, group: str = "OCID") -> list[str]:
    return list(found.results.get(group, {}))


# -- what no vector pins --------------------------------------------------------------------------


def test_at_the_fence_counts() -> None:
    pair = awarded("at", bid("A", 100), bid("B", 110)), awarded("off", bid("A", 100), bid("B", 120))
    assert ids(flags("R024", *pair, threshold=0.1)) == ["at"]
    assert ids(flags("R058", *pair, threshold=0.2)) == ["off"]
    assert ids(flags("R024", *pair, threshold=0)) == []


def test_of_two_digits_these_are_one_kind() -> None:
    def release(ocid: str, *codes: str) -> dict[str, Any]:
        items = [{"classification": {"id": code}} for code in codes]
        award = {"status": "active", "suppliers": [{"id": ocid}], "items": items}
        return {"ocid": ocid, "awards": [award]}

    releases = release("same", "10000000", "10110000"), release("other", "10000000", "20000000")
    options = {"minimum_contracting_processes": 1, "threshold": 2}
    assert ids(flags("R048", *releases, **options), "Tenderer") == ["other"]
    assert ids(flags("R048", *releases, **options, digits=4), "Tenderer") == ["same", "other"]


def test_who_bids_little_is_not_measured_by_its_losses() -> None:
    often = [awarded(f"a{n}", bid("A", 1), bid("L", 2)) for n in range(4)]
    others = [awarded(f"o{n}", bid(f"W{n}", 1), to=f"W{n}") for n in range(8)]
    seldom = awarded("s", bid("A", 1), bid("S", 2))
    found = flags("R025", *often, *others, seldom, threshold=0.1)
    assert "L" in ids(found, "Tenderer")
    assert "S" in ids(found, "Tenderer") or found.meta["R025"]["upper_fence"] == 1
    strict = flags("R025", *often, *others, seldom, threshold=0.1, percentile=100)
    assert ids(strict, "Tenderer") == []


def test_the_last_of_equal_prices_is_compared() -> None:
    found = flags("R028", awarded("x", bid("A", 5), bid("B", 5), bid("B", 5), bid("A", 6)))
    assert ids(found, "Tenderer") == ["A", "B"]


def test_another_currency_is_not_compared() -> None:
    cheaper = bid("B", 1, "disqualified", currency="CAD")
    assert ids(flags("R036", awarded("x", bid("A", 5), cheaper))) == []
    assert ids(flags("R036", awarded("x", bid("A", 5), bid("B", 1, "disqualified")))) == ["x"]


@pytest.mark.parametrize(("date", "late"), [("2026-01-02", False), ("2026-01-02T00", True)])
def test_at_the_end_is_not_late(date: str, late: bool) -> None:
    period = {"tenderPeriod": {"endDate": "2026-01-02"}}
    found = flags("R030", awarded("x", bid("A", 5, date=date)) | {"tender": period})
    assert ids(found) == (["x"] if late else [])


@pytest.mark.parametrize(
    ("start", "end", "short"),
    [
        ("2026-01-01T00:00:00+08:00", "2026-01-15T16:00:00Z", False),
        ("2026-01-01T00:00:00+08:00", "2026-01-15T15:59:59Z", True),
        ("2026-01-01", "2026-01-02", False),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00", False),
        ("2026-02-30T00:00:00Z", "2026-03-01T00:00:00Z", False),
        ("2026-01-09T00:00:00Z", "2026-01-01T00:00:00Z", True),
        ("2026-01-01t00:00:60.5z", "2026-01-02 00:00:00-00:00", True),
    ],
)
def test_days_are_whole_and_moments_have_a_zone(start: str, end: str, short: bool) -> None:
    tender = {"tenderPeriod": {"startDate": start, "endDate": end}}
    assert ids(flags("R003", {"ocid": "x", "tender": tender})) == (["x"] if short else [])


# -- figures --------------------------------------------------------------------------------------


def test_quantiles_are_of_type_eight() -> None:
    values = [1.0, 2, 4, 8, 16]
    assert quantile(values, 0.25) == pytest.approx(1.6666666666666667)
    assert quantile(values, 0.75) == pytest.approx(8 + 8 / 3)
    assert (quantile([5.0], 0.25), quantile([1.0, 2.0], 0.75)) == (5, 2)
    assert math.isnan(quantile([], 0.5))
    fences = Fences([0.0, 0.0, 100.0, 100.0])
    assert (fences.lower, fences.upper) == (-150, 250)


def test_meta_tells_quartiles_and_fences_even_of_nothing() -> None:
    assert flags("R024").meta == {"R024": {"q1": None, "q3": None, "lower_fence": None}}
    assert flags("R058", threshold=0.5).meta == {"R058": {"upper_fence": 0.5}}
    assert flags("R018").meta == {}


# -- files from anywhere --------------------------------------------------------------------------


def test_bad_lines_are_told_of_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    one = {"ocid": "x", "tender": {"numberOfTenderers": 1, "procurementMethod": "open"}}
    lines = [
        b"",
        b"{",
        b"[1]",
        b'{"ocid": 5}',
        b'{"ocid": "n", "x": NaN}',
        b"\xff",
        json.dumps(one).encode(),
    ]
    path.write_bytes(b"\n".join(lines))
    said: list[int] = []
    found = flag(read_processes(path, lambda line, _: said.append(line)), Settings.of_all())
    assert ids(found) == ["x"]
    assert said == [2, 5, 6]


@pytest.mark.parametrize("broken", [5, None, [], {}, "x", True, [5], [{}], {"details": 5}])
@pytest.mark.parametrize("field", ["tender", "bids", "awards", "buyer"])
def test_fields_of_any_type_are_no_error(field: str, broken: Any) -> None:
    release = awarded("x", bid("A", 5), bid("B", 6)) | {field: broken}
    flag([Process("x", release)], Settings.of_all())


@pytest.mark.parametrize(
    ("text", "problem"),
    [("[R999]\n", "R999"), ("[R028]\nthreshold = 1\n", "threshold"), ("color = red\n", "color")],
)
def test_unknown_settings_are_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "s.ini"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Usage, match=problem):
        Settings.read(path)
    path.write_text("no ini at all", encoding="utf-8")
    with pytest.raises(InputUnusable):
        Settings.read(path)


def test_settings_say_which_flags_run_and_where(tmp_path: Path) -> None:
    path = tmp_path / "s.ini"
    path.write_text(
        "; said\n[R003]\nprocurement_methods = open|\n[R003.procurement_method_details]\nx = 5\n",
        encoding="utf-8",
    )
    settings = Settings.read(path)
    assert settings.days == {"x": "5"}
    tender = {
        "tenderPeriod": {"startDate": "2026-01-01T00:00:00Z", "endDate": "2026-01-09T00:00:00Z"}
    }
    for details, found in (("x", []), ("y", ["p"])):
        release = {
            "ocid": "p",
            "tender": tender | {"procurementMethod": "open", "procurementMethodDetails": details},
        }
        assert ids(flag([Process("p", release)], settings)) == found


def test_every_flag_has_its_page() -> None:
    """Eight headings, in both languages."""
    headings = (
        "名称 Name",
        "定义 Definition",
        "理由 Why",
        "数据 Data",
        "方法 Method",
        "阈值 Threshold",
        "例外 Exclusions",
        "来源 Source",
    )
    assert len(INDICATORS) == 11
    for indicator in INDICATORS:
        module = __import__(f"analytics.indicators.{indicator.code.lower()}", fromlist=["x"])
        assert all(f"\n{heading}: " in str(module.__doc__) for heading in headings), indicator.code
