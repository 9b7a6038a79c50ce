"""`make bench`: the ledger, its proofs, the envelopes and the audit, measured beside their peers.

Prints figures and asserts nothing. Arguments: topic names for a part, --quick for small sizes.
"""

import argparse
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import (
    append,
    edge,
    envelopes,
    evaluation,
    failover,
    network,
    proofs,
    verification,
    warnings,
)
from bench.table import CONSOLE, Sizes, cores

_TOPICS: dict[str, Callable[[Path, Sizes], None]] = {
    "append": append.run,
    "proofs": proofs.run,
    "envelopes": envelopes.run,
    "verification": verification.run,
    "edge": edge.run,
    "network": network.run,
    "failover": failover.run,
    "evaluation": evaluation.run,
    "warnings": warnings.run,
}
_FULL = Sizes(
    quick=False,
    rounds=7,
    batches=40,
    leaves=(100_000, 1_000_000),
    envelopes=1000,
    entries=(1_000, 10_000, 100_000, 1_000_000),
    signed=10_000,
)
_QUICK = Sizes(
    quick=True,
    rounds=3,
    batches=16,
    leaves=(100_000,),
    envelopes=200,
    entries=(1_000, 10_000, 100_000),
    signed=2_000,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", metavar="topic", help=", ".join(_TOPICS))
    parser.add_argument("--quick", action="store_true", help="small sizes, 10^5 entries at most")
    given = parser.parse_args()
    unknown = sorted(set(given.topics) - set(_TOPICS))
    if unknown:
        parser.error(f"unknown topic {', '.join(unknown)}; known are {', '.join(_TOPICS)}")
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as place:
        for name in given.topics or _TOPICS:
            folder = Path(place) / name
            folder.mkdir()
            _TOPICS[name](folder, _QUICK if given.quick else _FULL)
    CONSOLE.print(
        f"{platform.machine()}, {cores()} cores, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
