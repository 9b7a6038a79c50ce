"""恢复放行 going on with a restored state: two persons sign it, the ledger records it."""

from pathlib import Path

import msgspec

from trading.facts.suspension import PLATFORM_STREAM, RestoreApproval, StateRestored
from trading.kernel.errors import FileUnreadable
from trading.kernel.party import Role, Signs
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.port import ANY
from trading.ledger.signature import check_act
from web.node import Node

__all__ = ["approval_message", "approve_restored", "write_approval"]

_PERSONS = 2
_MAY = frozenset({Role.PLATFORM, Role.INSPECTOR})


def approval_message(origin: str, size: int, seen: Checkpoint) -> bytes:
    """What each of the two signs: this ledger, from this size, in spite of what was seen."""
    return f"kaifeng restore v1\n{origin}\n{size}\n{seen.size}\n{seen.root.hex()}\n".encode()


def write_approval(folder: Path, party: str, key: Signs, message: bytes) -> Path:
    path = folder / f"restore-approval-{party}.json"
    approval = RestoreApproval(party, key.sign(message).hex())
    path.write_bytes(msgspec.json.encode(approval))
    return path


def approve_restored(node: Node, seen: Checkpoint) -> bool:
    """Whether two persons decided it, now or at an earlier start; the first time it is logged."""
    wanted = (seen.size, seen.root.hex())
    for fact, _ in node.ledger.stream(PLATFORM_STREAM):
        if isinstance(fact, StateRestored) and (fact.seen, fact.root) == wanted:
            return True
    message = approval_message(seen.origin, node.ledger.size(), seen)
    valid = {item.party: item for item in _approvals(node.data) if _holds(node, item, message)}
    if len(valid) < _PERSONS:
        return False
    fact = StateRestored(
        size=node.ledger.size(),
        seen=seen.size,
        root=seen.root.hex(),
        approvals=tuple(valid[name] for name in sorted(valid)),
    )
    node.ledger.append(PLATFORM_STREAM, ANY, [node.office.draft(PLATFORM_STREAM, fact, None)])
    return True


def _approvals(folder: Path) -> list[RestoreApproval]:
    found = []
    for path in sorted(folder.glob("restore-approval-*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=RestoreApproval))
        except (msgspec.MsgspecError, OSError) as error:
            raise FileUnreadable(path=path, problem=error) from error
    return found


def _holds(node: Node, approval: RestoreApproval, message: bytes) -> bool:
    """By an enrolled person of the platform or an inspector, not by the centre's own key."""
    party = node.ports.parties[approval.party]
    if party is None or not _MAY & set(party.roles) or party.key == node.operator.public.hex():
        return False
    return check_act(bytes.fromhex(party.key), bytes.fromhex(approval.signature), message)
