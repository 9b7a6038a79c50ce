"""Open data: valid under all extensions by an outside check, and equal to our state when merged."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import ocdsmerge
import pytest
from builders import ABid, AStory
from centre import START, TestCentre

from trading.facts.tender import Lot
from trading.ocds import current_state, package, releases

NOTHING_FOUND: dict[str, object] = {
    "json_deref_error": None,
    "validation_errors": [],
    "additional_fields": [],
    "additional_closed_codelist_values": {},
}
CHECK = """
import json, sys
from pathlib import Path
import ocdsextensionregistry.extension_version as ev
from requests import Response
from requests.adapters import BaseAdapter

package, zip_path, extensions, work = sys.argv[1:5]
PREFIX = "https://raw.githubusercontent.com/open-contracting-extensions/"

class Local(BaseAdapter):
    def send(self, request, **kwargs):
        name, _, rest = request.url.removeprefix(PREFIX).partition("/")
        path = Path(extensions) / name / rest.partition("/")[2]
        response = Response()
        response.status_code = 200 if path.is_file() else 404
        response._content = path.read_bytes() if path.is_file() else b""
        response.url, response.request = request.url, request
        return response
    def close(self):
        pass

import requests
ev.session = requests.Session()
ev.session.mount("https://", Local())
ev.ExtensionVersion.repository_ref_download_url = property(lambda self: None)
from libcoveocds.api import ocds_json_output
from libcoveocds.config import LibCoveOCDSConfig
config = LibCoveOCDSConfig()
config.config["context"] = "api"
config.config["standard_zip"] = "file://" + zip_path
result = ocds_json_output(work, json_data=json.loads(Path(package).read_text()),
                          lib_cove_ocds_config=config)
keys = ("json_deref_error", "validation_errors", "additional_fields",
        "additional_closed_codelist_values")
