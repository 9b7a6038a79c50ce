"""文本雷同 passages that two bids share and that neither the tender nor a template gave them; and
another bidder's name left in (条例 第四十条（四）（五）).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from analytics.dossier import Dossier, Passage
from analytics.finding import CLUE, HARD, Finding

__all__ = ["text_likeness"]

_GRAM = 5  # characters
_SHORTEST = 15  # characters of a passage that could be anybody's
_ALIKE = 0.8  # of a passage's grams
_SHARE = 0.15  # of a bid's own text
_PASSAGES = 3
_TEMPLATE = 3  # bidders: a pair is no template
_SHOWN, _AROUND = 60, 8
_SHORTEST_NAME = 4

Grams = frozenset[str]


def text_likeness(dossiers: Sequence[Dossier], background: Sequence[Passage]) -> Iterator[Finding]:
    common = _common(dossiers, background)
    own = {one.bidder: _own(one.passages, common) for one in dossiers}
    for first, second in combinations(dossiers, 2):
        yield from _shared(first.bidder, second.bidder, own[first.bidder], own[second.bidder])
    yield from _names(dossiers)


def _common(dossiers: Sequence[Dossier], background: Sequence[Passage]) -> Grams:
    """Of the tender, and of a template: passages that more than half the bidders write."""
    writers: Counter[str] = Counter()
    for one in dossiers:
        writers.update({_plain(passage.text) for passage in one.passages})
    fewest = max(_TEMPLATE, len(dossiers) // 2 + 1)
    template = [text for text, count in writers.items() if count >= fewest]
    given = [*template, *(passage.text for passage in background)]
    return frozenset[str]().union(*map(_grams, given))


def _plain(text: str) -> str:
    return "".join(text.split())


def _own(passages: Sequence[Passage], common: Grams) -> list[tuple[Passage, Grams]]:
    """Passages of which most is the bidder's own."""
    found = []
    for passage in passages:
        grams = _grams(passage.text)
        rest = grams - common
        if len(passage.text) >= _SHORTEST and len(rest) * 2 > len(grams):
            found.append((passage, rest))
    return found


def _grams(text: str) -> Grams:
    plain = _plain(text)
    return frozenset(plain[n : n + _GRAM] for n in range(len(plain) - _GRAM + 1))


def _shared(
    first: str,
    second: str,
    one: Sequence[tuple[Passage, Grams]],
    other: Sequence[tuple[Passage, Grams]],
) -> Iterator[Finding]:
    """Side by side: the passage in each, where it stands, and how much of both is alike."""
    holders: dict[str, list[int]] = {}
    for place, (_, grams) in enumerate(other):
        for gram in grams:
            holders.setdefault(gram, []).append(place)
    pairs = []
    for passage, grams in one:
        votes = Counter(place for gram in grams for place in holders.get(gram, ()))
        if votes:
            place, shared = votes.most_common(1)[0]
            if shared >= _ALIKE * min(len(grams), len(other[place][1])):
                pairs.append((passage, other[place][0], shared))
    alike = sum(shared for _, _, shared in pairs)
    whole = min(sum(len(grams) for _, grams in side) for side in (one, other))
    if len(pairs) >= _PASSAGES and alike >= _SHARE * whole:
        yield _found(first, second, pairs, alike / whole)


def _found(
    first: str, second: str, pairs: Sequence[tuple[Passage, Passage, int]], share: float
) -> Finding:
    longest = max(pairs, key=lambda pair: pair[2])
    where = _side_by_side(longest[0], longest[1])
    zh = f"{len(pairs)} 段文字雷同，占其自撰内容 {min(share, 1):.0%}（已除去招标文件与通用模板）"
    en = f"{len(pairs)} passages alike, {min(share, 1):.0%} of what they wrote themselves"
    return Finding("text", CLUE, first, second, where[0], where[1], zh, en, "条例 第四十条（四）")


def _side_by_side(first: Passage, second: Passage) -> list[str]:
    """The same stretch in both, between brackets, with what stands around it."""
    matcher = SequenceMatcher(None, first.text, second.text, autojunk=False)
    found = matcher.find_longest_match()
    shown = []
    for passage, start in ((first, found.a), (second, found.b)):
        end = start + min(found.size, _SHOWN)
        before = passage.text[max(start - _AROUND, 0) : start]
        told = f"{before}【{passage.text[start:end]}】{passage.text[end : end + _AROUND]}"
        shown.append(f"{passage.file} 第 {passage.number} 段：{told}")
    return shown


def _names(dossiers: Sequence[Dossier]) -> Iterator[Finding]:
    for one in dossiers:
        for other in dossiers:
            if one is other or len(other.name) < _SHORTEST_NAME:
                continue
            found = next((p for p in one.passages if other.name in p.text), None)
            if found:
                where = f"{found.file} 第 {found.number} 段：{found.text[:_SHOWN]}"
                zh = f"{one.name} 的文件写有 {other.name}"
                en = f"the bid of {one.name} names {other.name}"
                yield Finding(
                    "mixed-up",
                    HARD,
                    one.bidder,
                    other.bidder,
                    where,
                    "—",
                    zh,
                    en,
                    "条例 第四十条（五）",
                )
