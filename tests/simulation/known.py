"""What the simulation has found in the centre and what has not been put right yet: a story with it
goes on. Each has a test that fails as soon as it is gone, and is then deleted here.
"""

import re

import msgspec

__all__ = ["KNOWN", "Finding"]


class Finding(msgspec.Struct, frozen=True):
    """`seeds` show it; with `opens`, of stories that go on to the opening."""

    name: str
    pattern: str
    seeds: tuple[int, ...]
    opens: bool = False

    def explains(self, problem: str) -> bool:
        return re.search(self.pattern, problem) is not None


KNOWN: tuple[Finding, ...] = (
    Finding("stale-refusal", r"is refused \(.*\), and it was in order", ()),
    Finding("stale-look", r"calls .* (unknown|stored), and it was taken", ()),
    Finding("closing-beyond-the-checkpoint", r"stays bidding .*KF-202", ()),
    Finding("nearer-checkpoint", r"closing skipped a nearer checkpoint", ()),
    Finding(
        "crash-within-a-closing",
        r"stays sealed long after|a failure is not declared|a wide bracket",
        (),
    ),
    Finding("late-by-commit", r"does not verify: KF-601 .* KF-202 ", ()),
    Finding("two-outages", r"entries were written during the outage", ()),
    Finding("crash-within-an-extension", r"was not extended after outage", ()),
    Finding("slow-witness", r"distrusts a clock that is right", ()),
    Finding("wall-clock-signature", r"distrusts a signature that is fresh", ()),
    Finding("opened-twice", r"\((ShareGiven|EnvelopeOpened)\): it stands there twice", ()),
)
