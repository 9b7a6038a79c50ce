"""At the start: a ledger older than its witnesses remember was restored from an old copy.

Going on with it would fork history in front of everybody who holds a receipt. Two persons may
decide to do so all the same (kaifeng restore); their act is then an entry like any other.
"""

from trading.kernel.errors import Refusal, StateOlder
from trading.ledger.checkpoint import Checkpoint, verify_log_signature
from trading.ledger.note import Note
from web.node import Node
from web.restored import approve_restored

__all__ = ["check_not_older"]


def check_not_older(node: Node) -> None:
    """StateOlder if a witness that answers has seen more than we hold, or something else."""
    keys = list(node.office.publisher.policy.logs)
    for witness in node.witnesses:
        try:
            note = Note.parse(witness.latest(keys[0].name))
            seen = verify_log_signature(note, keys)
        except Refusal:
            continue  # an absent witness cannot stop a centre, one that answers can
        if not _holds(node, seen) and not approve_restored(node, seen):
            raise StateOlder(size=node.ledger.size(), witness=witness.name, seen=seen.size)


def _holds(node: Node, seen: Checkpoint) -> bool:
    return seen.size <= node.ledger.size() and node.ledger.root(seen.size) == seen.root
