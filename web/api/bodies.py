"""What requests carry and what acts are answered with."""

from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from trading.ledger.entry import Stamp
from trading.tender import Tender
from web.ports import Ports

__all__ = [
    "ActId",
    "Answered",
    "Body",
    "Calls",
    "Digest",
    "Here",
    "Hex",
    "Name",
    "Number",
    "SignedBody",
    "Text",
    "answered",
    "stamped",
]

_UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"

Here = NamedDependency[SkipValidation[Ports]]  # what `create_app` was given
Calls = Request[Any, Any, Any]
ActId = Annotated[str, msgspec.Meta(pattern=_UUID, description="幂等键 idempotency key (UUID)")]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$", max_length=4096)]
Signature = Annotated[
    str,
    msgspec.Meta(
        pattern="^([0-9a-f]{128})?$",
        description="行为签名 Ed25519 over the act; send it empty to be told what to sign",
    ),
]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Number = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing unknown is taken along."""


class SignedBody(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An act of a party: its id makes it idempotent, its signature goes into the ledger."""

    id: ActId
    sig: Signature = ""


class Answered(msgspec.Struct, frozen=True):
    """Where the ledger keeps the act: durable when this is read."""

    index: int
    height: int
    leaf: str
    at: str
    phase: str = ""


def stamped(stamp: Stamp, phase: str = "") -> Answered:
    return Answered(stamp.index, stamp.height, stamp.leaf, stamp.at.isoformat(), phase)


def answered(state: Tender) -> dict[str, object]:
    """After an act: the tender's phase. Its height would tell how much is sealed in it."""
    return {"tender": state.id, "phase": state.phase.value}
