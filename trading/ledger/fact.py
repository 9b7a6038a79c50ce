"""Facts 事实: frozen, tagged, past tense. A fact is never changed: fields are only added at the
end with a default, anything else is a new tag (a golden file of all schemas enforces it).
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

import msgspec

from trading.kernel.canonical import canonical
from trading.kernel.errors import EntryBroken
from trading.kernel.party import Role

__all__ = ["Fact", "fact_types", "read_fact", "write_fact"]


class Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """`by` names the roles that may record it; `personal` facts can be erased (个人信息保护法).

    Facts that `commute` do not disturb each other: many may be decided side by side on one state
    of their stream, as long as none of another kind comes between and their claims are free.
    """

    by: ClassVar[frozenset[Role]] = frozenset({Role.PLATFORM})
    personal: ClassVar[bool] = False
    commutes: ClassVar[bool] = False


@cache
def _types() -> dict[str, type[Fact]]:
    return {str(kind.__struct_config__.tag): kind for kind in _descendants(Fact)}


def _descendants(kind: type[Fact]) -> Iterator[type[Fact]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


@cache
def _decoder(kind: type[Fact]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


class _Tag(msgspec.Struct):
    type: str


_TAG = msgspec.json.Decoder(_Tag)


def fact_types() -> dict[str, type[Fact]]:
    """All fact types that have been imported, by tag."""
    return dict(_types())


def read_fact(raw: bytes | msgspec.Raw, index: int) -> Fact:
    """The fact of entry `index`; an unknown tag or a wrong shape raises EntryBroken."""
    try:
        tag = _TAG.decode(raw).type
        kind = _types().get(tag)
        if kind is None:
            raise EntryBroken(index=index, problem=f"未知事实 {tag} / unknown fact {tag}")
        fact: Fact = _decoder(kind).decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise EntryBroken(index=index, problem=error) from error
    return fact


def write_fact(fact: Fact) -> bytes:
    return canonical(fact)
