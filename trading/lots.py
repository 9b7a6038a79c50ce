"""抽签 the arithmetic of a draw: from commitments and a ledger's root to a seed, to an order, to
the ones drawn. Nothing but SHA-256 over canonical JSON: docs/reference/draw.md says it in full.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from trading.facts.draw import AWAY, DrawAnnounced, Drawn, Group, Option
from trading.kernel.canonical import canonical, sha256
from trading.kernel.errors import DrawRefusal

__all__ = [
    "check_enough",
    "commitment",
    "draw_digest",
    "drawn",
    "follower",
    "next_in_order",
    "sealed_name",
    "seed_of",
]

_SEAL = b"kaifeng draw name v1\n"
_DRAW = b"kaifeng draw v1\n"
_COMMITMENT = b"kaifeng draw commitment v1\n"
_SEED = b"kaifeng draw seed v1\n"
_TICKET = b"kaifeng draw ticket v1\n"


def sealed_name(draw: str, who: str, name: str, salt: bytes) -> str:
    """The code under which a person stands in a draw: hidden by the salt, and bound to the draw."""
    return sha256(
        _SEAL, canonical({"draw": draw, "name": name, "salt": salt.hex(), "who": who})
    ).hex()


def draw_digest(announced: DrawAnnounced) -> bytes:
    return sha256(_DRAW, canonical(announced))


def commitment(draw: bytes, contributor: str, secret: bytes) -> str:
    """What a contributor says before anybody knows anything. `secret`: 32 bytes of pure chance."""
    said = {"contributor": contributor, "draw": draw.hex(), "secret": secret.hex()}
    return sha256(_COMMITMENT, canonical(said)).hex()


def seed_of(draw: bytes, root: bytes, size: int, secrets: Mapping[str, bytes]) -> bytes:
    """Uniform and unknown to everybody as long as one contributor was honest."""
    parts = {name: secret.hex() for name, secret in secrets.items()}
    whole = {"draw": draw.hex(), "root": root.hex(), "secrets": parts, "size": size}
    return sha256(_SEED, canonical(whole))


def drawn(seed: bytes, options: Iterable[Option], groups: Sequence[Group]) -> tuple[Drawn, ...]:
    """Group after group: first the ones from elsewhere that it needs, then the next in order."""
    order = _ordered(seed, options)
    taken: set[str] = set()
    result = []
    for group in groups:
        free = [option for option in order if _fits(option, group) and option.code not in taken]
        away = [option.code for option in free if AWAY in option.tags][: group.away]
        others = [option.code for option in free if option.code not in set(away)]
        chosen = {*away, *others[: group.count - len(away)]}
        if len(away) < group.away or len(chosen) < group.count:
            problem = f"{group.name}：{len(free)}，其中异地 {len(away)} / too few to draw from"
            raise DrawRefusal(problem=problem)
        taken |= chosen
        codes = tuple(option.code for option in free if option.code in chosen)
        result.append(Drawn(group.name, codes))
    return tuple(result)


def check_enough(options: Sequence[Option], groups: Sequence[Group]) -> None:
    """DrawRefusal unless every group can be filled whatever the earlier ones take."""
    for place, group in enumerate(groups):
        fitting = [option for option in options if _fits(option, group)]
        away = [option for option in fitting if AWAY in option.tags]
        taken = taken_away = 0
        for earlier in groups[:place]:
            taken += min(earlier.count, sum(_fits(option, earlier) for option in fitting))
            taken_away += min(earlier.count, sum(_fits(option, earlier) for option in away))
        if len(fitting) - taken < group.count or len(away) - taken_away < group.away:
            problem = f"{group.name}：{len(fitting)}，其中异地 {len(away)} / too few to draw from"
            raise DrawRefusal(problem=problem)


def next_in_order(
    seed: bytes,
    options: Iterable[Option],
    group: Group,
    present: Collection[str],
    gone: Collection[str],
) -> str:
    """Who takes a free place of the group, in which `present` remain; DrawRefusal if nobody can.

    Those of other groups count among the `gone`.
    """
    options = list(options)
    away = sum(option.code in present and AWAY in option.tags for option in options)
    needs_away = away < group.away
    for option in _ordered(seed, options):
        is_free = option.code not in present and option.code not in gone
        if is_free and _fits(option, group) and (AWAY in option.tags or not needs_away):
            return option.code
    raise DrawRefusal(problem=f"{group.name}：无人可补 / nobody is left")


def follower(
    seed: bytes,
    announced: DrawAnnounced,
    present: Mapping[str, Sequence[str]],
    gone: Collection[str],
    leaving: str,
) -> tuple[str, str]:
    """The group that somebody leaves, and who takes the place; `present` by group."""
    group = next((g for g in announced.groups if leaving in present.get(g.name, ())), None)
    if group is None:
        raise DrawRefusal(problem=f"{leaving[:12]} 未被抽中 / was not drawn")
    others = {code for name, codes in present.items() if name != group.name for code in codes}
    remaining = [code for code in present[group.name] if code != leaving]
    away = {leaving, *gone, *others}
    return group.name, next_in_order(seed, announced.options, group, remaining, away)


def _fits(option: Option, group: Group) -> bool:
    return not group.tag or group.tag in option.tags


def _ordered(seed: bytes, options: Iterable[Option]) -> list[Option]:
    """By ticket, a hash of seed and code: the order in which options are listed tells nothing."""
    begun = _TICKET + seed
    return sorted(options, key=lambda o: hashlib.sha256(begun + o.code.encode()).digest())
