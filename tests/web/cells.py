"""The squares of the access matrix, and the requests that are tried on them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from builders import ABid, AStory
from edge import ANYONE, TestEdge

from trading.facts.bidding import EnvelopeReceived
from trading.facts.opening import CokeyMissing
from trading.kernel.party import Actor, Role
from trading.ledger.fact import Fact
from trading.tender import MACHINE, Phase
from web.access import MATRIX
from web.client import act_id

__all__ = ["COLUMNS", "NOBODY", "Ask", "Cell", "act", "get", "post", "state"]

NOBODY = "0" * 64
COLUMNS: dict[str, Role | None] = {  # the party that acts in each role
    "purchaser": Role.PURCHASER,
    "agency": Role.AGENCY,
    "experts": Role.PANEL,
    "bidder": Role.BIDDER,
    "inspector": Role.INSPECTOR,
    "platform": Role.PLATFORM,
    "trustee": Role.TRUSTEE,
    "witness": Role.WITNESS,
    "expert": Role.EXPERT,
    "awarder": Role.AWARDER,
    ANYONE: None,
}
# What an operation leads to where its row names no fact, because it writes several or none itself.
LEADS_TO: dict[str, type[Fact]] = {
    "create_upload": EnvelopeReceived,
    "end_cokey_window": CokeyMissing,
}


class Cell(msgspec.Struct):
    """One square of the matrix; `bid` is what the tender's bidder keeps, if that matters."""

    edge: TestEdge
    operation: str
    party: str
    phase: Phase
    is_own: bool
    story: AStory
    made: datetime
    bid: ABid | None = None

    def __str__(self) -> str:
        whose = "own" if self.is_own else "another's"
        return f"{self.operation} by {self.party or 'anyone'}, {self.phase}, {whose}"

    @property
    def path(self) -> str:
        return f"/v1/tenders/{self.story.tender}"

    @property
    def leads_to(self) -> type[Fact] | None:
        return MATRIX[self.operation].fact or LEADS_TO.get(self.operation)

    @property
    def may(self) -> bool:
        """Whether the machine has a row for what the operation leads to."""
        if self.operation == "admit_expert":
            return True
        if self.operation == "draft":
            return self.phase is Phase.DRAFT and self.is_own
        return self.leads_to is None or self.leads_to in MACHINE.may(self.phase)


class Ask(msgspec.Struct):
    """A request with all it needs to be right; `signer` signs the act where it is not the party."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    content: bytes | None = None
    signer: Actor | None = None


def post(path: str, **body: Any) -> Callable[[Cell], Ask]:
    return lambda cell: Ask("POST", f"{cell.path}{path}", body)


def act(path: str, **body: Any) -> Callable[[Cell], Ask]:
    return lambda cell: Ask("POST", f"{cell.path}{path}", {"id": act_id(), **body})


def get(path: str, method: str = "GET") -> Callable[[Cell], Ask]:
    return lambda cell: Ask(method, path.replace("TENDER", cell.path))


def state(path: str, fact: Fact) -> Callable[[Cell], Ask]:
    """An act whose body is the very fact."""
    return act(path, fact=msgspec.to_builtins(fact))