print(json.dumps({key: result.get(key) for key in keys}, default=str))
"""


def cove(path: Path, shared, tmp_path: Path) -> dict:
    """libcoveocds in a child process: its licence stays out of ours."""
    zipped = shared("vectors", "ocds", "ocds-standard-1__1__5-schema-only.zip")
    extensions = shared("vectors", "ocds", "ocds-extensions")
    script = tmp_path / "check.py"
    script.write_text(CHECK)
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "ignore", script, path, zipped, extensions, work]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def patched(schema: object, patch: object) -> object:
    """RFC 7396: an extension is a merge patch of the schema; it says how its lists merge."""
    if not isinstance(schema, dict) or not isinstance(patch, dict):
        return patch
    return schema | {key: patched(schema.get(key), value) for key, value in patch.items()}


def facts_of(centre: TestCentre) -> list:
    from trading.ledger.entry import leaf_hash, read_entry, stamped

    return [
        stamped(read_entry(r.raw, r.index), r.index, leaf_hash(r.leaf))
        for r in centre.ledger.records()
        if r.raw
    ]


@pytest.fixture
def rich(centre: TestCentre) -> AStory:
    """Lots, one of them failed, a ceiling, a question, a correction, a rejection, a contract."""
    lots = (Lot(1, "甲段", ceiling=11_000_000, estimate=10_500_000), Lot(2, "乙段"))
    story = AStory(centre, lots=lots).bidding()
    question = centre.purchaser.ask(story.tender, "工期？")
    centre.purchaser.answer(centre.owner, story.tender, question, "九十日。")
    centre.purchaser.correct(centre.owner, story.tender, "图纸更新")
    story.with_three()
    story.hand_in(ABid("91339", 10_900_000), ABid("91330", 5, lot=2))
    story.closed().shared().opened().ranked().publicised().awarded().contracted()
    return story


def test_an_outside_check_finds_nothing(
    centre: TestCentre, rich: AStory, shared, tmp_path: Path
) -> None:
    path = centre.export() / "ocds" / "releases.json"
    assert cove(path, shared, tmp_path) == NOTHING_FOUND


def test_every_procedure_and_every_end_passes_the_outside_check(
    centre: TestCentre, shared, tmp_path: Path
) -> None:
    """Procurement, inquiry, single source, two envelopes, a failed, a cancelled, a rejected one."""
    weight = {"method": "government-price-score", "parameters": {"weight": "30"}}
    AStory(
        centre, procedure="open-procurement", **weight
    ).to_opening().ranked().awarded().contracted()
    names = ("91330", "91331", "91332")
    inquiry = AStory(centre, procedure="inquiry", invited=names).drafted().formed()
    inquiry.published(days=14).with_three().closed().shared().opened().ranked().awarded()
    sole = AStory(centre, procedure="single-source", invited=("91330",)).drafted().formed()
    sole.published(days=14).hand_in(ABid("91330", 5))
    sole.closed().shared().opened().ranked().awarded().contracted()
    record = AStory(centre, procedure="foreign-record", currency="UAH").drafted().formed()
    record.published().hand_in(ABid("91330", None))
    record.closed().shared().opened().ranked()
    AStory(centre).bidding().closed()
    cancelled = AStory(centre).bidding()
    centre.purchaser.cancel(centre.owner, cancelled.tender, "资金未落实")
    path = centre.export() / "ocds" / "releases.json"
    assert cove(path, shared, tmp_path) == NOTHING_FOUND
    releases_of = json.loads(path.read_text())["releases"]
    first_awards: dict[str, list[str]] = {}
    for item in releases_of:
        if "awards" in item:
            first_awards.setdefault(item["ocid"], item["tag"])
    assert set(map(tuple, first_awards.values())) == {("award",)}


def test_the_outside_check_has_teeth(
    centre: TestCentre, rich: AStory, shared, tmp_path: Path
) -> None:
    whole = json.loads((centre.export() / "ocds" / "releases.json").read_text())
    bids = next(r for r in whole["releases"] if "bids" in r)["bids"]["details"]
    bids[0]["status"] = "active"
    bids[1]["value"]["amount"] = "ninety"
    whole["releases"][0]["tender"]["colour"] = "red"
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(whole))
    found = cove(broken, shared, tmp_path)
    assert found["validation_errors"]
    assert found["additional_fields"]
    assert found["additional_closed_codelist_values"]


def test_merging_our_releases_gives_our_state(centre: TestCentre, rich: AStory, shared) -> None:
    zipped = shared("vectors", "ocds", "ocds-standard-1__1__5-schema-only.zip")
    with zipfile.ZipFile(zipped) as archive:
        name = next(n for n in archive.namelist() if n.endswith("schema/release-schema.json"))
        schema = json.loads(archive.read(name))
    folder = shared("vectors", "ocds", "ocds-extensions")
    for extension in json.loads(package([], START))["extensions"]:
        patch = folder / extension.split("/")[-3] / "release-schema.json"
        schema = patched(schema, json.loads(patch.read_text()))
    found = [r for r in releases(facts_of(centre)) if r["ocid"].endswith(rich.tender)]
    whole = json.loads(package(found, START))
    merged = ocdsmerge.Merger(schema).create_compiled_release(whole["releases"])
    ours = json.loads(package([current_state(rich.state, found[-1])], START))["releases"][0]
    for state in (merged, ours):
        state.pop("id")
    assert merged == ours


def test_releases_stand_in_commit_order_one_for_each_publishable_fact(
    centre: TestCentre, rich: AStory
) -> None:
    found = list(releases(facts_of(centre)))
    assert [int(r["id"]) for r in found] == sorted(int(r["id"]) for r in found)
    tags = [r["tag"][0] for r in found]
    assert tags == [
        "tender",
        "tenderUpdate",
        "tenderUpdate",
        "tenderAmendment",
        "tenderUpdate",
        "tenderUpdate",
        "tenderUpdate",
        "award",
        "awardUpdate",
        "contract",
        "tenderUpdate",
    ]


def test_nothing_about_bids_is_published_before_the_opening(centre: TestCentre) -> None:
    story = AStory(centre).bidding().with_three().closed().shared()
    text = package(releases(facts_of(centre)), START).decode()
    assert "91330" not in text
    assert '"bids"' not in text
    assert "numberOfTenderers" not in text
    story.opened()
    text = package(releases(facts_of(centre)), START).decode()
    assert '"numberOfTenderers":3' in text


def test_cancelled_and_failed_tenders_say_so(centre: TestCentre) -> None:
    cancelled = AStory(centre).bidding()
    centre.purchaser.cancel(centre.owner, cancelled.tender, "资金未落实")
    failed = AStory(centre).bidding().closed()
    last = {r["ocid"]: r for r in releases(facts_of(centre))}
    assert last[f"ocds-kaifeng-{cancelled.tender}"]["tender"]["status"] == "cancelled"
    assert last[f"ocds-kaifeng-{failed.tender}"]["tender"]["status"] == "unsuccessful"
