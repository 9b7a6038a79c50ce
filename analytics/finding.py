"""发现 one thing that two bids have in common, and where it stands in both."""

import msgspec

from trading.facts.warning import Match

__all__ = ["CLUE", "HARD", "Finding"]

HARD, CLUE = "认定级", "线索级"


class Finding(msgspec.Struct, frozen=True):
    kind: str
    grade: str
    first: str
    second: str
    where_first: str
    where_second: str
    zh: str
    en: str
    article: str

    def as_match(self) -> Match:
        """For the ledger."""
        return msgspec.convert(msgspec.structs.asdict(self), Match)
