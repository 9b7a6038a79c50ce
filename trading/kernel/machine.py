"""State machines as tables: (phase, fact type) -> phase. The table is the whole law of motion."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Generic, TypeVar

from trading.kernel.errors import IllegalTransition

__all__ = ["Machine"]


def _node(phase: StrEnum) -> str:
    """Mermaid takes no hyphen in a node's name."""
    return phase.value.replace("-", "_")


P = TypeVar("P", bound=StrEnum)


class Machine(Generic[P]):
    def __init__(self, start: P, rows: Iterable[tuple[P, type, P]]) -> None:
        self.start = start
        self.rows = tuple(rows)
        self._table: dict[tuple[P, type], P] = {}
        for phase, fact, target in self.rows:
            if (phase, fact) in self._table:
                raise TypeError(f"two rows for {phase} and {fact.__name__}")
            self._table[phase, fact] = target

    def after(self, phase: P, fact: type) -> P:
        target = self._table.get((phase, fact))
        if target is None:
            raise IllegalTransition(phase=phase.value, fact=fact.__name__)
        return target

    def may(self, phase: P) -> tuple[type, ...]:
        return tuple(fact for source, fact, _ in self.rows if source == phase)

    def mermaid(self) -> str:
        """The diagram of the table; a fact that leaves the phase as it is draws no arrow."""
        arrows: dict[tuple[P, P], list[str]] = {}
        for source, fact, target in self.rows:
            if source != target:
                arrows.setdefault((source, target), []).append(fact.__name__)
        lines = [f"    [*] --> {_node(self.start)}"]
        lines += [f"    {_node(a)} --> {_node(b)}: {', '.join(n)}" for (a, b), n in arrows.items()]
        return "\n".join(["stateDiagram-v2", *lines])
