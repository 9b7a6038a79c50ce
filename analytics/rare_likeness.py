"""罕见雷同 rare strings that two bids share: a contact's number, an address, and slips that both
made in copying the tender's own words (条例 第四十条（二）（四）).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from analytics.dossier import Dossier, Passage
from analytics.finding import CLUE, Finding

__all__ = ["rare_likeness"]

_CONTACTS = {
    "手机号 mobile number": re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"),
    "邮箱 e-mail": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII),
    "证件或账号 identity or account number": re.compile(r"(?<!\d)\d{16,19}[\dXx]?(?!\d)"),
}
_GRAM, _LONGEST, _MOST = 4, 400, 2000
_ALIKE = 0.6  # grams of a tender's passage that a copy of it keeps
_SLIP = 4  # characters that a slip changes at most
_FEWEST = 2  # slips in common
_WORD = re.compile("[\u4e00-\u9fa5]")
_BLANK = re.compile("[0-9_\uff3f]")
_SHOWN = 40

Slip = tuple[int, int, str, str]  # passage of the tender, place, what stood there, what stands now


def rare_likeness(dossiers: Sequence[Dossier], background: Sequence[Passage]) -> Iterator[Finding]:
    yield from _contacts(dossiers, background)
    yield from _slips(dossiers, background)


def _contacts(dossiers: Sequence[Dossier], background: Sequence[Passage]) -> Iterator[Finding]:
    given = "\n".join(passage.text for passage in background)
    holders: dict[tuple[str, str], dict[str, Passage]] = defaultdict(dict)
    for one in dossiers:
        for passage in one.passages:
            for kind, pattern in _CONTACTS.items():
                for value in pattern.findall(passage.text):
                    holders[kind, value].setdefault(one.bidder, passage)
    for (kind, value), held in sorted(holders.items()):
        is_common = value in given or 2 < len(held) > len(dossiers) / 2
        for first, second in combinations(held, 2) if not is_common else ():
            yield Finding(
                "contact",
                CLUE,
                first,
                second,
                _where(held[first]),
                _where(held[second]),
                f"同一{kind.split(' ')[0]} {value}",
                f"one {kind.partition(' ')[2]} {value}",
                "条例 第四十条（二）",
            )


def _where(passage: Passage) -> str:
    return f"{passage.file} 第 {passage.number} 段：{passage.text[:_SHOWN]}"


def _slips(dossiers: Sequence[Dossier], background: Sequence[Passage]) -> Iterator[Finding]:
    """A template that was copied wrongly twice in the same places was copied once."""
    tender = [passage.text for passage in background if _GRAM < len(passage.text) <= _LONGEST]
    index = _index(tender)
    made = {one.bidder: dict(_slips_of(one, tender, index)) for one in dossiers}
    makers = Counter(slip for slips in made.values() for slip in slips)
    for first, second in combinations(made, 2):
        shared = [
            slip
            for slip in made[first]
            if slip in made[second] and not 2 < makers[slip] > len(dossiers) / 2
        ]
        if len(shared) >= _FEWEST:
            told = "、".join(f"“{old}”作“{new}”" for _, _, old, new in shared[:3])
            yield Finding(
                "shared-errors",
                CLUE,
                first,
                second,
                _where(made[first][shared[0]]),
                _where(made[second][shared[0]]),
                f"抄录招标文件时 {len(shared)} 处同样的改动：{told}",
                f"{len(shared)} identical slips in copying the tender's words",
                "条例 第四十条（四）",
            )


def _index(texts: Sequence[str]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for place, text in enumerate(texts):
        for gram in _grams(text):
            found[gram].add(place)
    return found


def _grams(text: str) -> set[str]:
    return {text[n : n + _GRAM] for n in range(len(text) - _GRAM + 1)}


def _slips_of(
    one: Dossier, tender: Sequence[str], index: Mapping[str, set[int]]
) -> Iterator[tuple[Slip, Passage]]:
    for passage in one.passages[:_MOST]:
        if len(passage.text) > 2 * _LONGEST:
            continue
        grams = _grams(passage.text)
        votes = Counter(place for gram in grams for place in index.get(gram, ()))
        if not votes:
            continue
        place, shared = votes.most_common(1)[0]
        original = tender[place]
        if original not in passage.text and shared >= _ALIKE * len(_grams(original)):
            for slip in _changes(place, original, passage.text):
                yield slip, passage


def _changes(place: int, original: str, copy: str) -> Iterator[Slip]:
    """Words of the tender that were replaced or lost; what fills a blank, or is a number, is not
    a slip.
    """
    matcher = SequenceMatcher(None, original, copy, autojunk=False)
    for tag, start, end, to_start, to_end in matcher.get_opcodes():
        old, new = original[start:end], copy[to_start:to_end]
        is_short = len(old) <= _SLIP and len(new) <= _SLIP
        is_word = _WORD.search(old) and not _BLANK.search(old + new)
        if tag in ("replace", "delete") and is_short and is_word:
            yield (place, start, old, new)
