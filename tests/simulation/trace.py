"""From a seed that found something to the smallest story that still shows it."""

import re

from simulation.plan import Plan
from simulation.world import World

__all__ = ["report", "smallest"]


def smallest(seed: int, early: frozenset[str] = frozenset()) -> World:
    """The story without every part that the first problem does not need."""
    found = World(Plan(seed, early=early))
    wanted = _kind(found.run())
    for part in list(found.plan.parts):
        shorter = World(Plan(seed, found.plan.without | {part}, early))
        if _kind(shorter.run()) == wanted:
            found = shorter
    return found


def report(world: World) -> str:
    """What a reader needs: the seed, the problem, what takes part, and all that happened."""
    parts = [part for part in world.plan.parts if part not in world.plan.without]
    lines = [f"seed {world.plan.seed} with {', '.join(parts) or 'nothing'}", *world.problems]
    return "\n".join([*lines, *world.journal])


def _kind(problems: list[str]) -> str:
    """The first problem but for its numbers and names."""
    return re.sub(r"\d+|b\d[\w/]*|[AB]:|p[12]", "", problems[0]) if problems else ""
