"""雷同: rings are found and say where; innocents that look like them are left alone."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from commands import kaifeng

from analytics.average_bid import cluster
from analytics.company import Company
from analytics.dossier import read_dossiers
from analytics.finding import HARD, Finding
from analytics.likeness import likeness
from analytics.market import read_market
from analytics.network import communities
from analytics.rotation import rotas
from analytics.synth import SCENARIOS, synthesize
from trading.kernel.errors import InputUnusable

SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    for seed in SEEDS:
        (folder / str(seed)).mkdir()
        synthesize(seed, folder / str(seed))
    return folder


def found(folder: Path) -> list[Finding]:
    dossiers, background = read_dossiers([folder])
    return likeness(dossiers, background)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("code", [scenario.code for scenario in SCENARIOS])
def test_rings_are_found_and_innocents_are_not(code: str, seed: int, scenes: Path) -> None:
    truth = json.loads((scenes / str(seed) / "truth.json").read_text("utf-8"))[code]
    findings = found(scenes / str(seed) / code)
    assert {one.kind for one in findings} == set(truth["kinds"])
    for one in findings:
        assert {one.first, one.second} == set(truth["pair"])
        assert one.where_first
        assert one.where_second
        assert one.article.startswith("条例 第四十条")


@pytest.mark.parametrize("seed", SEEDS)
def test_who_wins_in_turn_over_thirty_lots_is_found_and_competition_is_not(
    seed: int, scenes: Path
) -> None:
    truth = json.loads((scenes / str(seed) / "truth.json").read_text("utf-8"))
    for name in ("rotation", "competition"):
        market = read_market(scenes / str(seed) / "markets" / f"{name}.csv")
        turns = rotas(Company.of(market), communities(market))
        assert [list(one.firms) for one in turns] == [truth[name]["firms"]] * len(turns)
        assert bool(turns) == bool(truth[name]["kinds"])


def test_the_totals_of_all_scenes_are_one_market(scenes: Path) -> None:
    market = read_market(scenes / "1" / "prices.csv")
    assert market.auctions == [scenario.code for scenario in SCENARIOS]
    place = market.auctions.index("clustered-totals")
    close = cluster(market.bids[market.within(place)])
    assert close is not None
    assert close.chance < 0.01
    assert market.sizes[place] == 12


def test_rings_have_other_names_and_places_each_time(scenes: Path) -> None:
    pairs = set()
    for seed in SEEDS:
        truth = json.loads((scenes / str(seed) / "truth.json").read_text("utf-8"))
        pairs |= {tuple(one["pair"]) for one in truth.values() if one.get("pair")}
    assert len(pairs) > 2 * len(SEEDS)


@pytest.mark.parametrize("shape", ["bell", "even", "long", "two levels", "rounded", "cut off"])
@pytest.mark.parametrize("bidders", [8, 12, 30])
def test_independent_totals_are_no_cluster_whatever_their_shape(shape: str, bidders: int) -> None:
    """The promise is one in a hundred."""
    draw, found = np.random.default_rng(6), 0
    for _ in range(100):
        bell = draw.normal(100, 5, bidders)
        totals = {
            "bell": bell,
            "even": draw.uniform(90, 110, bidders),
            "long": 100 * np.exp(draw.normal(size=bidders)),
            "two levels": np.where(draw.random(bidders) < 0.5, bell / 5 + 80, bell / 5 + 110),
            "rounded": np.round(bell),
            "cut off": np.minimum(bell, 102),
        }[shape]
        close = cluster(totals)
        found += close is not None and close.chance <= 0.01
    assert found <= 4
    assert cluster(np.full(9, 100.0)) is None
    assert cluster(np.arange(7.0)) is None


def test_the_law_itself_is_kept_apart_from_clues(scenes: Path) -> None:
    grades = {one.kind: one.grade for s in SCENARIOS for one in found(scenes / "1" / s.code)}
    hard = {kind for kind, grade in grades.items() if grade == HARD}
    assert hard == {"machine", "payer", "staff", "shared-slips", "mixed-up"}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        synthesize(9, tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written.append([(str(p.relative_to(tmp_path / name)), p.read_bytes()) for p in files])
    assert written[0] == written[1]


def a_document(path: Path, author: str, *paragraphs: str, extra: str = "") -> None:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
        'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:creator>{author}</dc:creator></cp:coreProperties>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        document = f'{extra}<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", document)
        archive.writestr("docProps/core.xml", core)


def test_word_documents_are_read_with_their_author(tmp_path: Path) -> None:
    for name, author in (("甲公司", "李四"), ("乙公司", "李四"), ("丙公司", "王五")):
        (tmp_path / name).mkdir()
        a_document(tmp_path / name / "bid.docx", author, f"{name}的施工组织设计")
    (one,) = found(tmp_path)
    assert (one.kind, one.first, one.second) == ("author", "乙公司", "甲公司")


@pytest.mark.parametrize("extra", ['<!DOCTYPE x [<!ENTITY e "boom">]>', "<"])
def test_a_document_that_is_a_trap_or_none_is_refused(extra: str, tmp_path: Path) -> None:
    for name in ("甲公司", "乙公司"):
        (tmp_path / name).mkdir()
        a_document(tmp_path / name / "bid.docx", "x", "文字", extra=extra)
    with pytest.raises(InputUnusable):
        found(tmp_path)


def test_one_bidder_is_like_nobody(tmp_path: Path) -> None:
    (tmp_path / "甲公司").mkdir()
    with pytest.raises(InputUnusable, match="两家"):
        read_dossiers([tmp_path])


def test_from_the_command_line(tmp_path: Path) -> None:
    kaifeng("analytics", "synth", "--seed", "5", "--out", tmp_path / "s")
    said = kaifeng("analytics", "similar", tmp_path / "s" / "same-payer").stdout
    assert "认定级" in said
    assert "第四十条（六）" in said
    listed = kaifeng("analytics", "similar", tmp_path / "s" / "honest", "--json").stdout
    assert json.loads(listed) == []
