"""近似文本: edited copies are found and nothing else; what all were given does not count."""

from pathlib import Path

import numpy as np
import pytest
from commands import kaifeng

from analytics.near import near_duplicates

LETTERS = [chr(0x4E00 + n) for n in range(2500)]


def text(draw: np.random.Generator, length: int = 1500) -> str:
    return "".join(draw.choice(LETTERS, length))


def edited(draw: np.random.Generator, original: str, edits: int) -> str:
    letters = list(original)
    for _ in range(edits):
        letters[int(draw.integers(len(letters)))] = str(draw.choice(LETTERS))
    return "".join(letters)


def test_edited_copies_are_found_and_nothing_else() -> None:
    draw = np.random.default_rng(1)
    texts = [text(draw) for _ in range(1200)]
    copies = [edited(draw, texts[place], 30) for place in range(40)]
    found = near_duplicates([*texts, *copies])
    assert {(one.first, one.second) for one in found} == {(n, 1200 + n) for n in range(40)}
    assert all(one.similarity > 0.7 for one in found)


def test_what_everybody_was_given_makes_nobody_alike() -> None:
    draw = np.random.default_rng(2)
    tender = text(draw, 3000)
    texts = [tender + text(draw, 600) for _ in range(12)]
    assert len(near_duplicates(texts)) == 66
    assert near_duplicates(texts, background=[tender]) == []
    texts.append(tender + edited(draw, texts[3][3000:], 6))
    (one,) = near_duplicates(texts, background=[tender])
    assert (one.first, one.second) == (3, 12)


@pytest.mark.parametrize(
    "texts",
    [[], [""], ["", "", "短"], ["一二三四五"] * 2, ["甲 乙\n丙丁戊己庚"] * 2, ["\ud800" * 9]],
)
def test_short_and_empty_texts_are_no_trouble(texts: list[str]) -> None:
    found = near_duplicates(texts)
    has_grams = len(texts) == 2 and len("".join(texts[0].split())) >= 5
    assert [(one.first, one.second, one.similarity) for one in found] == (
        [(0, 1, 1.0)] if has_grams else []
    )


def test_white_space_and_places_do_not_matter() -> None:
    draw = np.random.default_rng(3)
    one = text(draw)
    spaced = "\n".join(one[n : n + 40] for n in range(0, len(one), 40))
    (near,) = near_duplicates([text(draw), one, text(draw), spaced])
    assert (near.first, near.second, near.similarity) == (1, 3, 1.0)


def test_files_of_an_archive_alike_across_tenders(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    form = text(draw, 1500)
    bids = {place: text(draw) for place in ("t1/甲", "t1/乙", "t2/丙", "t2/丁")}
    bids["t2/丙"] = edited(draw, bids["t1/甲"], 20)
    for place, own in bids.items():
        home = tmp_path / "archive" / place
        home.mkdir(parents=True)
        (home / "方案.txt").write_text(form + own, "utf-8")
        (home / "再一份.txt").write_text(own, "utf-8")
        (home / "坏.pdf").write_bytes(b"%PDF-cut")
    given = tmp_path / "given"
    given.mkdir()
    (given / "格式.txt").write_text(form, "utf-8")
    done = kaifeng("analytics", "near", tmp_path / "archive", "--given", given)
    pairs = [line for line in done.stdout.splitlines() if "↔" in line]
    assert len(pairs) == 4  # each of two files with each of two
    assert all("t1/甲" in line and "t2/丙" in line for line in pairs)
    assert done.stdout.splitlines()[-1].startswith("8 ")
