"""近似文本 near-duplicates among many documents: grams hashed in one sweep, MinHash signatures in
bands, and every candidate pair compared exactly, so that nothing false comes out.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations, pairwise
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from rensa import RMinHash, RMinHashLSH

from analytics.document import read_document
from trading.kernel.errors import InputUnusable, Refusal

__all__ = ["Near", "NearFiles", "near_duplicates", "near_files"]

_GRAM = 5  # characters
_PERMUTATIONS, _BANDS = 128, 32
_BATCH = 512
_SEED = 40
_LEAST = 0.5
_ALIGNED, _SHOWN = 20_000, 60  # characters
_BASE, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)
_CROWD = 50  # documents of one band that are compared pair by pair

Hashes = npt.NDArray[np.uint64]


class Near(msgspec.Struct, frozen=True):
    """Two documents by their places, and the Jaccard similarity of their grams."""

    first: int
    second: int
    similarity: float


class NearFiles(msgspec.Struct, frozen=True):
    """Two files below the folder, and the longest stretch that both have."""

    first: str
    second: str
    similarity: float
    passage: str


def near_files(
    folder: Path, least: float = _LEAST, given: Path | None = None
) -> tuple[int, list[NearFiles], list[str]]:
    """How many files were read, the pairs of different bidders, and what could not be read;
    InputUnusable where nothing could. A bidder's own for one tender are left out: paths are
    tender/bidder/…, or bidder/….
    """
    names, texts, unread = _texts(folder)
    if not texts:
        raise InputUnusable(path=folder, problem="没有可读的文本文件 / no file with text to read")
    background = _texts(given)[1] if given else []
    found = [
        NearFiles(
            names[one.first],
            names[one.second],
            one.similarity,
            _passage(texts[one.first], texts[one.second]),
        )
        for one in near_duplicates(texts, least, background)
        if _bidder(names[one.first]) != _bidder(names[one.second])
    ]
    found.sort(key=lambda one: (-one.similarity, one.first, one.second))
    return len(texts), found, unread


def _bidder(name: str) -> tuple[str, ...]:
    """Whose file it is: folders further down are the bidder's own."""
    return Path(name).parent.parts[:2]


def _texts(folder: Path) -> tuple[list[str], list[str], list[str]]:
    names, texts, unread = [], [], []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            document = read_document(path)
        except Refusal:
            unread.append(str(path.relative_to(folder)))
            continue
        text = "\n".join(document.paragraphs) if document else ""
        if text.strip():
            names.append(str(path.relative_to(folder)))
            texts.append(text)
    return names, texts, unread


def _passage(first: str, second: str) -> str:
    matcher = SequenceMatcher(None, first[:_ALIGNED], second[:_ALIGNED], autojunk=False)
    found = matcher.find_longest_match()
    return " ".join(first[found.a : found.a + min(found.size, _SHOWN)].split())


def near_duplicates(
    texts: Sequence[str], least: float = _LEAST, background: Sequence[str] = ()
) -> list[Near]:
    """Pairs at least so alike, by place; white space does not count. `background`: what everybody
    was given, which makes nobody alike. Pairs below a similarity of about .5 may be missed.
    """
    given = np.unique(np.concatenate([np.empty(0, np.uint64), *map(_grams, background)]))
    lsh = RMinHashLSH(0.8, _PERMUTATIONS, _BANDS)
    flagged: list[int] = []
    matrices = []
    for start in range(0, len(texts), _BATCH):
        hashes, offsets = _flat(texts[start : start + _BATCH], given)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            hashes, offsets, _PERMUTATIONS, _SEED
        )
        lsh.insert_matrix(matrix, start)
        matrices.append((start, matrix))
    for start, matrix in matrices:
        flags = lsh.query_duplicate_flags_matrix(matrix)
        flagged += [start + place for place, flag in enumerate(flags) if flag]
    return [
        Near(first, second, similarity)
        for first, second, similarity in _compared(texts, flagged, given)
        if similarity >= least
    ]


def _flat(texts: Sequence[str], given: Hashes) -> tuple[Hashes, npt.NDArray[np.uint64]]:
    """All grams of all texts behind each other, and where each begins."""
    plain = ["".join(text.split()) for text in texts]
    lengths = np.array([len(text) for text in plain], dtype=np.int64)
    hashes, ends = _rolled("".join(plain)), np.cumsum(lengths)
    inside = np.ones(int(lengths.sum()), dtype=bool)
    for back in range(1, _GRAM):  # a gram across two texts is nobody's
        inside[ends[lengths >= back] - back] = False
    inside = inside[: len(hashes)]
    if len(given):
        inside &= ~np.isin(hashes, given)
    counted = np.concatenate([[0], np.cumsum(inside, dtype=np.uint64)])
    bounds = np.minimum(np.concatenate([[0], ends]), len(inside))
    return hashes[inside], counted[bounds].astype(np.uint64)


def _grams(text: str) -> Hashes:
    return _rolled("".join(text.split()))


def _rolled(text: str) -> Hashes:
    """A 64-bit hash of every gram: a polynomial in the characters, then mixed."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    count = len(codes) - _GRAM + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    wide = codes.astype(np.uint64)
    hashes = wide[:count].copy()
    for shift in range(1, _GRAM):
        hashes *= _BASE
        hashes += wide[shift : shift + count]
    hashes ^= hashes >> _SHIFT
    hashes *= _MIX
    hashes ^= hashes >> _SHIFT
    return hashes


def _compared(
    texts: Sequence[str], flagged: Sequence[int], given: Hashes
) -> Iterator[tuple[int, int, float]]:
    sets = [np.setdiff1d(_grams(texts[place]), given) for place in flagged]
    for first, second in sorted(_candidates(sets)):
        shared = len(np.intersect1d(sets[first], sets[second], assume_unique=True))
        whole = len(sets[first]) + len(sets[second]) - shared
        if whole:
            yield flagged[first], flagged[second], shared / whole


def _candidates(sets: Sequence[Hashes]) -> set[tuple[int, int]]:
    """Pairs that share a band of their signatures; of a crowd, each with the next."""
    if not sets:
        return set()
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).astype(np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        np.concatenate(sets), offsets, _PERMUTATIONS, _SEED
    )
    rows = np.array(matrix.to_rows(), dtype=np.uint32).reshape(len(sets), _BANDS, -1)
    found: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        holders: dict[bytes, list[int]] = {}
        for place in range(len(sets)):
            holders.setdefault(rows[place, band].tobytes(), []).append(place)
        for held in holders.values():
            near = combinations(held, 2) if len(held) <= _CROWD else pairwise(held)
            found.update(near)
    return found
