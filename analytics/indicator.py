"""风险指标 the contract of a red flag: a fold over processes, and what it has found in the end.

The codes and their meaning are those of the Open Contracting Partnership's guide to red flags; the
figures agree with its reference program, Cardinal.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from analytics.comparison import Comparison
from analytics.fences import Fences
from analytics.process import Process
from analytics.seconds import Seconds
from trading.kernel.errors import Usage

__all__ = [
    "BUYER",
    "ENTITY",
    "OCID",
    "TENDERER",
    "Found",
    "Indicator",
    "Setup",
    "Tally",
    "pipes",
]

OCID, BUYER, ENTITY, TENDERER = "OCID", "Buyer", "ProcuringEntity", "Tenderer"

Group = str
Results = dict[tuple[Group, str], float]  # by group and id


class Found(msgspec.Struct, frozen=True):
    """`meta`: the quartiles and fences behind it, where there are any."""

    results: Results
    meta: dict[str, float] | None = None


class Tally(Protocol):
    def see(self, process: Process) -> None: ...

    def finish(self) -> Found: ...


class Setup(msgspec.Struct, frozen=True):
    """`options` of one flag, as text; `seconds`: how far the second lowest bid lies, once for all
    flags that ask.
    """

    code: str
    options: Mapping[str, str]
    comparison: Comparison
    seconds: Seconds
    days: Mapping[str, str] = {}

    def whole(self, name: str, default: int) -> int:
        return int(self.number(name) if name in self.options else default)

    def number(self, name: str) -> float:
        try:
            return float(self.options[name])
        except ValueError as error:
            raise Usage(problem=f"[{self.code}] {name}: {self.options[name]}") from error

    @property
    def is_set(self) -> bool:
        """Whether somebody has named the limit."""
        return "threshold" in self.options

    def fence(self, computed: float) -> float:
        return self.number("threshold") if self.is_set else computed

    def quartiles(self, fences: Fences, of: str = "") -> dict[str, float]:
        """What the limit was computed from, if it was."""
        return {} if self.is_set else {f"{of}q1": fences.q1, f"{of}q3": fences.q3}


class Indicator(msgspec.Struct, frozen=True):
    """One red flag; `settings`: the names its section may hold."""

    code: str
    zh: str
    en: str
    start: Callable[[Setup], Tally]
    settings: frozenset[str] = frozenset()


def pipes(said: str) -> frozenset[str]:
    """`a|b`; nothing where nothing is said."""
    parts = said.split("|")
    return frozenset(parts[:-1] if parts[-1] == "" else parts)
